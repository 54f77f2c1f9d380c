// SPDX-License-Identifier: Apache-2.0
// The ledger's writer: what it writes, what it refuses, and many processes at once.
#include "format/checkpoint.hpp"
#include "format/digest.hpp"
#include "format/merkle_proof.hpp"
#include "tests/support/sample_ledger.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <set>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::MemLedgerDisk;
using test::MemLedgerMedia;
using test::SampleLedger;

namespace {

LedgerReport verified(const Bytes& entries, const LedgerVerifyOptions& options = {}) {
  MemFile file;
  file.data() = entries;
  return verify_ledger(file, options).value();
}

bool is_zero(const Bytes& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

TEST_CASE("ledger: what is appended is found and proven") {
  SampleLedger s;
  const auto report = verified(s.entries());
  CHECK(report.state == LedgerState::intact);
  CHECK(report.findings.empty());
  CHECK(report.head.size == 7);
  CHECK(report.boots == 1);
  CHECK(report.head.tree.root() == s.receipts.back().root);
  CHECK(report.genesis.value().origin == "db-07.example/sworn");
  REQUIRE(report.sessions.size() == 2);
  const auto* first = report.session(test::sample_file_id(1));
  REQUIRE(first != nullptr);
  CHECK(first->opened == 2U);
  CHECK(first->open.user == "alice");
  CHECK(first->closed == 5U);
  CHECK(first->marks.size() == 1);
  CHECK(first->marks.back() == test::sample_mark(1, 9));
  CHECK_FALSE(report.session(test::sample_file_id(2))->closed);
  // All heartbeats of the session that is asked for.
  LedgerVerifyOptions options;
  options.session = test::sample_file_id(1);
  CHECK(verified(s.entries(), options).session(test::sample_file_id(1))->marks.size() == 2);
}

TEST_CASE("ledger: every kind of entry reads back as it was written") {
  SampleLedger s;
  const std::vector<LedgerFact> facts{
      LedgerSessionLost{test::sample_file_id(2), "killed"},
      LedgerRecovery{test::sample_mark(2, 4), sha256({}), "boot"},
      LedgerRedaction{test::sample_file_id(1), sha256({}), "privacy", "token"},
      LedgerRetentionDelete{test::sample_file_id(1), sha256({}), "cron", "90 days"},
      LedgerAnchor{"rfc3161", 5, sha256({}), to_bytes("token")},
      LedgerReview{test::sample_file_id(1), "carol", "ok", "nothing"}};
  for (const auto& fact : facts) {
    const auto receipt = s.add(fact);
    const auto bytes = encode(LedgerEntry{s.clock.wall(), s.clock.mono(), fact}).value();
    CHECK(receipt.leaf == ledger_leaf(bytes));
    CHECK(encode(decode_ledger_entry(bytes).value()).value() == bytes);
    CHECK(ledger_entry_json(bytes).value().find(std::string(kind_of(fact))) != std::string::npos);
  }
  const auto report = verified(s.entries());
  CHECK(report.state == LedgerState::intact);
  CHECK(report.anchors == 1);
  CHECK(report.session(test::sample_file_id(2))->recovery->reason == "boot");
  CHECK(report.session(test::sample_file_id(1))->deletion->actor == "cron");
  CHECK_FALSE(encode(LedgerEntry{{}, {}, LedgerUnknown{"x"}}));
  CHECK_FALSE(encode(LedgerEntry{{}, {}, LedgerAnchor{"x", 1, {}, Bytes(70'000)}}));
  CHECK_FALSE(encode(LedgerEntry{{}, {}, LedgerHeartbeat{std::vector<SessionMark>(1001)}}));
  CHECK_FALSE(s.ledger->append(LedgerBoot{"x"}));
  CHECK_FALSE(s.ledger->append(LedgerGenesis{}));
}

TEST_CASE("ledger: after each append only the live key is on disk") {
  SampleLedger s;
  for (int i = 0; i < 3; ++i) {
    s.add(test::sample_open(static_cast<std::uint8_t>(10 + i)));
    const bool first_erased = is_zero(s.media.files[1].durable);
    const bool second_erased = is_zero(s.media.files[2].durable);
    CHECK(first_erased != second_erased);
  }
}

TEST_CASE("ledger: a new boot is on record and its clock may start again") {
  SampleLedger s;
  s.clock.mono_.us = 5;
  auto options = test::sample_ledger_options();
  options.boot_id = "6f1c2f0e-0000-4000-8000-000000000002";
  auto again = Ledger::open(std::make_unique<MemLedgerDisk>(s.media), s.clock, s.entropy, options);
  REQUIRE(again);
  CHECK((*again)->append(test::sample_open(9)).value().index == 8);
  const auto report = verified(s.entries());
  CHECK(report.state == LedgerState::intact);
  CHECK(report.boots == 2);
}

TEST_CASE("ledger: two writers see each other's entries") {
  SampleLedger s;
  const auto other = s.open();
  CHECK(other->append(test::sample_open(7)).value().index == 7);
  CHECK(s.ledger->append(test::sample_open(8)).value().index == 8);
  CHECK(other->append(test::sample_open(9)).value().index == 9);
  CHECK(verified(s.entries()).state == LedgerState::intact);
}

TEST_CASE("ledger: the hint of its head saves the scan and is never believed blindly") {
  SampleLedger s;
  const auto head = decode_ledger_head(s.media.files[4].seen).value();
  CHECK(head.size == 7);
  CHECK(head_belongs_to(MemLedgerDisk(s.media).file(LedgerPart::entries), head).value());
  CHECK(encode(head) == s.media.files[4].seen);
  // Lost, torn, or of an earlier moment: the entries decide.
  const Bytes good = s.media.files[4].seen;
  for (std::size_t cut = 0; cut < good.size(); cut += 13) {
    s.media.files[4].seen.assign(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut));
    CHECK(s.open()->head().size == 7);
  }
  for (std::size_t i = 0; i < good.size(); i += 7) {
    s.media.files[4].seen = good;
    s.media.files[4].seen[i] ^= std::byte{0x10};
    CHECK(s.open()->head().size == 7);
  }
}

TEST_CASE("ledger: its checkpoint is signed by the key that its genesis names") {
  SampleLedger s;
  const std::string note = s.ledger->checkpoint().value();
  const auto report = verified(s.entries());
  const auto key = NoteKey::parse(report.head.checkpoint_key).value();
  const auto opened = open_checkpoint(note, key, report.genesis->origin).value();
  CHECK(opened.checkpoint.size == 7);
  CHECK(opened.checkpoint.root == report.head.tree.root());
  s.media.files[3].seen[4] ^= std::byte{1};
  CHECK(s.ledger->checkpoint().error().code == Errc::bad_seal);
}

TEST_CASE("ledger: removed or restored entries stop it") {
  SampleLedger s;
  const Bytes before = s.entries();
  s.add(test::sample_open(3));
  const Bytes after = s.entries();
  // An older copy of the entries, of the open writer and of a new one.
  s.entries() = before;
  CHECK(s.ledger->append(test::sample_open(4)).error().code == Errc::bad_seal);
  CHECK(s.try_open().error().code == Errc::bad_seal);
  // The whole file gone.
  s.entries().clear();
  CHECK(s.try_open().error().code == Errc::bad_seal);
  // Bytes behind its end.
  s.entries() = after;
  s.entries().push_back(std::byte{1});
  CHECK(s.try_open().error().code == Errc::bad_seal);
  // Keys gone.
  s.entries() = after;
  const auto slot = s.media.files[1].seen;
  const auto other = s.media.files[2].seen;
  s.media.files[1].seen.clear();
  s.media.files[2].seen.clear();
  CHECK(s.try_open().error().code == Errc::bad_seal);
  s.media.files[1].seen = slot;
  s.media.files[2].seen = other;
  CHECK(s.try_open());
  // Somebody else's ledger in the place of this one.
  MemLedgerMedia media;
  test::FakeEntropy other_entropy(77);
  auto made = Ledger::open(std::make_unique<MemLedgerDisk>(media), s.clock, other_entropy,
                           test::sample_ledger_options());
  REQUIRE(made);
  s.entries() = media.files[0].seen;
  CHECK(s.try_open().error().code == Errc::bad_seal);
}

TEST_CASE("ledger: nothing is made where nothing was asked for") {
  MemLedgerMedia media;
  test::FakeClock clock;
  test::FakeEntropy entropy;
  auto options = test::sample_ledger_options();
  options.create = false;
  const auto open = [&] {
    return Ledger::open(std::make_unique<MemLedgerDisk>(media), clock, entropy, options);
  };
  CHECK(open().error().code == Errc::not_found);
  options.create = true;
  options.identity.origin = "with space";
  CHECK(open().error().code == Errc::bad_usage);
  options.identity.origin = "fine";
  options.identity.scope = "planet";
  CHECK(open().error().code == Errc::bad_usage);
  CHECK(media.files[0].seen.empty());
}

TEST_CASE("ledger: on disk with the modes and the refusals it promises") {
  const test::TempDir dir;
  test::FakeClock clock;
  SystemEntropy entropy;
  const auto open = [&](const std::string& path) -> Result<std::unique_ptr<Ledger>> {
    TRY_ASSIGN(auto disk, PosixLedgerDisk::open(path, true));
    return Ledger::open(std::move(disk), clock, entropy, test::sample_ledger_options());
  };
  {
    const auto ledger = open(dir / "ledger");
    REQUIRE(ledger);
    CHECK((*ledger)->created());
    CHECK((*ledger)->append(test::sample_open(1)).value().index == 2);
  }
  for (const auto* name : {"key.0", "key.1", "checkpoint.key", "head"}) {
    struct stat st {};
    REQUIRE(::stat((dir / "ledger/" + name).c_str(), &st) == 0);
    CHECK((st.st_mode & 0777U) == 0600);
  }
  const auto again = open(dir / "ledger");
  REQUIRE(again);
  CHECK_FALSE((*again)->created());
  CHECK((*again)->head().size == 3);
  // Taken away under an open ledger: noticed, not written to where nobody finds it.
  REQUIRE(std::rename((dir / "ledger/entries").c_str(), (dir / "away").c_str()) == 0);
  CHECK((*again)->append(test::sample_open(2)).error().code == Errc::bad_seal);
  REQUIRE(std::rename((dir / "away").c_str(), (dir / "ledger/entries").c_str()) == 0);
  CHECK((*again)->append(test::sample_open(2)).value().index == 3);
  REQUIRE(::chmod((dir / "ledger").c_str(), 0777) == 0);
  CHECK(open(dir / "ledger").error().code == Errc::bad_usage);
}

TEST_CASE("ledger: a hundred processes at once never fork it") {
  const test::TempDir dir;
  const std::string path = dir / "ledger";
  constexpr int k_processes = 100;
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  std::vector<pid_t> children;
  for (int i = 0; i < k_processes; ++i) {
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      ::close(gate[1]);
      char nothing = 0;
      if (::read(gate[0], &nothing, 1) != 0) {  // all start when the parent closes its end
        ::_exit(2);
      }
      test::FakeClock clock;
      SystemEntropy entropy;
      auto options = test::sample_ledger_options();
      options.lock_timeout_ms = 120'000;
      auto disk = PosixLedgerDisk::open(path, true);
      auto ledger = disk ? Ledger::open(std::move(*disk), clock, entropy, options)
                         : Result<std::unique_ptr<Ledger>>(tl::make_unexpected(disk.error()));
      const bool written =
          ledger && (*ledger)->append(test::sample_open(static_cast<std::uint8_t>(i))) &&
          (*ledger)->append(LedgerHeartbeat{{test::sample_mark(static_cast<std::uint8_t>(i), 1)}});
      ::_exit(written ? 0 : 1);
    }
    children.push_back(pid);
  }
  ::close(gate[0]);
  ::close(gate[1]);
  int failed = 0;
  for (const pid_t pid : children) {
    int status = 0;
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    failed += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
  }
  CHECK(failed == 0);
  const auto file = PosixReadFile::open(ledger_entries_path(path)).value();
  const auto report = verify_ledger(*file).value();
  CHECK(report.state == LedgerState::intact);
  CHECK(report.findings.empty());
  CHECK(report.head.size == 2 + 2 * k_processes);
  CHECK(report.sessions.size() == k_processes);
}
