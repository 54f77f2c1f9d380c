// SPDX-License-Identifier: Apache-2.0
// A small ledger in memory, the same bytes every time.
#pragma once

#include "format/ledger.hpp"
#include "format/ledger_verify.hpp"
#include "tests/support/mem_file.hpp"
#include "tests/support/mem_ledger_disk.hpp"

#include <memory>
#include <stdexcept>

namespace sworn::test {

inline format::LedgerOptions sample_ledger_options() {
  format::LedgerOptions options;
  options.create = true;
  options.identity = {"host", "00112233445566778899aabbccddeeff", 0, "db-07.example/sworn"};
  options.boot_id = "6f1c2f0e-0000-4000-8000-000000000001";
  return options;
}

inline format::FileId sample_file_id(std::uint8_t n) {
  format::FileId id{};
  id.fill(static_cast<std::byte>(n));
  return id;
}
inline format::LedgerSessionOpen sample_open(std::uint8_t n) {
  format::LedgerSessionOpen open;
  open.file_id = sample_file_id(n);
  open.name = "db-07-" + std::to_string(n) + ".sworn";
  open.user = "alice";
  open.loginuid = 1001;
  open.audit_session = n;
  return open;
}
inline format::SessionMark sample_mark(std::uint8_t n, std::uint32_t seal) {
  format::Digest root{};
  root.fill(static_cast<std::byte>(seal));
  return {sample_file_id(n), seal, 2ULL * seal + 2, root};
}

// Two sessions, one closed; genesis and boot before them: seven entries.
class SampleLedger {
 public:
  SampleLedger() {
    ledger = open();
    add(sample_open(1));
    add(sample_open(2));
    add(format::LedgerHeartbeat{{sample_mark(1, 3), sample_mark(2, 1)}});
    format::LedgerSessionClose close;
    close.mark = sample_mark(1, 9);
    close.exit = "exited 0";
    add(close);
    add(format::LedgerView{sample_file_id(1), "bob", "play"});
  }
  SampleLedger(const SampleLedger&) = delete;
  SampleLedger& operator=(const SampleLedger&) = delete;

  std::unique_ptr<format::Ledger> open() {
    auto opened = try_open();
    if (!opened) {
      throw std::runtime_error(describe(opened.error()));
    }
    return std::move(*opened);
  }
  Result<std::unique_ptr<format::Ledger>> try_open() {
    return format::Ledger::open(std::make_unique<MemLedgerDisk>(media), clock, entropy,
                                sample_ledger_options());
  }
  format::LedgerReceipt add(format::LedgerFact fact) {
    clock.advance(1'000'000);
    auto receipt = ledger->append(std::move(fact));
    if (!receipt) {
      throw std::runtime_error(describe(receipt.error()));
    }
    receipts.push_back(*receipt);
    return *receipt;
  }
  Bytes& entries() { return media.files[0].seen; }

  MemLedgerMedia media;
  FakeClock clock;
  FakeEntropy entropy;
  std::unique_ptr<format::Ledger> ledger;
  std::vector<format::LedgerReceipt> receipts;
};

}  // namespace sworn::test
