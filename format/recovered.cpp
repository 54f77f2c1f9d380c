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

constexpr std::string_view k_content_chunk = "chunk";
constexpr std::string_view k_content_tail = "tail";

Bytes begin_body(const RecoveredNote& note, const SigningKey& key, std::string_view content) {
  MapWriter map;
  map.binary("source_digest", note.source_digest)
      .binary("tail_digest", note.tail_digest)
      .text("reason", note.reason)
      .number("when_us", note.when.us)
      .binary("key", key.public_key());
  if (!content.empty()) {
    map.text("content", content);
  }
  const Bytes bytes = map.finish();
  Bytes body;
  ByteWriter(body).u32(static_cast<std::uint32_t>(bytes.size())).bytes(bytes);
  return body;
}

Result<RecoveredContent> content_of(std::string_view text) {
  if (text.empty()) {
    return RecoveredContent::events;
  }
  if (text == k_content_chunk) {
    return RecoveredContent::chunk;
  }
  if (text == k_content_tail) {
    return RecoveredContent::tail;
  }
  return fail(Errc::unsupported, "a recovery record with a content that this build does not know");
}

}  // namespace

Result<Bytes> encode_recovered(const FileId& id, const RecoveredNote& note, const SigningKey& key,
                               std::span<const EventView> events, Entropy& entropy) {
  Bytes body = begin_body(note, key, {});
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

Result<Bytes> encode_carried(const FileId& id, const RecoveredNote& note, const SigningKey& key,
                             RecoveredContent content, ByteView part) {
  Bytes body =
      begin_body(note, key, content == RecoveredContent::chunk ? k_content_chunk : k_content_tail);
  append(body, part);
  return finish(id, key, std::move(body));
}

Result<RecoveredPart> recovered_part(ByteView body) {
  if (body.size() < sizeof(Signature)) {
    return fail(Errc::truncated, "a recovery record that is too short");
  }
  ByteReader r(body.first(body.size() - sizeof(Signature)));
  TRY_ASSIGN(const auto map_bytes, r.u32());
  TRY_ASSIGN(const auto map_view, r.take(map_bytes));
  TRY_ASSIGN(auto map, MapReader::parse(map_view));
  std::string content;
  TRY(map.text("content", content).done());
  RecoveredPart out;
  TRY_ASSIGN(out.content, content_of(content));
  TRY_ASSIGN(out.bytes, r.take(r.left()));
  return out;
}

void append_carried(Bytes& part, const SealedTailEntry& entry) {
  ByteWriter(part)
      .u64(entry.generation)
      .u64(entry.number)
      .u32(static_cast<std::uint32_t>(entry.sealed.size()))
      .bytes(entry.sealed);
}

Result<std::vector<SealedTailEntry>> decode_carried_tail(ByteView part) {
  std::vector<SealedTailEntry> out;
  ByteReader r(part);
  while (!r.done()) {
    SealedTailEntry entry;
    TRY_ASSIGN(entry.generation, r.u64());
    TRY_ASSIGN(entry.number, r.u64());
    TRY_ASSIGN(const auto length, r.u32());
    if (length > k_max_event_bytes + k_tail_sealed_extra_bytes ||
        (!out.empty() && entry.number <= out.back().number)) {
      return fail(Errc::corrupt, "entries of a tail that are out of order or too large");
    }
    TRY_ASSIGN(const auto sealed, r.take(length));
    entry.sealed.assign(sealed.begin(), sealed.end());
    out.push_back(std::move(entry));
  }
  return out;
}

Result<Event> open_tail_entry(TailKey& key, const SealedTailEntry& entry) {
  TRY(key.advance(entry.generation));
  Bytes plain;
  TRY(key.open(entry.number, entry.sealed, plain));
  ByteReader r(plain);
  Event out;
  out.number = entry.number;
  TRY_ASSIGN(const auto t, r.u64());
  TRY_ASSIGN(const auto at, r.u64());
  TRY_ASSIGN(const auto kind, r.u8());
  if (t > INT64_MAX || at > INT64_MAX || kind == 0 || kind > k_kind_mask ||
      r.left() > k_max_event_bytes) {
    return fail(Errc::bad_seal, "an entry of the tail that makes no sense");
  }
  out.t.us = static_cast<std::int64_t>(t);
  out.at.us = static_cast<std::int64_t>(std::min(at, t));
  out.kind = static_cast<EventKind>(kind);
  const auto data = r.take(r.left()).value();
  out.data.assign(data.begin(), data.end());
  return out;
}

namespace {

Result<void> number_carried(Recovered& out, ByteView part) {
  if (out.content == RecoveredContent::tail) {
    TRY_ASSIGN(const auto entries, decode_carried_tail(part));
    out.n_events = entries.size();
    out.first_event = entries.empty() ? 0 : entries.front().number;
    const auto last = entries.empty() ? 0 : entries.back().number;
    if (!entries.empty() && last - out.first_event + 1 != out.n_events) {
      return fail(Errc::corrupt, "a recovery record with a hole in its numbers");
    }
    return {};
  }
  TRY_ASSIGN(const auto chunk, decode_chunk_body(part));
  out.n_events = chunk.core.n_events;
  out.first_event = chunk.core.first_event;
  return {};
}

}  // namespace

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
  std::string content;
  TRY(map.binary("source_digest", source)
          .binary("tail_digest", tail)
          .text("reason", out.note.reason)
          .number("when_us", out.note.when.us)
          .binary("key", key)
          .text("content", content)
          .done());
  TRY_ASSIGN(out.content, content_of(content));
  TRY(take_array(source, out.note.source_digest));
  TRY(take_array(tail, out.note.tail_digest));
  TRY(take_array(key, out.note.key));
  Signature signature{};
  const auto last = body.last(sizeof(Signature));
  std::copy(last.begin(), last.end(), signature.begin());
  out.signature_holds = verify_signature(out.note.key, message_for(id, signed_part), signature);
  if (out.content != RecoveredContent::events) {
    TRY(number_carried(out, r.take(r.left()).value()));
    return out;
  }
  if (r.done()) {
    return out;  // a salvage that found nothing behind the last seal
  }
  TRY_ASSIGN(const auto chunk, decode_chunk_body(r.take(r.left()).value()));
  if (chunk.salt_form != k_salt_seed || chunk.encrypted) {
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
  out.n_events = out.events.size();
  out.first_event = out.events.empty() ? 0 : out.events.front().number;
  return out;
}

}  // namespace sworn::format
