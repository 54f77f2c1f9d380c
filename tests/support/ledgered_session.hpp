// SPDX-License-Identifier: Apache-2.0
// A session in memory that is kept in a ledger in memory, step by step.
#pragma once

#include "format/ledger_session.hpp"
#include "format/verify_with_ledger.hpp"
#include "tests/support/sample_ledger.hpp"
#include "tests/support/sample_session.hpp"

#include <optional>
#include <string_view>
#include <vector>

namespace sworn::test {

using namespace format;

template <typename T>
void must_do(const Result<T>& result) {
  if (!result) {
    throw std::runtime_error(describe(result.error()));
  }
}

// A host with a ledger, and a session that is kept in it.
class Host {
 public:
  Host() { ledger = open(); }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  std::unique_ptr<Ledger> open() {
    return std::move(*Ledger::open(std::make_unique<MemLedgerDisk>(media), clock, entropy,
                                   sample_ledger_options()));
  }

  // Header and first seal are written; the ledger knows the session.
  void begin() {
    SessionHeader header;
    header.host_id = sample_ledger_options().identity.host_id;
    header.started = clock.wall();
    header.mode = "standalone";
    header.ledger = encode(make_ledger_reference(*ledger));
    writer = SessionWriter::create(file, clock, session_entropy, header).value();
    kept.emplace(std::move(*LedgerSession::open(open(), file, {"a.sworn", "alice", 1001, 7})));
    output("one");
  }
  void output(std::string_view text) {
    clock.advance(1000);
    const EventView event{number++,     EventKind::output, clock.mono(),
                          clock.mono(), as_bytes(text),    false};
    must(writer->append({&event, 1}));
    must(writer->seal(SealReason::interval));
    seal_ends.push_back(file.data().size());
  }
  void heartbeat() { must_do(kept->heartbeat(writer->last_seal().value())); }
  void end() {
    must(writer->finish({}));
    must_do(kept->close(writer->last_seal().value(), file, "exited 0"));
  }
  static void whole(Host& h) {
    h.begin();
    h.heartbeat();
    h.output("two");
    h.heartbeat();
    h.output("three");
    h.end();
  }

  LedgeredReport check(const TrustStore* trust = nullptr, const LedgerPolicy& policy = {}) {
    MemFile entries;
    entries.data() = media.files[0].seen;
    const auto report = verify(file).value();
    return verify_with_ledger(file, report, entries, trust, policy).value();
  }
  LedgerReport ledger_report(std::vector<std::uint64_t> sizes = {}) {
    MemFile entries;
    entries.data() = media.files[0].seen;
    LedgerVerifyOptions options;
    options.sizes = std::move(sizes);
    return verify_ledger(entries, options).value();
  }

  MemLedgerMedia media;
  FakeClock clock;
  FakeEntropy entropy{5};
  FakeEntropy session_entropy{6};
  std::unique_ptr<Ledger> ledger;
  MemFile file;
  std::unique_ptr<SessionWriter> writer;
  std::optional<LedgerSession> kept;
  std::vector<std::size_t> seal_ends;
  std::uint64_t number = 0;
};

}  // namespace sworn::test
