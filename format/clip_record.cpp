// SPDX-License-Identifier: Apache-2.0
#include "format/clip_record.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "format/constants.hpp"
#include "format/msgpack_map.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::size_t k_preamble_head = 12;
constexpr std::size_t k_max_entries = 16;
constexpr std::size_t k_max_path = 64;

std::uint32_t crc_of(ByteView head, const FileId& id) {
  Bytes all(head.begin(), head.end());
  append(all, id);
  return crc32c(all);
}

template <std::size_t N>
Result<void> take(const Bytes& from, std::array<std::byte, N>& out) {
  if (from.size() != N) {
    return fail(Errc::corrupt, "a clip with a field of a wrong size");
  }
  std::copy(from.begin(), from.end(), out.begin());
  return {};
}

}  // namespace

Bytes encode_clip_preamble(const FileId& id) {
  Bytes out;
  ByteWriter writer(out);
  writer.bytes(std::as_bytes(std::span(k_clip_magic))).u8(k_clip_major).u8(0).u8(0).u8(0);
  const std::uint32_t crc = crc_of(out, id);
  writer.u32(crc).bytes(id);
  return out;
}

Result<FileId> decode_clip_preamble(ByteView bytes) {
  if (bytes.size() < k_preamble_bytes ||
      !std::equal(k_clip_magic.begin(), k_clip_magic.end(),
                  reinterpret_cast<const std::uint8_t*>(bytes.data()))) {
    return fail(Errc::bad_usage, "not a clip");
  }
  if (std::to_integer<std::uint8_t>(bytes[8]) != k_clip_major || bytes[10] != std::byte{0}) {
    return fail(Errc::unsupported, "a clip of another version");
  }
  FileId id{};
  std::copy_n(bytes.begin() + 16, id.size(), id.begin());
  Bytes stored;
  ByteWriter(stored).u32(crc_of(bytes.first(k_preamble_head), id));
  if (!std::equal(stored.begin(), stored.end(), bytes.begin() + k_preamble_head)) {
    return fail(Errc::corrupt, "the beginning of the clip is damaged");
  }
  return id;
}

Bytes encode(const ClipNote& note) {
  return MapWriter()
      .number("from_us", note.range.from.us)
      .number("to_us", note.range.to.us)
      .number("made_us", note.made.us)
      .binary("preamble", note.preamble)
      .finish();
}

Result<ClipNote> decode_clip_note(ByteView body) {
  TRY_ASSIGN(auto map, MapReader::parse(body));
  ClipNote out;
  TRY(map.number("from_us", out.range.from.us)
          .number("to_us", out.range.to.us)
          .number("made_us", out.made.us)
          .binary("preamble", out.preamble)
          .done());
  if (out.preamble.size() != k_preamble_bytes) {
    return fail(Errc::corrupt, "a clip without the preamble of its session");
  }
  return out;
}

Bytes encode(const ClipProof& proof) {
  MapWriter map;
  map.binary("ledger_id", proof.ledger)
      .binary("genesis", proof.genesis)
      .text("checkpoint_key", proof.checkpoint_key)
      .text("checkpoint", proof.checkpoint)
      .unsigned_number("entries", proof.entries.size());
  for (std::size_t i = 0; i < proof.entries.size(); ++i) {
    const std::string n = std::to_string(i);
    Bytes path;
    for (const auto& hash : proof.entries[i].path) {
      append(path, hash);
    }
    map.unsigned_number("index_" + n, proof.entries[i].index)
        .binary("entry_" + n, proof.entries[i].entry)
        .binary("path_" + n, path);
  }
  return map.finish();
}

Result<ClipProof> decode_clip_proof(ByteView body) {
  TRY_ASSIGN(auto map, MapReader::parse(body));
  ClipProof out;
  Bytes id;
  Bytes genesis;
  std::uint64_t count = 0;
  map.binary("ledger_id", id)
      .binary("genesis", genesis)
      .text("checkpoint_key", out.checkpoint_key)
      .text("checkpoint", out.checkpoint)
      .number("entries", count);
  if (count > k_max_entries) {
    return fail(Errc::corrupt, "a clip with more than 16 entries of a ledger");
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    ClipProof::Entry entry;
    Bytes path;
    map.number("index_" + n, entry.index)
        .binary("entry_" + n, entry.entry)
        .binary("path_" + n, path);
    if (path.size() % sizeof(Digest) != 0 || path.size() / sizeof(Digest) > k_max_path) {
      return fail(Errc::corrupt, "a clip with a path that is none");
    }
    for (std::size_t at = 0; at < path.size(); at += sizeof(Digest)) {
      Digest hash{};
      std::copy_n(path.begin() + static_cast<std::ptrdiff_t>(at), hash.size(), hash.begin());
      entry.path.push_back(hash);
    }
    out.entries.push_back(std::move(entry));
  }
  TRY(map.done());
  TRY(take(id, out.ledger));
  TRY(take(genesis, out.genesis));
  return out;
}

}  // namespace sworn::format
