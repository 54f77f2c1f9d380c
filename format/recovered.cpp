// SPDX-License-Identifier: Apache-2.0
#include "format/recovered.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "format/compress.hpp"
#include "format/digest.hpp"
#include "format/msgpack_map.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

Bytes message_for(const FileId& id, ByteView signed_part) {
  Bytes out;
  ByteWriter(out).bytes(as_bytes(k_domain_recovered)).bytes(id).bytes(sha256(signed_part));
  return out;
}

template <std::size_t N>
Result<void> take_array(const Bytes& from, std::array<std::byte, N>& to) {
  if (from.size() != N) {
    return fail(Errc::corrupt, "a recovery note with a field of the wrong size");
  }
  std::copy(from.begin(), from.end(), to.begin());
  return {};
}

Result<Bytes> finish(const FileId& id, const SigningKey& key, Bytes body) {
  TRY_ASSIGN(const auto signature, key.sign(message_for(id, body)));
  append(body, signature);
  return body;
}

}  // namespace

Result<Bytes> encode_recovered(const FileId& id, const RecoveredNote& note, const SigningKey& key,
                               std::span<const EventView> events, Entropy& entropy) {
  const Bytes map = MapWriter()
                        .binary("source_digest", note.source_digest)
                        .binary("tail_digest", note.tail_digest)
                        .text("reason", note.reason)
                        .number("when_us", note.when.us)
                        .binary("key", key.public_key())
                        .finish();
  Bytes body;
  ByteWriter w(body);
  w.u32(static_cast<std::uint32_t>(map.size())).bytes(map);
  if (events.empty()) {
    return finish(id, key, std::move(body));
  }
  ChunkBuilder builder;
  for (const auto& event : events) {
    builder.add(event);
  }
  Seed seed{};
  TRY(entropy.fill(seed));
  append_core(body, builder.core(0, seed));
  append_chunk_frame(body, builder.raw_bytes(), true, k_salt_seed, {&seed, 1});
  Bytes columns;
  builder.append_columns(columns);
  TRY(Compressor(3).compress(columns, GroupPart::whole, body));
  return finish(id, key, std::move(body));
}

Result<ByteView> recovered_events_part(ByteView body) {
  if (body.size() < sizeof(Signature)) {
    return fail(Errc::truncated, "a recovery record that is too short");
  }
  ByteReader r(body.first(body.size() - sizeof(Signature)));
  TRY_ASSIGN(const auto map_bytes, r.u32());
  TRY(r.take(map_bytes));
  return r.take(r.left());
}

Result<Recovered> decode_recovered(const FileId& id, ByteView body) {
  Recovered out;
  if (body.size() < sizeof(Signature)) {
    return fail(Errc::truncated, "a recovery record that is too short");
  }
  const ByteView signed_part = body.first(body.size() - sizeof(Signature));
  ByteReader r(signed_part);
  TRY_ASSIGN(const auto map_bytes, r.u32());
  TRY_ASSIGN(const auto map_view, r.take(map_bytes));
  TRY_ASSIGN(auto map, MapReader::parse(map_view));
  Bytes source;
  Bytes tail;
  Bytes key;
  TRY(map.binary("source_digest", source)
          .binary("tail_digest", tail)
          .text("reason", out.note.reason)
          .number("when_us", out.note.when.us)
          .binary("key", key)
          .done());
  TRY(take_array(source, out.note.source_digest));
  TRY(take_array(tail, out.note.tail_digest));
  TRY(take_array(key, out.note.key));
  Signature signature{};
  const auto last = body.last(sizeof(Signature));
  std::copy(last.begin(), last.end(), signature.begin());
  out.signature_holds = verify_signature(out.note.key, message_for(id, signed_part), signature);
  if (r.done()) {
    return out;  // a salvage that found nothing behind the last seal
  }
  TRY_ASSIGN(const auto chunk, decode_chunk_body(r.take(r.left()).value()));
  if (chunk.salt_form != k_salt_seed) {
    return fail(Errc::corrupt, "a recovery record from which events were removed");
  }
  Bytes columns(chunk.raw_bytes);
  Decompressor decompressor;
  TRY(decompressor.decompress(chunk.stored, columns));
  std::vector<EventView> views;
  TRY(decode_columns(chunk.core, columns, views));
  std::vector<Digest> salts;
  TRY_ASSIGN(const auto root, leaf_root(views, chunk, salts));
  if (root != chunk.core.leaf_root) {
    return fail(Errc::corrupt, "the events of a recovery record do not match its root");
  }
  for (const auto& view : views) {
    out.events.push_back({view.number, view.kind, view.t, view.at,
                          Bytes(view.data.begin(), view.data.end()), false});
  }
  return out;
}

}  // namespace sworn::format
