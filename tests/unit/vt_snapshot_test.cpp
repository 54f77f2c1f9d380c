// SPDX-License-Identifier: Apache-2.0
// A snapshot is the whole state: what is loaded goes on exactly as the original, and what is
// damaged is refused.
#include "player/vt/terminal.hpp"
#include "tests/support/vt_stream.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sworn;
using vt::Terminal;

namespace {

void feed(Terminal& terminal, std::string_view text) {
  terminal.feed(as_bytes(text));
}

// Everything that can be asked for, beside the snapshot itself.
std::string picture(const Terminal& terminal) {
  const auto cursor = terminal.cursor();
  std::string all =
      std::to_string(cursor.row) + "," + std::to_string(cursor.col) + "," +
      std::to_string(static_cast<int>(cursor.visible)) +
      std::to_string(static_cast<int>(cursor.pending_wrap)) + std::to_string(cursor.shape) +
      std::to_string(static_cast<int>(terminal.alternate_screen())) + terminal.title();
  for (int row = 0; row < terminal.size().rows; ++row) {
    all += "\n" + std::to_string(terminal.row_id(row)) + " " +
           std::to_string(terminal.row_stamp(row)) + (terminal.row_wrapped(row) ? "+" : " ");
    for (const auto& cell : terminal.row(row)) {
      terminal.append_cell_text(all, cell);
      all += std::to_string(cell.fg.packed) + "/" + std::to_string(cell.bg.packed) + "/" +
             std::to_string(cell.attributes) + "/" + std::string(terminal.link(cell.link));
    }
  }
  return all;
}

struct Step {
  std::string bytes;
  TermSize size;
  bool resizes = false;
};

std::vector<Step> make_session(std::uint64_t seed) {
  test::VtStream stream(seed);
  std::vector<Step> steps;
  for (int i = 0; i < 12; ++i) {
    steps.push_back({.bytes = stream.bytes(400), .size = {}});
    if (stream.next(3) == 0) {
      const TermSize size = {.cols = static_cast<std::uint16_t>(1 + stream.next(60)),
                             .rows = static_cast<std::uint16_t>(1 + stream.next(20))};
      steps.push_back({.bytes = {}, .size = size, .resizes = true});
    }
  }
  return steps;
}

constexpr TermSize k_start = {.cols = 40, .rows = 12};

Bytes played(const std::vector<Step>& steps) {
  Terminal terminal(k_start);
  for (const auto& step : steps) {
    step.resizes ? terminal.resize(step.size) : feed(terminal, step.bytes);
  }
  return terminal.save();
}

// The same session in random pieces, through a snapshot and a new terminal at each cut.
Bytes played_in_pieces(const std::vector<Step>& steps, std::uint64_t seed, std::size_t longest) {
  test::VtStream random(seed);
  Terminal terminal(k_start);
  for (const auto& step : steps) {
    if (step.resizes) {
      terminal.resize(step.size);
      continue;
    }
    for (std::size_t at = 0; at < step.bytes.size();) {
      const std::size_t size =
          std::min<std::size_t>(1 + random.next(longest), step.bytes.size() - at);
      feed(terminal, std::string_view(step.bytes).substr(at, size));
      at += size;
      if (random.next(4) == 0) {
        for (int row = 0; row < terminal.size().rows; ++row) {
          (void)terminal.row(row);  // looking must not change anything
        }
      }
      const Bytes snapshot = terminal.save();
      const std::string before = picture(terminal);
      Terminal next({.cols = 3, .rows = 2});
      REQUIRE(next.load(snapshot));
      REQUIRE(next.save() == snapshot);
      REQUIRE(picture(next) == before);
      terminal = std::move(next);
    }
  }
  return terminal.save();
}

}  // namespace

TEST_CASE("snapshot: cutting a session anywhere changes nothing") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    const auto steps = make_session(seed);
    const Bytes whole = played(steps);
    CHECK(played_in_pieces(steps, seed, 200) == whole);
  }
}

TEST_CASE("snapshot: cutting after every byte changes nothing") {
  for (std::uint64_t seed = 100; seed <= 103; ++seed) {
    CAPTURE(seed);
    const auto steps = make_session(seed);
    CHECK(played_in_pieces(steps, seed, 1) == played(steps));
  }
}

TEST_CASE("snapshot: a parser in the middle of anything goes on") {
  const std::string whole =
      "\x1b]2;title\x1b\\\x1b[1;3;38:2::1:2:3mA\xf0\x9f\x98\x80\x1bP1;2q~~\x1b\\\x1b#8\x1b(0lq\x1b["
      "?25l\x1b[3 q";
  Terminal reference(k_start);
  feed(reference, whole);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    CAPTURE(cut);
    Terminal first(k_start);
    feed(first, std::string_view(whole).substr(0, cut));
    Terminal second({.cols = 1, .rows = 1});
    REQUIRE(second.load(first.save()));
    feed(second, std::string_view(whole).substr(cut));
    CHECK(second.save() == reference.save());
  }
}

TEST_CASE("snapshot: hooks stay with the terminal that loads") {
  struct Bell : vt::Hooks {
    int rung = 0;
    void on_bell() override { ++rung; }
  };
  Bell bell;
  Terminal terminal(k_start);
  terminal.set_hooks(&bell);
  const Bytes snapshot = Terminal(k_start).save();
  REQUIRE(terminal.load(snapshot));
  feed(terminal, "\a");
  CHECK(bell.rung == 1);
}

namespace {

Bytes rich_snapshot() {
  Terminal terminal({.cols = 20, .rows = 6});
  feed(terminal,
       "\x1b]2;name\x07\x1b]8;;http://x/\x07"
       "e\xcc\x81\xe6\xbc\xa2\x1b]8;;\x07\x1b[1;38;2;1;2;3;44mtext\r\n\n\n\n\n\n\nmore"
       "\x1b[?1049h\x1b[2;4r\x1b[5;5Hinside\x1b"
       "7\x1b[3g\x1b[22;2t\x1b[?7s\x1b[12;3");
  return terminal.save();
}

}  // namespace

TEST_CASE("snapshot: cut at any byte it is refused and the terminal is unchanged") {
  const Bytes whole = rich_snapshot();
  Terminal terminal(k_start);
  feed(terminal, "untouched");
  const Bytes before = terminal.save();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const auto loaded = terminal.load(ByteView(whole).first(size));
    REQUIRE_FALSE(loaded);
    CHECK((loaded.error().code == Errc::truncated || loaded.error().code == Errc::corrupt));
    REQUIRE(terminal.save() == before);
  }
  CHECK(terminal.load(whole));
}

TEST_CASE("snapshot: a longer one and another version are refused") {
  Bytes bytes = rich_snapshot();
  Terminal terminal(k_start);
  bytes.push_back(std::byte{0});
  CHECK(terminal.load(bytes).error().code == Errc::corrupt);
  bytes = rich_snapshot();
  bytes[4] ^= std::byte{0x80};
  CHECK(terminal.load(bytes).error().code == Errc::unsupported);
  bytes = rich_snapshot();
  bytes[0] ^= std::byte{1};
  CHECK(terminal.load(bytes).error().code == Errc::corrupt);
}

TEST_CASE("snapshot: damaged anywhere it is refused or loads to something that works") {
  const Bytes whole = rich_snapshot();
  int loaded = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bytes = whole;
      bytes[at] ^= static_cast<std::byte>(1U << bit);
      Terminal terminal(k_start);
      if (!terminal.load(bytes)) {
        continue;
      }
      ++loaded;
      REQUIRE(Terminal(k_start).load(terminal.save()));
      feed(terminal,
           "\x1b[5b\x1b[Hx\x1b[99L\x1b[?1049l\n\n\n\x1b"
           "8\x1b[@z\xcc\x81\x1b[2J\x1b"
           "c");
      terminal.resize({.cols = 7, .rows = 30});
      CHECK(terminal.row_text(0).size() <= 4096);
    }
  }
  CHECK(loaded > 0);
}

TEST_CASE("snapshot: an impossible size is refused before memory is taken") {
  Bytes bytes = Terminal({.cols = 1, .rows = 1}).save();
  // magic, version, parser state and UTF-8 state, empty title, no titles, no saved modes: then cols
  // and rows
  const std::size_t size_at = 4 + 4 + 2 + 1 + 1 + 2;
  REQUIRE(bytes[size_at] == std::byte{1});
  REQUIRE(bytes[size_at + 1] == std::byte{1});
  Bytes huge(bytes.begin(), bytes.begin() + size_at);
  append(huge, to_bytes("\xff\xff\x7f\xff\xff\x7f"));
  huge.insert(huge.end(), bytes.begin() + size_at + 2, bytes.end());
  CHECK_FALSE(Terminal(k_start).load(huge));
  Bytes none(bytes.begin(), bytes.begin() + size_at);
  none.insert(none.end(), 400, std::byte{0});
  CHECK_FALSE(Terminal(k_start).load(none));
}
