// SPDX-License-Identifier: Apache-2.0
// The ledger file and its chain, without any I/O of its own: preamble, entry records, and the head
// that tells what the next entry must look like. Writer, reader and verifier all go through
// LedgerHead::advance(), so there is one rule. docs/ledger.md, "File".
#pragma once

#include "base/file.hpp"
#include "format/ledger_entry.hpp"
#include "format/merkle.hpp"
#include "format/record.hpp"
#include "format/sign.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sworn::format {

inline constexpr std::array<std::uint8_t, 8> k_ledger_magic{0x89, 'S',  'W',  'L',
                                                            0x0D, 0x0A, 0x1A, 0x0A};
inline constexpr std::uint8_t k_ledger_major = 0;  // draft
inline constexpr RecordType k_ledger_entry_record = static_cast<RecordType>(0x20);
// Bytes of an entry record's body beside the entry: its length, the next key, the signature.
inline constexpr std::size_t k_ledger_body_fixed_bytes = 2 + 32 + 64;
inline constexpr std::string_view k_domain_ledger{"sworn/v0/ledger\0", 16};

Bytes encode_ledger_preamble(const LedgerId& id);
// As decode_preamble().
Result<LedgerId> decode_ledger_preamble(ByteView bytes);

struct LedgerRecord {
  Bytes entry;           // as stored
  PublicKey next_key{};  // signs the next one
  Signature signature{};
};
Bytes encode(const LedgerRecord& record);  // the body
Result<LedgerRecord> decode_ledger_record(ByteView body);

// The leaf of an entry, as public tools compute it: SHA-256(0x00, entry).
Digest ledger_leaf(ByteView entry);

// What the signature covers: domain, ledger, tree size with this entry, root, next key.
Bytes ledger_message(const LedgerId& id, std::uint64_t tree_size, const Digest& root,
                     const PublicKey& next_key);

// Everything that is known after a number of entries.
struct LedgerHead {
  LedgerId id{};
  std::uint64_t size = 0;   // entries
  std::uint64_t bytes = 0;  // where the next record begins
  MerkleTree tree;
  PublicKey next_key{};  // announced by the last entry
  Digest genesis{};      // leaf of entry 0: what is pinned
  std::string checkpoint_key;
  std::string origin;
  std::string boot_id;
  MonoTime last_mono;  // within that boot
  WallTime last_wall;
  std::uint64_t last_offset = 0;  // of the last record
  PublicKey last_signer{};        // its key

  // Checks the record at `offset` as the next one and moves on. Errc::bad_seal: signature or key;
  // corrupt: out of order or malformed. Unchanged after an error.
  Result<LedgerEntry> advance(std::uint64_t offset, std::uint32_t seq, ByteView body);
};

// The head as a hint beside the file, so that opening a long ledger needs no rescan. Not evidence:
// whoever loads one checks the last record against it.
Bytes encode(const LedgerHead& head);
Result<LedgerHead> decode_ledger_head(ByteView bytes);

// True where the last record of the file is the one that this head ends in.
Result<bool> head_belongs_to(const ReadFile& entries, const LedgerHead& head);

}  // namespace sworn::format
