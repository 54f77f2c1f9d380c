// SPDX-License-Identifier: Apache-2.0
// Sessions whose recorders died: what the next start enters in the ledger, and that it does so
// once.
#include "format/ledger_disk.hpp"
#include "format/ledger_session.hpp"
#include "format/ledger_verify.hpp"
#include "format/open_sessions.hpp"
#include "format/store.hpp"
#include "tests/support/mem_file.hpp"
#include "tests/support/sample_ledger.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

using namespace sworn;
using namespace sworn::format;

namespace {

// A ledger and a recording on disk.
class Desk {
 public:
  Desk() {
    ledger = Ledger::open(PosixLedgerDisk::open(directory, true).value(), clock, entropy,
                          test::sample_ledger_options())
                 .value();
  }
  // Creates the recording and opens it in the ledger.
  void begin(const std::string& name) {
    path = dir / name;
    part = PartFile::create(path).value();
    SessionHeader header;
    header.started = clock.wall();
    header.ledger = encode(make_ledger_reference(*ledger));
    writer = SessionWriter::create(part->file(), clock, entropy, header).value();
    REQUIRE(writer->seal(SealReason::heartbeat));
    id = writer->header().file_id;
    note.emplace(OpenSessionNote::create(directory, id, ledger->head().bytes, path).value());
    const auto file = PosixReadFile::open(part->path()).value();
    const auto identity = read_session_identity(*file).value();
    REQUIRE(ledger->append(LedgerSessionOpen{identity.file_id, identity.first_key,
                                             identity.header_leaf, name, "alice", -1, -1}));
  }
  void finish() {
    REQUIRE(writer->finish({}));
    REQUIRE(part->publish());
  }
  // As the kernel does with a process that is killed.
  void die() {
    note.reset();
    writer.reset();
    part.reset();
  }
  SweepReport sweep() { return sweep_open_sessions(directory, *ledger, stop).value(); }
  LedgerReport report() {
    return verify_ledger(*PosixReadFile::open(ledger_entries_path(directory)).value()).value();
  }
  std::size_t notes() const {
    std::size_t n = 0;
    for ([[maybe_unused]] const auto& each :
         std::filesystem::directory_iterator(directory + "/open")) {
      ++n;
    }
    return n;
  }

  test::TempDir dir;
  std::string directory = dir / "ledger";
  test::FakeClock clock;
  test::FakeEntropy entropy{11};
  std::unique_ptr<Ledger> ledger;
  std::string path;
  std::unique_ptr<PartFile> part;
  std::unique_ptr<SessionWriter> writer;
  std::optional<OpenSessionNote> note;
  FileId id{};
  std::atomic<bool> stop{false};
};

}  // namespace

TEST_CASE("open sessions: one that lives is left alone, one that ended has no note") {
  Desk d;
  d.begin("a.sworn");
  CHECK(d.sweep().live == 1);
  CHECK_FALSE(d.report().session(d.id)->lost);
  d.note->remove();
  CHECK(d.notes() == 0);
  CHECK(d.sweep().live == 0);
}

TEST_CASE("open sessions: a recorder that died is entered once, with what it left") {
  Desk d;
  d.begin("a.sworn");
  d.die();
  const auto swept = d.sweep();
  CHECK(swept.lost == 1);
  CHECK(d.notes() == 0);
  const auto report = d.report();
  CHECK(report.state == LedgerState::intact);
  REQUIRE(report.session(d.id)->lost);
  REQUIRE(report.session(d.id)->recovery);
  const auto file = PosixReadFile::open(part_path(d.path)).value();
  CHECK(report.session(d.id)->recovery->file_digest == digest_of(*file).value().digest);
  const auto size = report.head.size;
  CHECK(d.sweep().lost == 0);
  CHECK(d.report().head.size == size);
}

TEST_CASE("open sessions: a finished file is closed late; a file that is gone or another is lost") {
  Desk d;
  d.begin("a.sworn");
  d.finish();
  d.die();
  CHECK(d.sweep().closed_late == 1);
  CHECK(d.report().session(d.id)->closed);
  d.begin("b.sworn");
  std::filesystem::remove(part_path(d.path));
  d.die();
  CHECK(d.sweep().lost == 1);
  CHECK(d.report().session(d.id)->lost);
  // The session a under the name of c.
  const auto a = d.dir / "a.sworn";
  d.begin("c.sworn");
  std::filesystem::copy_file(a, d.path);
  d.die();
  CHECK(d.sweep().lost == 1);
  CHECK_FALSE(d.report().session(d.id)->closed);
  CHECK(d.report().state == LedgerState::intact);
}

TEST_CASE("open sessions: a crash between the entry and the note's end enters nothing twice") {
  Desk d;
  d.begin("a.sworn");
  d.finish();
  const auto file = PosixReadFile::open(d.path).value();
  LedgerSessionClose close;
  const auto point = d.writer->last_seal().value();
  close.mark = {d.id, point.seal_no, point.tree_size, point.root};
  close.file_digest = digest_of(*file).value().digest;
  REQUIRE(d.ledger->append(close));
  d.die();  // before remove()
  CHECK(d.sweep().settled == 1);
  CHECK(d.report().state == LedgerState::intact);
  CHECK(d.notes() == 0);
  // Noted, but never entered: killed in between.
  test::FakeEntropy other{99};
  FileId id{};
  REQUIRE(other.fill(id));
  {
    const auto note =
        OpenSessionNote::create(d.directory, id, d.ledger->head().bytes, d.dir / "never.sworn");
    REQUIRE(note);
  }
  CHECK(d.sweep().settled == 1);
  CHECK(d.report().session(id) == nullptr);
}

TEST_CASE("open sessions: notes that say nothing are left alone") {
  Desk d;
  std::filesystem::create_directories(d.directory + "/open");
  for (const auto* text : {"", "sworn-open 1\n", "sworn-open 1\n12", "sworn-open 1\nx\n/a",
                           "sworn-open 1\n5\nrelative", "garbage"}) {
    std::ofstream(d.directory + "/open/" + std::string(32, 'a')) << text;
    CHECK(d.sweep().unreadable == 1);
  }
  std::ofstream(d.directory + "/open/short") << "sworn-open 1\n5\n/a";
  CHECK(d.sweep().unreadable == 2);
  d.stop = true;
  CHECK(d.sweep().unreadable == 0);
}
