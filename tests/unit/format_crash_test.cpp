// SPDX-License-Identifier: Apache-2.0
// Power cuts and kills at random moments of writing a session and its ledger: the verdict is never
// better than the truth, nothing that was synced is lost, everything that is left can be read.
// SWORN_CRASHES sets how many of each (bench/long: 10,000).
#include "base/clock.hpp"
#include "format/ledger_session.hpp"
#include "format/salvage.hpp"
#include "format/session_reader.hpp"
#include "format/store.hpp"
#include "format/verify_with_ledger.hpp"
#include "tests/support/sample_ledger.hpp"
#include "tests/support/sample_session.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <map>
#include <random>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;

namespace {

int crashes(int otherwise) {
  const char* wanted = std::getenv("SWORN_CRASHES");
  return wanted == nullptr ? otherwise : std::atoi(wanted);
}

enum class Cut : std::uint8_t {
  prefix,   // what was not synced is there up to some byte: a file system that writes in order
  sectors,  // any of its sectors is there, the others are zeros
};

// One session on a host with a ledger, up to a chosen step.
class Host {
 public:
  Host(std::uint32_t seed, std::size_t steps, std::size_t ledger_operations) : random(seed) {
    media.die_at = ledger_operations;
    auto ledger = open_ledger();
    if (!ledger) {
      return;
    }
    SessionHeader header = test::sample_header(clock);
    header.ledger = encode(make_ledger_reference(**ledger));
    writer =
        SessionWriter::create(file, clock, entropy, header, {.zstd_level = 1, .chunk_bytes = 1024})
            .value();
    kept = LedgerSession::open(std::move(*ledger), file, {"a", "alice", 1, 1});
    if (!kept) {
      return;  // without its entry no session begins
    }
    for (std::size_t step = 0; step < steps && step_once(); ++step) {
    }
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  Result<std::unique_ptr<Ledger>> open_ledger() {
    return Ledger::open(std::make_unique<test::MemLedgerDisk>(media), clock, entropy,
                        test::sample_ledger_options());
  }

  void power_cut(Cut cut) {
    Bytes left = file.data();
    const std::size_t synced = file.synced();
    if (cut == Cut::prefix) {
      left.resize(synced + random() % (left.size() - synced + 1));
    } else {
      for (std::size_t at = synced; at < left.size();) {
        const std::size_t end = std::min(left.size(), (at / 512 + 1) * 512);
        if (random() % 2 == 0) {
          std::fill(left.begin() + static_cast<std::ptrdiff_t>(at),
                    left.begin() + static_cast<std::ptrdiff_t>(end), std::byte{0});
        }
        at = end;
      }
    }
    file.data() = std::move(left);
    media.power_cut([this] { return random() % 2 == 0; });
  }

  MemFile file;
  test::MemLedgerMedia media;
  test::FakeClock clock;
  test::FakeEntropy entropy{21};
  std::mt19937 random;
  std::unique_ptr<SessionWriter> writer;
  Result<LedgerSession> kept = fail(Errc::not_found, "not opened");
  std::map<std::uint64_t, Bytes> events;
  std::uint64_t synced_seals = 0;
  std::uint64_t synced_events = 0;
  bool finished = false;  // END, final seal, hints and sync
  bool closed = false;    // and in the ledger

 private:
  // False: the session is over, or the ledger died.
  bool step_once() {
    clock.advance(10'000);
    const auto what = random() % 20;
    if (what == 0 && writer->totals().seals > 2) {
      test::must(writer->finish({}));
      sync();
      finished = true;
      closed = kept->close(writer->last_seal().value(), file, "exited 0").has_value();
      return false;
    }
    if (what < 12) {
      const auto number = writer->next_event_number();
      Bytes data(random() % 300);
      test::must(entropy.fill(data));
      const EventView event{number, EventKind::output, clock.mono(), clock.mono(), data, false};
      test::must(writer->append({&event, 1}));
      events[number] = data;
    } else if (what < 16) {
      test::must(writer->seal(SealReason::interval));
    } else if (what < 18 || !synced_point) {
      sync();
    } else {
      // Only what is synced is marked: the rule that this test is about.
      return kept->heartbeat(*synced_point).has_value();
    }
    return true;
  }
  void sync() {
    test::must(file.sync());
    synced_seals = writer->totals().seals;
    synced_events = writer->sealed_events();
    synced_point = writer->last_seal();
  }
  std::optional<SealPoint> synced_point;
};

// What holds after each kind of crash.
void check_left(const ReadFile& file, const std::map<std::uint64_t, Bytes>& events,
                const VerifyReport& report, std::uint64_t synced_seals,
                std::uint64_t synced_events) {
  CHECK(report.seals >= synced_seals);
  CHECK(report.events >= synced_events);
  CHECK(report.events <= events.size());
  if (report.seals == 0) {
    return;
  }
  const auto reader = SessionReader::open(file);
  REQUIRE(reader);
  while (const auto view = (*reader)->next().value()) {
    const auto written = events.find(view->number);
    REQUIRE(written != events.end());
    REQUIRE(written->second == Bytes(view->data.begin(), view->data.end()));
  }
}

void check_salvage(const ReadFile& file, const VerifyReport& report, Clock& clock,
                   Entropy& entropy) {
  if (report.verdict == Verdict::self_consistent || !report.header) {
    return;
  }
  MemFile copy;
  const auto done = salvage(file, "", copy, clock, entropy, "power cut");
  REQUIRE(done);
  const auto salvaged = verify(copy).value();
  CHECK(salvaged.seals == report.seals);
  CHECK(salvaged.events == report.events);
  CHECK(salvaged.verdict != Verdict::self_consistent);
  CHECK(exit_status_of(salvaged.verdict) <= std::max(exit_status_of(report.verdict), 4));
}

void run_power_cuts(Cut cut, int count) {
  std::map<std::string_view, int> verdicts;
  std::mt19937 random(cut == Cut::prefix ? 11 : 12);
  for (int i = 0; i < count; ++i) {
    const auto seed = random();
    const auto steps = random() % 80;
    const auto operations = 20 + random() % 120;
    CAPTURE(seed);
    CAPTURE(steps);
    CAPTURE(operations);
    Host host(static_cast<std::uint32_t>(seed), steps, operations);
    const auto seals = host.writer ? host.writer->totals().seals : 0;
    host.power_cut(cut);
    if (!host.writer || host.file.data().size() < k_preamble_bytes) {
      continue;
    }
    const auto checked = verify(host.file);
    if (!checked) {  // not even the magic was kept
      CHECK(host.synced_seals == 0);
      continue;
    }
    const auto& report = *checked;
    ++verdicts[name_of(report.verdict)];
    check_left(host.file, host.events, report, host.synced_seals, host.synced_events);
    if (report.verdict == Verdict::self_consistent) {
      CHECK(host.finished);
      CHECK(report.seals == seals);
    }
    if (host.finished) {
      CHECK(report.verdict == Verdict::self_consistent);
    }
    check_salvage(host.file, report, host.clock, host.entropy);
    // The ledger goes on, and knows nothing that the disk does not.
    MemFile entries;
    entries.data() = host.media.files[0].seen;
    const auto held = verify_with_ledger(host.file, report, entries, nullptr);
    if (cut == Cut::prefix) {
      CHECK(report.verdict != Verdict::tampered);
      if (held && report.seals > 0) {
        CHECK_MESSAGE(exit_status_of(held->verdict) != 3, name_of(held->verdict));
        // What the last append left may be whole although nobody was told so.
        CHECK((held->verdict == LedgerVerdict::ledgered || !host.closed));
        CHECK((held->verdict != LedgerVerdict::ledgered || host.finished));
      }
    }
    CHECK(host.open_ledger());
  }
  for (const auto& [name, n] : verdicts) {
    MESSAGE(name << ": " << n);
  }
  CHECK(verdicts.size() > 1);
}

// What the writing process has done so far, in memory that it shares with its parent.
struct Written {
  std::uint64_t begun;  // events handed to the writer
  std::uint64_t seals;  // that write(2) has taken
  std::uint64_t sealed_events;
  std::uint64_t finished;
};

// One byte of each event tells its number.
Bytes event_data(std::uint64_t number) {
  return Bytes(1 + number % 200, static_cast<std::byte>(number));
}

[[noreturn]] void write_until_killed(const std::string& ledger_path, const std::string& path,
                                     volatile Written& progress) {
  SystemClock clock;
  SystemEntropy entropy;
  auto ledger = Ledger::open(PosixLedgerDisk::open(ledger_path, true).value(), clock, entropy,
                             test::sample_ledger_options())
                    .value();
  const auto file = PosixAppendFile::create(path).value();
  SessionHeader header = test::sample_header(clock);
  header.ledger = encode(make_ledger_reference(*ledger));
  auto writer = SessionWriter::create(*file, clock, entropy, header, {}).value();
  auto kept = LedgerSession::open(std::move(ledger), *PosixReadFile::open(path).value(),
                                  {"a", "alice", 1, 1})
                  .value();
  for (std::uint64_t number = 0; number < 400; ++number) {
    const Bytes data = event_data(number);
    const MonoTime now = clock.mono();
    const EventView event{number, EventKind::output, now, now, data, false};
    progress.begun = number + 1;
    test::must(writer->append({&event, 1}));
    if (number % 4 == 3) {
      test::must(writer->seal(SealReason::interval));
      progress.seals = writer->totals().seals;
      progress.sealed_events = number + 1;
    }
    if (number % 64 == 63) {
      test::must(file->sync());
      static_cast<void>(kept.heartbeat(writer->last_seal().value()).value());
    }
  }
  test::must(writer->finish({}));
  progress.seals = writer->totals().seals;
  test::must(file->sync());
  static_cast<void>(
      kept.close(writer->last_seal().value(), *PosixReadFile::open(path).value(), "x").value());
  progress.finished = 1;
  ::_exit(0);
}

}  // namespace

TEST_CASE("crash: power cuts on a disk that writes in order") {
  run_power_cuts(Cut::prefix, crashes(400));
}

TEST_CASE("crash: power cuts that keep any sector of what was not synced") {
  run_power_cuts(Cut::sectors, crashes(400));
}

TEST_CASE("crash: kill -9 while a session and its ledger are written") {
  const int count = crashes(150);
  void* shared =
      ::mmap(nullptr, sizeof(Written), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(shared != MAP_FAILED);
  auto& progress = *static_cast<Written*>(shared);
  std::mt19937 random(13);
  int killed = 0;
  int whole = 0;
  std::optional<test::TempDir> dir;
  useconds_t whole_run = 0;  // how long an undisturbed one takes here
  for (int i = 0; i < count; ++i) {
    CAPTURE(i);
    if (i % 20 == 0) {
      dir.emplace();  // verifying a ledger takes longer the more sessions it has
    }
    const std::string ledger_path = *dir / "ledger";
    const std::string path = *dir / std::to_string(i);
    progress = Written{};
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      write_until_killed(ledger_path, path, progress);
    }
    int status = 0;
    if (i == 0) {
      const auto begin = SystemClock().mono();
      REQUIRE(::waitpid(pid, &status, 0) == pid);
      whole_run = static_cast<useconds_t>(SystemClock().mono().us - begin.us);
    } else {
      ::usleep(static_cast<useconds_t>(random() % (whole_run + whole_run / 4)));
      ::kill(pid, SIGKILL);
      REQUIRE(::waitpid(pid, &status, 0) == pid);
    }
    REQUIRE((WIFSIGNALED(status) || WEXITSTATUS(status) == 0));
    killed += WIFSIGNALED(status) ? 1 : 0;
    whole += progress.finished != 0 ? 1 : 0;
    const auto file = PosixReadFile::open(path);
    const auto report = file ? verify(**file) : tl::unexpected(file.error());
    if (!report) {
      CHECK(progress.begun == 0);
      continue;
    }
    std::map<std::uint64_t, Bytes> events;
    for (std::uint64_t number = 0; number < progress.begun; ++number) {
      events[number] = event_data(number);
    }
    check_left(**file, events, *report, progress.seals, progress.sealed_events);
    CHECK(report->seals <= progress.seals + 1);
    CHECK((report->verdict == Verdict::self_consistent || report->verdict == Verdict::incomplete ||
           report->verdict == Verdict::unsealed));
    CHECK((report->verdict != Verdict::self_consistent || progress.begun == 400));
    const auto entries = PosixReadFile::open(ledger_entries_path(ledger_path));
    if (!entries || report->seals == 0) {
      continue;
    }
    const auto held = verify_with_ledger(**file, *report, **entries, nullptr).value();
    CHECK_MESSAGE(exit_status_of(held.verdict) != 3, name_of(held.verdict));
    CHECK((held.verdict != LedgerVerdict::ledgered || report->closed));
    CHECK((progress.finished == 0 || held.verdict == LedgerVerdict::ledgered));
  }
  ::munmap(shared, sizeof(Written));
  MESSAGE(killed << " killed, " << whole << " whole");
  CHECK(killed > count / 4);
}
