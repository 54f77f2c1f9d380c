// SPDX-License-Identifier: Apache-2.0
// A session held against its ledger: the rows of the threat table that a file alone cannot answer.
#include "format/redact.hpp"
#include "tests/support/ledgered_session.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::format;
using test::Host;
using test::MemFile;
using test::MemLedgerDisk;
using test::MemLedgerMedia;
using test::must;

namespace {

bool has(const LedgeredReport& report, std::string_view code) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [&](const Finding& f) { return f.code == code; });
}

}  // namespace

TEST_CASE("ledgered: a session that was opened and closed in its ledger") {
  Host h;
  Host::whole(h);
  const auto report = h.check();
  CHECK(report.verdict == LedgerVerdict::ledgered);
  CHECK(exit_status_of(report.verdict) == 0);
  CHECK(report.trust == LedgerTrust::none);
  CHECK(has(report, "ledger_not_pinned"));
  CHECK(report.marks == 3);
  CHECK(report.opened == 2U);
  CHECK(report.closed == 5U);
  LedgerPolicy policy;
  policy.require_pin = true;
  CHECK(h.check(nullptr, policy).verdict == LedgerVerdict::unpinned);
  CHECK(exit_status_of(LedgerVerdict::unpinned) == 4);
}

TEST_CASE("ledgered: threat 5: every cut behind the first heartbeat is TRUNCATED") {
  Host h;
  Host::whole(h);
  const Bytes whole = h.file.data();
  for (std::size_t i = 0; i < h.seal_ends.size(); ++i) {
    CAPTURE(i);
    h.file.data().assign(whole.begin(),
                         whole.begin() + static_cast<std::ptrdiff_t>(h.seal_ends[i]));
    CHECK(verify(h.file).value().verdict == Verdict::incomplete);  // the file alone cannot tell
    const auto report = h.check();
    CHECK(report.verdict == LedgerVerdict::truncated);
    CHECK(exit_status_of(report.verdict) == 3);
  }
}

TEST_CASE("ledgered: a live session is incomplete and consistent so far") {
  Host h;
  h.begin();
  h.heartbeat();
  h.output("two");
  const auto report = h.check();
  CHECK(report.verdict == LedgerVerdict::incomplete);
  CHECK(exit_status_of(report.verdict) == 2);
  CHECK(has(report, "not_closed_in_ledger"));
}

TEST_CASE("ledgered: a live session cut below its last heartbeat is TRUNCATED") {
  Host h;
  h.begin();
  h.output("two");
  h.heartbeat();
  h.file.data().resize(h.seal_ends[0]);
  CHECK(h.check().verdict == LedgerVerdict::truncated);
}

TEST_CASE("ledgered: threat 6: a deleted file is MISSING and one deleted by retention is not") {
  Host h;
  Host::whole(h);
  const FileId id = h.writer->header().file_id;
  auto report = h.ledger_report();
  CHECK(missing_sessions(report, {&id, 1}).empty());
  const auto missing = missing_sessions(report, {});
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].file_id == id);
  CHECK(missing[0].facts->open.name == "a.sworn");
  REQUIRE(h.kept->ledger().append(LedgerRetentionDelete{id, {}, "cron", "90 days"}));
  report = h.ledger_report();
  CHECK(missing_sessions(report, {}).empty());
  CHECK(has(h.check(), "deleted_by_retention"));
}

TEST_CASE("ledgered: another session under the same name is not in the ledger") {
  Host h;
  Host::whole(h);
  const Bytes ledger = h.media.files[0].seen;
  Host other;
  other.session_entropy = test::FakeEntropy(99);
  Host::whole(other);
  h.file.data() = other.file.data();
  // The other host's ledger has the same id here (same entropy): only the file id tells.
  const auto report = h.check();
  CHECK(report.verdict == LedgerVerdict::not_in_ledger);
  CHECK(exit_status_of(report.verdict) == 3);
}

TEST_CASE("ledgered: threat 17: a session of another ledger is named as such") {
  Host h;
  Host::whole(h);
  Host other;
  other.media = MemLedgerMedia();
  other.entropy = test::FakeEntropy(1234);
  other.ledger = other.open();
  other.session_entropy = test::FakeEntropy(99);
  Host::whole(other);
  h.file.data() = other.file.data();
  const auto report = h.check();
  CHECK(report.verdict == LedgerVerdict::not_in_ledger);
  CHECK(has(report, "another_ledger"));
}

TEST_CASE("ledgered: a session without a ledger is what it claims to be") {
  Host h;
  const auto plain = test::SampleSession::small();
  h.file.data() = plain->file.data();
  CHECK(h.check().verdict == LedgerVerdict::not_claimed);
}

TEST_CASE("ledgered: threat 18: a host that seals has no sessions without a ledger") {
  Host h;
  TrustStore trust;
  must(remember_ledger(trust, h.ledger_report(), "db-07", h.clock.wall()));
  auto entry = trust.ledgers()[0];
  entry.sealed_since = WallTime{h.clock.wall().us - 1};
  must(trust.put(entry));
  const auto plain = test::SampleSession::small();
  h.file.data() = plain->file.data();
  CHECK(h.check(&trust).verdict == LedgerVerdict::not_in_ledger);
  CHECK(missing_ledger_claim(verify(h.file).value(), trust).has_value());
  entry.sealed_since = WallTime{h.clock.wall().us + 1'000'000'000};
  must(trust.put(entry));
  CHECK(h.check(&trust).verdict == LedgerVerdict::not_claimed);
  CHECK_FALSE(missing_ledger_claim(verify(h.file).value(), trust).has_value());
}

TEST_CASE("ledgered: threats 7 and 9: a ledger that shrank or changed is a ROLLBACK") {
  Host h;
  h.begin();
  const Bytes early = h.media.files[0].seen;
  h.heartbeat();
  TrustStore trust;
  must(remember_ledger(trust, h.ledger_report(), "db-07", h.clock.wall()));
  CHECK(h.check(&trust).trust == LedgerTrust::first_use);
  CHECK(has(h.check(&trust), "ledger_first_use"));
  h.output("two");
  h.end();
  CHECK(h.check(&trust).verdict == LedgerVerdict::ledgered);
  const Bytes late = h.media.files[0].seen;
  h.media.files[0].seen = early;
  const auto report = h.check(&trust);
  CHECK(report.verdict == LedgerVerdict::rollback);
  CHECK(has(report, "ledger_rolled_back"));
  CHECK_FALSE(remember_ledger(trust, h.ledger_report({trust.ledgers()[0].seen->size}), "x", {}));
  // Grown again, with another history.
  auto forked = trust.ledgers()[0];
  forked.seen->root[3] ^= std::byte{1};
  must(trust.put(forked));
  h.media.files[0].seen = late;
  CHECK(h.check(&trust).verdict == LedgerVerdict::rollback);
  CHECK(has(h.check(&trust), "ledger_forked"));
}

TEST_CASE("ledgered: a ledger younger than the session is a ROLLBACK without any trust store") {
  Host h;
  REQUIRE(h.ledger->append(LedgerView{{}, "bob", "x"}));
  const Bytes before = h.media.files[0].seen;
  REQUIRE(h.ledger->append(LedgerView{{}, "bob", "y"}));
  Host::whole(h);
  h.media.files[0].seen = before;
  CHECK(h.check().verdict == LedgerVerdict::rollback);
}

TEST_CASE("ledgered: threat 8: a new ledger in the place of the pinned one") {
  Host h;
  Host::whole(h);
  TrustStore trust;
  must(remember_ledger(trust, h.ledger_report(), "db-07", h.clock.wall()));
  auto pinned = trust.ledgers()[0];
  pinned.pinned_by = PinnedBy::administrator;
  must(trust.put(pinned));
  CHECK(h.check(&trust).trust == LedgerTrust::pinned);
  Host other;
  other.media = MemLedgerMedia();
  other.entropy = test::FakeEntropy(1234);
  other.ledger = other.open();
  Host::whole(other);
  const auto report = other.check(&trust);
  CHECK(report.verdict == LedgerVerdict::rollback);
  CHECK(has(report, "ledger_replaced"));
  pinned.genesis[0] ^= std::byte{1};
  must(trust.put(pinned));
  CHECK(h.check(&trust).verdict == LedgerVerdict::broken);
}

TEST_CASE("ledgered: every flipped byte of the ledger is found") {
  Host h;
  Host::whole(h);
  const Bytes whole = h.media.files[0].seen;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    h.media.files[0].seen = whole;
    h.media.files[0].seen[i] ^= std::byte{0x04};
    MemFile entries;
    entries.data() = h.media.files[0].seen;
    const auto ledger = verify_ledger(entries);
    // The reserved bytes of the preamble that its crc covers, the magic, or an entry.
    CHECK((!ledger || ledger->state != LedgerState::intact));
  }
}

TEST_CASE("ledgered: every cut of the ledger is torn or shorter and never a success") {
  Host h;
  Host::whole(h);
  const Bytes whole = h.media.files[0].seen;
  for (std::size_t cut = 40; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    h.media.files[0].seen.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    CHECK(h.check().verdict != LedgerVerdict::ledgered);
  }
}

TEST_CASE("ledgered: a redacted copy is held against the original's marks and known or not") {
  Host h;
  Host::whole(h);
  std::array<std::byte, 32> seed{};
  seed.fill(std::byte{3});
  const auto key = SigningKey::from_seed(seed).value();
  MemFile copy;
  REQUIRE(redact(h.file, {{1, to_bytes("gone")}}, key, "privacy", "token", h.clock, copy));
  h.file.data() = copy.data();
  CHECK(h.check().verdict == LedgerVerdict::ledgered);
  CHECK(has(h.check(), "redaction_not_in_ledger"));
  CHECK_FALSE(has(h.check(), "redacted_from_another_file"));
  REQUIRE(h.kept->ledger().append(
      LedgerRedaction{h.writer->header().file_id, digest_of(copy)->digest, "privacy", "token"}));
  CHECK_FALSE(has(h.check(), "redaction_not_in_ledger"));
  CHECK(has(h.check(), "redacted_copy_exists"));
}

TEST_CASE("ledgered: a recovered file that was changed afterwards") {
  Host h;
  h.begin();
  h.output("two");
  const auto digest = digest_of(h.file).value();
  LedgerRecovery recovery;
  const auto point = h.writer->last_seal().value();
  recovery.mark = {h.writer->header().file_id, point.seal_no, point.tree_size, point.root};
  recovery.file_digest = digest.digest;
  recovery.reason = "power";
  REQUIRE(h.kept->ledger().append(recovery));
  CHECK(h.check().verdict == LedgerVerdict::incomplete);
  h.file.data().push_back(std::byte{1});
  CHECK(h.check().verdict == LedgerVerdict::tampered);
}

TEST_CASE("ledgered: another history under the ledger's seal numbers is TAMPERED") {
  Host h;
  h.begin();
  h.heartbeat();
  auto point = h.writer->last_seal().value();
  h.output("two");
  // What a ledger would hold had the file been forged behind seal 1 with a stolen key.
  point.seal_no = 1;
  point.tree_size = h.writer->last_seal()->tree_size;
  point.root[0] ^= std::byte{1};
  REQUIRE(h.kept->heartbeat(point));
  const auto report = h.check();
  CHECK(report.verdict == LedgerVerdict::tampered);
  CHECK(has(report, "history_differs"));
}
