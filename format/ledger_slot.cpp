// SPDX-License-Identifier: Apache-2.0
#include "format/ledger_slot.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "base/scope_exit.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::string_view k_slot_magic{"SWLSLOT\0", 8};
constexpr std::size_t k_fixed_bytes = 8 + 16 + 8 + 32 + 4 + 4;
constexpr std::size_t k_max_slot_bytes = 96U << 10U;
// One block, so that the usual slot is overwritten in place and never grows.
constexpr std::size_t k_usual_bytes = 4096;

Result<std::optional<KeySlot>> parse(ByteView bytes) {
  ByteReader r(bytes);
  TRY_ASSIGN(const auto magic, r.take(k_slot_magic.size()));
  if (as_text(magic) != k_slot_magic) {
    return std::nullopt;
  }
  KeySlot slot;
  TRY_ASSIGN(const auto id, r.take(slot.ledger.size()));
  std::copy(id.begin(), id.end(), slot.ledger.begin());
  TRY_ASSIGN(slot.index, r.u64());
  TRY_ASSIGN(const auto seed, r.take(slot.seed.view().size()));
  slot.seed = Secret<32>::copy_of(seed);
  TRY_ASSIGN(const auto intent_bytes, r.u32());
  if (intent_bytes > k_max_entry_bytes) {
    return std::nullopt;
  }
  TRY_ASSIGN(const auto intent, r.take(intent_bytes));
  slot.intent.assign(intent.begin(), intent.end());
  const std::size_t covered = bytes.size() - r.left();
  TRY_ASSIGN(const auto crc, r.u32());
  if (crc32c(bytes.first(covered)) != crc) {
    return std::nullopt;
  }
  return slot;
}

}  // namespace

Result<std::optional<KeySlot>> read_slot(const LedgerFile& file) {
  TRY_ASSIGN(const auto size, file.size());
  Bytes bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, k_max_slot_bytes)));
  const ScopeExit cleanse([&bytes] { erase(bytes); });
  TRY_ASSIGN(const auto n, file.read_at(0, bytes));
  auto slot = parse(ByteView(bytes).first(n));
  if (!slot) {  // cut off: torn
    return std::nullopt;
  }
  return slot;
}

Result<void> write_slot(LedgerFile& file, const KeySlot& slot) {
  Bytes bytes;
  // The secret must not be left behind in memory that a growing vector gave up.
  bytes.reserve(std::max(k_usual_bytes, k_fixed_bytes + slot.intent.size()));
  const ScopeExit cleanse([&bytes] { erase(bytes); });
  ByteWriter(bytes)
      .bytes(as_bytes(k_slot_magic))
      .bytes(slot.ledger)
      .u64(slot.index)
      .bytes(slot.seed.view())
      .u32(static_cast<std::uint32_t>(slot.intent.size()))
      .bytes(slot.intent);
  ByteWriter(bytes).u32(crc32c(bytes));
  bytes.resize(std::max(bytes.size(), k_usual_bytes));
  TRY(file.write_at(0, bytes));
  return file.sync();
}

Result<void> erase_slot(LedgerFile& file) {
  TRY_ASSIGN(const auto size, file.size());
  const Bytes zeros(
      static_cast<std::size_t>(std::clamp<std::uint64_t>(size, k_usual_bytes, k_max_slot_bytes)));
  TRY(file.write_at(0, zeros));
  return file.sync();
}

}  // namespace sworn::format
