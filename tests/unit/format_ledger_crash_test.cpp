// SPDX-License-Identifier: Apache-2.0
// A power cut or a kill between any two steps: the ledger goes on, nothing that was promised is
// lost, and no key ever signs two messages.
#include "tests/support/sample_ledger.hpp"

#include <doctest/doctest.h>

#include <map>
#include <random>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::MemLedgerDisk;
using test::MemLedgerMedia;

namespace {

enum class Loss : std::uint8_t { everything, nothing, some, killed };

// Runs processes against one medium and watches what they sign.
class CrashRun {
 public:
  CrashRun() {
    media.on_entries_write = [this](std::uint64_t offset, ByteView data) { watch(offset, data); };
  }

  // A process: opens the ledger, appends three entries, the second one large. False: it died.
  bool process() {
    auto ledger = Ledger::open(std::make_unique<MemLedgerDisk>(media), clock, entropy,
                               test::sample_ledger_options());
    if (!ledger) {
      last_error = ledger.error();
      return false;
    }
    std::vector<SessionMark> many;
    for (int i = 0; i < 40; ++i) {
      many.push_back(test::sample_mark(static_cast<std::uint8_t>(i), 1));
    }
    const std::vector<LedgerFact> facts{test::sample_open(next_session++), LedgerHeartbeat{many},
                                        LedgerView{test::sample_file_id(1), "bob", "play"}};
    for (const auto& fact : facts) {
      clock.advance(1000);
      const auto receipt = (*ledger)->append(fact);
      if (!receipt) {
        last_error = receipt.error();
        return false;
      }
      promised[receipt->index] = receipt->leaf;
    }
    return true;
  }

  void crash(Loss loss, std::mt19937& random) {
    switch (loss) {
      case Loss::everything:
        media.power_cut([] { return false; });
        break;
      case Loss::nothing:
        media.power_cut([] { return true; });
        break;
      case Loss::some:
        media.power_cut([&random] { return random() % 2 == 0; });
        break;
      case Loss::killed:
        media.killed();
        break;
    }
  }

  void check() {
    MemFile file;
    file.data() = media.files[0].seen;
    LedgerVerifyOptions options;
    std::map<std::uint64_t, Digest> found;
    options.on_entry = [&found](std::uint64_t index, ByteView stored, const LedgerEntry&) {
      found[index] = ledger_leaf(stored);
    };
    const auto report = verify_ledger(file, options);
    REQUIRE(report);
    REQUIRE(report->state == LedgerState::intact);
    for (const auto& [index, leaf] : promised) {
      REQUIRE(found.count(index) == 1);
      CHECK(found[index] == leaf);
    }
    REQUIRE_FALSE(forked);
  }

  MemLedgerMedia media;
  test::FakeClock clock;
  test::FakeEntropy entropy;
  std::map<std::uint64_t, Digest> promised;
  Error last_error;
  bool forked = false;
  std::uint8_t next_session = 0;

 private:
  // Every record that was ever signed, also where a power cut took it back.
  void watch(std::uint64_t offset, ByteView data) {
    if (offset == 0) {
      data = data.subspan(k_preamble_bytes);
    }
    const auto frame = decode_frame(data.first(k_frame_bytes)).value();
    const Bytes record(data.begin(), data.end());
    const auto [it, fresh] = signed_.emplace(frame.seq, record);
    forked = forked || (!fresh && it->second != record);
  }
  std::map<std::uint32_t, Bytes> signed_;
};

std::size_t operations_of_one_process(bool fresh) {
  CrashRun run;
  if (!fresh) {
    REQUIRE(run.process());
  }
  run.media.operations = 0;
  run.media.die_at = 1'000'000;
  REQUIRE(run.process());
  return run.media.operations;
}

void every_step(bool fresh) {
  const std::size_t steps = operations_of_one_process(fresh);
  REQUIRE(steps > 15);
  std::mt19937 random(1);
  for (std::size_t step = 0; step <= steps; ++step) {
    for (const auto loss :
         {Loss::everything, Loss::nothing, Loss::some, Loss::some, Loss::some, Loss::killed}) {
      CAPTURE(step);
      CAPTURE(static_cast<int>(loss));
      CrashRun run;
      if (!fresh) {
        REQUIRE(run.process());
      }
      run.media.operations = 0;
      run.media.die_at = step;
      const bool finished = run.process();
      CHECK(finished == (step >= steps - 1));  // the last write is a hint
      run.crash(loss, random);
      const bool went_on = run.process();
      CAPTURE(describe(run.last_error));
      REQUIRE(went_on);
      run.check();
    }
  }
  MESSAGE(steps << " steps");
}

}  // namespace

TEST_CASE("ledger crash: at every step of its creation") {
  every_step(true);
}

TEST_CASE("ledger crash: at every step of opening and appending") {
  every_step(false);
}

TEST_CASE("ledger crash: again and again during recovery itself") {
  for (unsigned seed = 0; seed < 400; ++seed) {
    CAPTURE(seed);
    std::mt19937 random(seed);
    CrashRun run;
    for (int round = 0; round < 12; ++round) {
      run.media.operations = 0;
      run.media.die_at = random() % 40;
      run.process();
      run.crash(static_cast<Loss>(random() % 4), random);
    }
    run.media.die_at.reset();
    const bool went_on = run.process();
    CAPTURE(describe(run.last_error));
    REQUIRE(went_on);
    run.check();
  }
}

TEST_CASE("ledger crash: a write that the disk refuses leaves the entry to the next append") {
  test::SampleLedger s;
  for (std::size_t step = 0; step < 6; ++step) {
    CAPTURE(step);
    s.media.operations = 0;
    s.media.die_at = step;
    const auto refused = s.ledger->append(test::sample_open(static_cast<std::uint8_t>(20 + step)));
    CHECK_FALSE(refused);
    s.media.die_at.reset();
    CHECK(s.ledger->append(test::sample_open(static_cast<std::uint8_t>(40 + step))));
    MemFile file;
    file.data() = s.entries();
    const auto report = verify_ledger(file).value();
    CHECK(report.state == LedgerState::intact);
    CHECK(report.session(test::sample_file_id(static_cast<std::uint8_t>(40 + step))) != nullptr);
  }
}
