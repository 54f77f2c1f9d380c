// SPDX-License-Identifier: Apache-2.0
// A key slot of the ledger: one one-time key, and the entry that announces it. The entry is written
// down before it is signed, so that whoever finds the slot after a crash completes that entry and
// no other: a key never signs two messages. docs/ledger.md, "Key slots".
#pragma once

#include "format/ledger_disk.hpp"
#include "format/ledger_entry.hpp"
#include "format/secret.hpp"

#include <optional>

namespace sworn::format {

struct KeySlot {
  LedgerId ledger{};
  std::uint64_t index = 0;  // the entry that this key signs
  Secret<32> seed;
  Bytes intent;  // entry index - 1, signed by the key before; empty for the very first key
};

// nullopt where the slot is erased, torn or none of ours.
Result<std::optional<KeySlot>> read_slot(const LedgerFile& file);
// Writes and syncs.
Result<void> write_slot(LedgerFile& file, const KeySlot& slot);
// Overwrites the whole slot with zeros and syncs.
Result<void> erase_slot(LedgerFile& file);

}  // namespace sworn::format
