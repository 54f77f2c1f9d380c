// SPDX-License-Identifier: Apache-2.0
#include "format/ledger_chain.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "format/digest.hpp"

#include <algorithm>
#include <limits>

namespace sworn::format {
namespace {

constexpr std::string_view k_head_magic = "SWLHEAD0";
constexpr std::size_t k_max_text_bytes = 4096;

void put_text(ByteWriter& w, std::string_view text) {
  w.u16(static_cast<std::uint16_t>(text.size())).bytes(as_bytes(text));
}
Result<std::string> take_text(ByteReader& r) {
  TRY_ASSIGN(const auto length, r.u16());
  if (length > k_max_text_bytes) {
    return fail(Errc::corrupt, "a text in the ledger's head that is too long");
  }
  TRY_ASSIGN(const auto bytes, r.take(length));
  return std::string(as_text(bytes));
}
template <std::size_t N>
Result<void> take_into(ByteReader& r, std::array<std::byte, N>& out) {
  TRY_ASSIGN(const auto bytes, r.take(N));
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return {};
}

}  // namespace

Bytes encode_ledger_preamble(const LedgerId& id) {
  Bytes out;
  ByteWriter w(out);
  w.bytes(std::as_bytes(std::span(k_ledger_magic))).u8(k_ledger_major).u8(0).u8(0).u8(0);
  w.u32(crc32c(id, crc32c(out))).bytes(id);
  return out;
}

Result<LedgerId> decode_ledger_preamble(ByteView bytes) {
  const auto magic = std::as_bytes(std::span(k_ledger_magic));
  if (bytes.size() < magic.size() || !std::equal(magic.begin(), magic.end(), bytes.begin())) {
    return fail(Errc::bad_usage, "not a sworn ledger (the first bytes are not its magic)");
  }
  if (bytes.size() < k_preamble_bytes) {
    return fail(Errc::truncated, "the ledger ends inside its preamble");
  }
  ByteReader r(bytes.subspan(magic.size()));
  TRY_ASSIGN(const auto major, r.u8());
  TRY_ASSIGN([[maybe_unused]] const auto minor, r.u8());
  TRY_ASSIGN(const auto incompat, r.u8());
  TRY_ASSIGN([[maybe_unused]] const auto compat, r.u8());
  TRY_ASSIGN(const auto crc, r.u32());
  LedgerId id{};
  TRY(take_into(r, id));
  if (crc32c(id, crc32c(bytes.first(12))) != crc) {
    return fail(Errc::corrupt, "the preamble of the ledger is damaged");
  }
  if (major != k_ledger_major || incompat != 0) {
    return fail(Errc::unsupported, "a ledger of version " + std::to_string(major) +
                                       "; this build reads version " +
                                       std::to_string(k_ledger_major));
  }
  return id;
}

Bytes encode(const LedgerRecord& record) {
  Bytes out;
  ByteWriter(out)
      .u16(static_cast<std::uint16_t>(record.entry.size()))
      .bytes(record.entry)
      .bytes(record.next_key)
      .bytes(record.signature);
  return out;
}

Result<LedgerRecord> decode_ledger_record(ByteView body) {
  ByteReader r(body);
  LedgerRecord out;
  TRY_ASSIGN(const auto length, r.u16());
  TRY_ASSIGN(const auto entry, r.take(length));
  out.entry.assign(entry.begin(), entry.end());
  TRY(take_into(r, out.next_key));
  TRY(take_into(r, out.signature));
  if (!r.done()) {
    return fail(Errc::corrupt, "bytes behind a ledger entry");
  }
  return out;
}

Digest ledger_leaf(ByteView entry) {
  constexpr std::array<std::byte, 1> k_prefix{static_cast<std::byte>(k_hash_leaf)};
  return Sha256().update(k_prefix).update(entry).finish();
}

Bytes ledger_message(const LedgerId& id, std::uint64_t tree_size, const Digest& root,
                     const PublicKey& next_key) {
  Bytes out;
  ByteWriter(out)
      .bytes(as_bytes(k_domain_ledger))
      .bytes(id)
      .u64(tree_size)
      .bytes(root)
      .bytes(next_key);
  return out;
}

Result<LedgerEntry> LedgerHead::advance(std::uint64_t offset, std::uint32_t seq, ByteView body) {
  if (seq != size || size >= std::numeric_limits<std::uint32_t>::max()) {
    return fail(Errc::corrupt, "entry " + std::to_string(seq) + " stands where entry " +
                                   std::to_string(size) + " belongs");
  }
  TRY_ASSIGN(const auto record, decode_ledger_record(body));
  TRY_ASSIGN(auto entry, decode_ledger_entry(record.entry));
  const auto* first = std::get_if<LedgerGenesis>(&entry.fact);
  if ((first != nullptr) != (size == 0)) {
    return fail(Errc::corrupt, "a ledger begins with one genesis entry");
  }
  if (first != nullptr && first->id != id) {
    return fail(Errc::corrupt, "the genesis entry is one of another ledger");
  }
  const auto* boot = std::get_if<LedgerBoot>(&entry.fact);
  if (boot == nullptr && entry.t < last_mono) {
    return fail(Errc::corrupt, "the time since boot goes back in entry " + std::to_string(seq));
  }
  const PublicKey signer = first != nullptr ? first->first_key : next_key;
  const Digest leaf = ledger_leaf(record.entry);
  MerkleTree grown = tree;
  grown.add(leaf);
  if (!verify_signature(signer, ledger_message(id, grown.size(), grown.root(), record.next_key),
                        record.signature)) {
    return fail(Errc::bad_seal, "the signature of entry " + std::to_string(seq) +
                                    " is not by the key that the one before announced");
  }
  tree = std::move(grown);
  if (first != nullptr) {
    genesis = leaf;
    checkpoint_key = first->checkpoint_key;
    origin = first->origin;
  } else if (boot != nullptr) {
    boot_id = boot->boot_id;
  } else if (const auto* rotated = std::get_if<LedgerKeyRotation>(&entry.fact)) {
    checkpoint_key = rotated->checkpoint_key;
  }
  ++size;
  last_offset = offset;
  bytes = offset + k_frame_bytes + body.size();
  last_signer = signer;
  next_key = record.next_key;
  last_mono = entry.t;
  last_wall = entry.wall;
  return entry;
}

Bytes encode(const LedgerHead& head) {
  Bytes out;
  ByteWriter w(out);
  w.bytes(as_bytes(k_head_magic)).bytes(head.id).u64(head.size).u64(head.bytes);
  w.bytes(head.next_key).bytes(head.genesis).u64(static_cast<std::uint64_t>(head.last_mono.us));
  w.u64(static_cast<std::uint64_t>(head.last_wall.us)).u64(head.last_offset);
  w.bytes(head.last_signer);
  put_text(w, head.checkpoint_key);
  put_text(w, head.origin);
  put_text(w, head.boot_id);
  w.u8(static_cast<std::uint8_t>(head.tree.frontier().size()));
  for (const auto& digest : head.tree.frontier()) {
    w.bytes(digest);
  }
  w.u32(crc32c(out));
  return out;
}

Result<LedgerHead> decode_ledger_head(ByteView bytes) {
  ByteReader r(bytes);
  LedgerHead out;
  TRY_ASSIGN(const auto magic, r.take(k_head_magic.size()));
  if (as_text(magic) != k_head_magic) {
    return fail(Errc::corrupt, "not the head of a ledger");
  }
  TRY(take_into(r, out.id));
  TRY_ASSIGN(out.size, r.u64());
  TRY_ASSIGN(out.bytes, r.u64());
  TRY(take_into(r, out.next_key));
  TRY(take_into(r, out.genesis));
  TRY_ASSIGN(const auto mono, r.u64());
  TRY_ASSIGN(const auto wall, r.u64());
  out.last_mono.us = static_cast<std::int64_t>(mono);
  out.last_wall.us = static_cast<std::int64_t>(wall);
  TRY_ASSIGN(out.last_offset, r.u64());
  TRY(take_into(r, out.last_signer));
  TRY_ASSIGN(out.checkpoint_key, take_text(r));
  TRY_ASSIGN(out.origin, take_text(r));
  TRY_ASSIGN(out.boot_id, take_text(r));
  TRY_ASSIGN(const auto n, r.u8());
  std::vector<Digest> frontier(n);
  for (auto& digest : frontier) {
    TRY(take_into(r, digest));
  }
  const std::size_t covered = bytes.size() - r.left();
  TRY_ASSIGN(const auto crc, r.u32());
  auto tree = MerkleTree::from_frontier(out.size, std::move(frontier));
  if (crc32c(bytes.first(covered)) != crc || !tree) {
    return fail(Errc::corrupt, "the ledger's head is damaged");
  }
  out.tree = std::move(*tree);
  return out;
}

Result<bool> head_belongs_to(const ReadFile& entries, const LedgerHead& head) {
  std::array<std::byte, k_preamble_bytes> preamble{};
  TRY_ASSIGN(const auto n, entries.read_at(0, preamble));
  const auto id = decode_ledger_preamble(ByteView(preamble).first(n));
  TRY_ASSIGN(const auto size, entries.size());
  if (!id || *id != head.id || head.size == 0 || head.bytes > size ||
      head.last_offset >= head.bytes) {
    return false;
  }
  RecordScanner scanner(entries, head.id, head.last_offset);
  TRY_ASSIGN(const auto record, scanner.next());
  if (!record || record->skipped != 0 || record->end() != head.bytes ||
      record->frame.seq + 1ULL != head.size) {
    return false;
  }
  const auto decoded = decode_ledger_record(record->body);
  return decoded && decoded->next_key == head.next_key &&
         verify_signature(head.last_signer,
                          ledger_message(head.id, head.size, head.tree.root(), head.next_key),
                          decoded->signature);
}

}  // namespace sworn::format
