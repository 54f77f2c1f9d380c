// SPDX-License-Identifier: Apache-2.0
#include "player/indexer.hpp"
#include "player/replay.hpp"
#include "tests/support/event_script.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace {

using namespace sworn;
using namespace sworn::player;
using sworn::test::EventScript;

std::string screen_text(const vt::Terminal& terminal) {
  std::string text =
      std::to_string(terminal.size().cols) + "x" + std::to_string(terminal.size().rows);
  for (int row = 0; row < terminal.size().rows; ++row) {
    text += "\n" + terminal.row_text(row);
  }
  const auto cursor = terminal.cursor();
  return text + "\n" + std::to_string(cursor.row) + "," + std::to_string(cursor.col) +
         (terminal.alternate_screen() ? " alt" : "");
}

// A session with everything that makes seeking hard: equal times, resizes, full-screen programs,
// split escape sequences, silences and enough output for many keyframes.
EventScript busy_session(unsigned seed, std::size_t events) {
  EventScript script;
  std::mt19937 random(seed);
  double t = 0.5;
  const auto pick = [&random](unsigned n) { return random() % n; };
  for (std::size_t i = 0; i < events; ++i) {
    if (pick(3) != 0) {
      t += static_cast<double>(pick(50'000)) / 1e6;
    }
    switch (pick(40)) {
      case 0:
        script.resize(t, {static_cast<std::uint16_t>(40 + pick(100)),
                          static_cast<std::uint16_t>(10 + pick(40))});
        break;
      case 1:
        script.out(t, pick(2) == 0 ? "\x1b[?1049h\x1b[2J\x1b[H" : "\x1b[?1049l");
        break;
      case 2:
        script.out(t, "\x1b[3" + std::to_string(pick(8)));  // continues in the next event
        break;
      case 3:
        script.out(
            t, "\x1b[" + std::to_string(1 + pick(24)) + ";" + std::to_string(1 + pick(80)) + "H");
        break;
      case 4:
        script.in(t, "x");
        break;
      case 5:
        script.out(t, "\xE6\x97");  // the first two bytes of a character
        break;
      default: {
        std::string line;
        const auto n = pick(4000);
        for (unsigned k = 0; k < n; ++k) {
          line += static_cast<char>(' ' + pick(95));
          if (pick(60) == 0) {
            line += "\r\n";
          }
        }
        script.out(t, line);
      }
    }
  }
  return script;
}

// The truth: everything from the start, no keyframes.
std::string straight(const EventScript& script, MonoTime t) {
  ScreenState screen({});
  for (const auto& event : script.events()) {
    if (event.t > t) {
      break;
    }
    screen.apply(event.view());
  }
  return screen_text(screen.terminal());
}

std::shared_ptr<IndexState> indexed(const EventScript& script) {
  auto state = std::make_shared<IndexState>();
  Indexer indexer(script.source(), {}, state);
  REQUIRE(indexer.run_to_end());
  return state;
}

TEST_CASE("replay: seeking anywhere equals a straight replay") {
  const auto script = busy_session(7, 2'500);
  const auto index = indexed(script);
  CHECK(index->keyframes()->all().size() > 10);
  Replay replay(script.source(), {}, index->keyframes());
  std::mt19937 random(11);
  const auto first = script.events().front().t.us;
  const auto span = static_cast<std::uint64_t>(script.events().back().t.us - first);
  for (int i = 0; i < 60; ++i) {
    // Often exactly on an event, where equal times decide.
    const MonoTime t = random() % 3 == 0
                           ? script.events()[random() % script.events().size()].t
                           : MonoTime{first + static_cast<std::int64_t>(random() % span)};
    CAPTURE(t.us);
    REQUIRE(replay.seek_time(t));
    REQUIRE(screen_text(replay.terminal()) == straight(script, t));
  }
}

TEST_CASE("replay: seeking exactly onto keyframes and both ends") {
  const auto script = busy_session(3, 1'200);
  const auto index = indexed(script);
  Replay replay(script.source(), {}, index->keyframes());
  std::vector<MonoTime> times{{script.events().front().t.us - 5},
                              script.events().front().t,
                              script.events().back().t,
                              {script.events().back().t.us + 99}};
  for (const auto& frame : index->keyframes()->all()) {
    if (frame->position > 0) {
      times.push_back(frame->t);
      times.push_back({frame->t.us - 1});
    }
  }
  for (const auto t : times) {
    CAPTURE(t.us);
    REQUIRE(replay.seek_time(t));
    REQUIRE(screen_text(replay.terminal()) == straight(script, t));
  }
}

TEST_CASE("replay: a position is exact between events of the same time") {
  EventScript script;
  script.out(1, "a").out(1, "b").out(1, "c").out(2, "d");
  const auto index = indexed(script);
  Replay replay(script.source(), {}, index->keyframes());
  REQUIRE(replay.seek_position(4));
  CHECK(replay.terminal().row_text(0) == "ab");
  REQUIRE(replay.seek_time(EventScript::at(1)));
  CHECK(replay.terminal().row_text(0) == "abc");
  REQUIRE(replay.seek_position(3));
  CHECK(replay.terminal().row_text(0) == "a");
  REQUIRE(replay.step());
  CHECK(replay.terminal().row_text(0) == "ab");
  CHECK(replay.time() == EventScript::at(1));
}

TEST_CASE("replay: work of a seek is bounded by the keyframe interval") {
  const auto script = busy_session(5, 3'000);
  const auto index = indexed(script);
  Replay replay(script.source(), {}, index->keyframes());
  std::mt19937 random(2);
  for (int i = 0; i < 40; ++i) {
    const auto before = replay.work();
    REQUIRE(replay.seek_position(random() % script.events().size()));
    CHECK(replay.work() - before <= KeyframeMaker::k_interval + 8192);
  }
}

TEST_CASE("replay: a damaged keyframe costs time and never a wrong picture") {
  const auto script = busy_session(9, 1'500);
  const auto good = indexed(script);
  auto damaged = std::make_shared<KeyframeIndex>();
  for (const auto& frame : good->keyframes()->all()) {
    auto copy = std::make_shared<Keyframe>(*frame);
    if (copy->packed.size() > 20) {
      copy->packed[copy->packed.size() / 2] ^= std::byte{0x55};
      copy->packed.resize(copy->packed.size() - 3);
    }
    damaged->add(copy);
  }
  damaged->set_frontier(good->keyframes()->frontier());
  Replay replay(script.source(), {}, damaged);
  const auto t = script.events()[1'400].t;
  REQUIRE(replay.seek_time(t));
  CHECK(screen_text(replay.terminal()) == straight(script, t));
}

TEST_CASE("replay: stepping to changes of the picture skips what changes nothing") {
  EventScript script;
  script.out(1, "one").out(2, "\x1b[1;1H").out(3, "").out(4, "\x1b[2;1Htwo").in(5, "q").out(6, "!");
  const auto index = indexed(script);
  const auto never = [] { return false; };
  Replay replay(script.source(), {}, index->keyframes());
  REQUIRE(replay.seek_position(3));
  CHECK(replay.terminal().row_text(0) == "one");
  const auto next = replay.next_change(never);
  REQUIRE(next);
  CHECK(next->value() == 6);
  CHECK(replay.terminal().row_text(1) == "two");
  CHECK(replay.next_change(never)->value() == 8);
  CHECK_FALSE(replay.next_change(never)->has_value());
  REQUIRE(replay.seek_position(8));
  CHECK(replay.previous_change(never)->value() == 6);
  REQUIRE(replay.seek_position(6));
  CHECK(replay.previous_change(never)->value() == 3);
}

TEST_CASE("replay: streams without a terminal get new lines and both outputs") {
  EventScript script({80, 24}, false);
  script.out(1, "one\ntwo\n").err(2, "oops\n");
  Replay replay(script.source(), {.size = {80, 24}, .terminal = false},
                std::make_shared<KeyframeIndex>());
  REQUIRE(replay.seek_time(EventScript::at(3)));
  CHECK(replay.terminal().row_text(1) == "two");
  CHECK(replay.terminal().row_text(2) == "oops");
}

TEST_CASE("replay: a growing recording is followed without losing the place") {
  EventScript script;
  script.set_live(true);
  script.out(1, "one ");
  auto index = std::make_shared<IndexState>();
  Indexer indexer(script.source(), {}, index);
  REQUIRE(indexer.run_to_end());
  Replay replay(script.source(), {}, index->keyframes());
  REQUIRE(replay.seek_time(EventScript::at(9)));
  CHECK(replay.terminal().row_text(0) == "one");
  script.out(2, "two");
  REQUIRE(replay.refresh());
  REQUIRE(replay.seek_time(EventScript::at(9)));
  CHECK(replay.terminal().row_text(0) == "one two");
  REQUIRE(replay.seek_time(EventScript::at(1)));
  CHECK(replay.terminal().row_text(0) == "one");
  REQUIRE(indexer.refresh());
  REQUIRE(indexer.run_to_end());
  CHECK(index->facts()->output_bytes == 7);
}

}  // namespace
