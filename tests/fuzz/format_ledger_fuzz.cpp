// SPDX-License-Identifier: Apache-2.0
// Hostile ledgers: the whole file, its entries, its hint and its references.
#include "format/ledger_session.hpp"
#include "format/ledger_verify.hpp"

#include <cstdlib>
#include <cstring>

using namespace sworn;
using namespace sworn::format;

namespace {

class ViewFile final : public ReadFile {
 public:
  explicit ViewFile(ByteView data) : data_(data) {}
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset,
                                            std::span<std::byte> out) const override {
    if (offset >= data_.size()) {
      return 0;
    }
    const auto n = std::min<std::size_t>(out.size(), data_.size() - offset);
    if (n != 0) {
      std::memcpy(out.data(), data_.data() + offset, n);
    }
    return n;
  }
  [[nodiscard]] Result<std::uint64_t> size() const override { return data_.size(); }

 private:
  ByteView data_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(reinterpret_cast<const std::byte*>(data), size);
  const ViewFile file(input);
  std::uint64_t entries = 0;
  LedgerVerifyOptions options;
  options.sizes = {1, 3};
  options.on_entry = [&entries](std::uint64_t index, ByteView stored, const LedgerEntry&) {
    if (index != entries++ || !ledger_entry_json(stored)) {
      std::abort();
    }
  };
  if (const auto report = verify_ledger(file, options); report && report->head.size != entries) {
    std::abort();
  }
  if (const auto head = decode_ledger_head(input); head) {
    static_cast<void>(head_belongs_to(file, *head).has_value());
  }
  static_cast<void>(decode_ledger_record(input).has_value());
  if (const auto entry = decode_ledger_entry(input);
      entry && !std::holds_alternative<LedgerUnknown>(entry->fact)) {
    // What we write of it reads back the same.
    const auto again = encode(*entry);
    if (again && encode(decode_ledger_entry(*again).value()).value() != *again) {
      std::abort();
    }
  }
  static_cast<void>(decode_ledger_reference(input).has_value());
  static_cast<void>(read_session_identity(file).has_value());
  return 0;
}
