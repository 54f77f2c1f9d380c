// SPDX-License-Identifier: Apache-2.0
// A recording and its ledger on a real disk: what is entered when, by which thread, and what a
// ledger that was put back under a session does.
#include "format/ledger_disk.hpp"
#include "format/ledger_verify.hpp"
#include "recorder/session_ledger.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

using namespace sworn;
using namespace sworn::recorder;

namespace {

class Desk {
 public:
  Desk() {
    Recording::Plan plan;
    plan.final_path = dir / "a.sworn";
    plan.header.host_id = "host";
    plan.header.boot_id = "boot";
    ledger = SessionLedger::open(directory, plan.header, clock, entropy).value();
    plan.header.ledger = ledger->reference();
    recording = Recording::create(std::move(plan), clock, entropy).value();
    REQUIRE(recording->put(format::EventKind::output, as_bytes("hello")));
    REQUIRE(recording->seal_now());
    format::SessionStart start;
    start.user = "alice";
    REQUIRE(ledger->enter(*recording, start));
    recording->on_heartbeat([this] { ledger->beat(); });
    REQUIRE(ledger->start(*recording, [this] { changed.set_value(); }));
    REQUIRE(recording->start_worker([] {}));
  }
  format::LedgerReport report() const {
    return format::verify_ledger(
               *PosixReadFile::open(format::ledger_entries_path(directory)).value())
        .value();
  }
  // What the other thread does takes as long as the disk takes.
  template <typename Condition>
  static bool soon(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < deadline) {
      if (condition()) {
        return true;
      }
      std::this_thread::yield();
    }
    return false;
  }

  test::TempDir dir;
  std::string directory = dir / "ledger";
  SystemClock clock;
  format::SystemEntropy entropy;
  std::promise<void> changed;
  std::unique_ptr<Recording> recording;
  std::unique_ptr<SessionLedger> ledger;
};

}  // namespace

TEST_CASE("session ledger: opened, seen with what is on the disk, closed") {
  Desk d;
  CHECK(d.report().sessions.size() == 1);
  CHECK(d.report().sessions.begin()->second.open.user == "alice");
  const auto size = d.report().head.size;
  d.recording->ask_seal(format::SealReason::heartbeat);
  REQUIRE(Desk::soon([&] { return d.report().head.size > size; }));
  auto report = d.report();
  const auto& facts = report.sessions.begin()->second;
  REQUIRE(facts.marks.size() == 1);
  CHECK(facts.marks.back().seal_no >= 1);
  CHECK_FALSE(d.ledger->take_failure());
  REQUIRE(d.recording->finish(0));
  REQUIRE(d.ledger->close(d.recording->last_seal().value(), d.recording->final_path(), "exited 0"));
  report = d.report();
  CHECK(report.state == format::LedgerState::intact);
  CHECK(report.sessions.begin()->second.closed);
  CHECK(std::filesystem::is_empty(d.directory + "/open"));
}

TEST_CASE("session ledger: a session that could not be closed is lost, with the reason") {
  Desk d;
  REQUIRE(d.ledger->lose("the disk died"));
  const auto report = d.report();
  REQUIRE(report.sessions.begin()->second.lost);
  CHECK(report.sessions.begin()->second.lost->reason == "the disk died");
  CHECK(std::filesystem::is_empty(d.directory + "/open"));
  d.recording->discard();
}

TEST_CASE("session ledger: one that was put back under a session fails for good") {
  Desk d;
  const std::string kept = d.dir / "kept";
  std::filesystem::copy(d.directory, kept, std::filesystem::copy_options::recursive);
  // Somebody else's session goes on in it, then the older copy comes back.
  {
    format::SystemEntropy entropy;
    auto disk = format::PosixLedgerDisk::open(d.directory, false).value();
    auto other = format::Ledger::open(std::move(disk), d.clock, entropy, {}).value();
    REQUIRE(other->append(format::LedgerView{{}, "bob", "play"}));
  }
  const auto changed = d.changed.get_future();
  for (const auto* name : {"entries", "key.0", "key.1", "head"}) {
    std::filesystem::remove(d.directory + "/" + name);
    std::filesystem::copy_file(kept + "/" + name, d.directory + "/" + name);
  }
  // The session itself has not seen the later entry: for its ledger nothing is wrong.
  d.ledger->beat();
  REQUIRE(Desk::soon([&] { return d.report().head.size > 3; }));
  CHECK_FALSE(d.ledger->take_failure());
  // Cut behind what it has seen itself.
  std::filesystem::resize_file(d.directory + "/entries", 200);
  d.ledger->beat();
  REQUIRE(changed.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
  const auto failure = d.ledger->take_failure();
  REQUIRE(failure);
  CHECK(failure->final);
  CHECK(failure->error.code == Errc::bad_seal);
  d.recording->discard();
}
