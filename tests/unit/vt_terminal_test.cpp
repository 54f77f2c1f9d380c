// SPDX-License-Identifier: Apache-2.0
// The public face of the emulator: rows, cursor, hooks, ids and stamps.
#include "player/vt/terminal.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sworn;
using vt::Terminal;

namespace {

constexpr TermSize k_small = {.cols = 10, .rows = 4};

void feed(Terminal& terminal, std::string_view text) {
  terminal.feed(as_bytes(text));
}

struct Recorder : vt::Hooks {
  std::vector<std::string> log;
  const Terminal* terminal = nullptr;

  void on_row_scrolled_off(std::span<const vt::Cell> row, bool wrapped, std::uint64_t id) override {
    std::string text;
    for (const auto& cell : row) {
      terminal->append_cell_text(text, cell);
    }
    text.resize(text.find_last_not_of(' ') + 1);
    log.push_back("off " + text + (wrapped ? " + " : " ") + std::to_string(id));
  }
  void on_title(std::string_view title) override { log.push_back("title " + std::string(title)); }
  void on_bell() override { log.emplace_back("bell"); }
  void on_osc(int number, std::string_view payload) override {
    log.push_back("osc " + std::to_string(number) + " " + std::string(payload));
  }
  void on_alternate_screen(bool active) override {
    log.push_back(std::string(active ? "alternate " : "primary ") + terminal->row_text(0));
  }
  void on_cleared() override { log.push_back("cleared " + terminal->row_text(0)); }
  void on_image_dropped(std::string_view protocol, std::size_t bytes) override {
    log.push_back("image " + std::string(protocol) + " " + std::to_string(bytes));
  }
};

std::vector<std::string> heard(std::string_view bytes) {
  Terminal terminal(k_small);
  Recorder recorder;
  recorder.terminal = &terminal;
  terminal.set_hooks(&recorder);
  feed(terminal, bytes);
  return recorder.log;
}

using Log = std::vector<std::string>;

}  // namespace

TEST_CASE("terminal: text goes to rows and rows wrap") {
  Terminal terminal(k_small);
  feed(terminal, "hello\r\n0123456789abc");
  CHECK(terminal.row_text(0) == "hello");
  CHECK(terminal.row_text(1) == "0123456789");
  CHECK(terminal.row_text(2) == "abc");
  CHECK_FALSE(terminal.row_wrapped(0));
  CHECK(terminal.row_wrapped(1));
  CHECK(terminal.cursor().row == 2);
  CHECK(terminal.cursor().col == 3);
  CHECK(terminal.row(0).size() == 10);
}

TEST_CASE("terminal: the size is clamped each way and in area") {
  CHECK(Terminal({.cols = 0, .rows = 0}).size() == TermSize{.cols = 1, .rows = 1});
  const TermSize huge = Terminal({.cols = 65535, .rows = 65535}).size();
  CHECK(huge.cols == 4096);
  CHECK(huge.rows == 256);
  Terminal terminal(k_small);
  terminal.resize({.cols = 5000, .rows = 0});
  CHECK(terminal.size() == TermSize{.cols = 4096, .rows = 1});
}

TEST_CASE("terminal: cell text is the whole cluster") {
  Terminal terminal(k_small);
  feed(terminal, "e\u0301\u6f22x");
  std::string text;
  for (const auto& cell : terminal.row(0).first(4)) {
    text += '[';
    terminal.append_cell_text(text, cell);
    text += ']';
  }
  CHECK(text == "[e\u0301][\u6f22][][x]");
  CHECK(terminal.row_text(0) == "e\u0301\u6f22x");
}

TEST_CASE("terminal: hooks tell what the picture does not show") {
  CHECK(heard("\x1b]2;one\x07\x1b]0;two\x1b\\\x1bkthree\x1b\\") ==
        Log{"title one", "title two", "title three"});
  CHECK(heard("\a") == Log{"bell"});
  CHECK(heard("\x1b]133;A\x07\x1b]7;file://h/tmp\x1b\\\x1b]633;E;ls\x07") ==
        Log{"osc 133 A", "osc 7 file://h/tmp", "osc 633 E;ls"});
  CHECK(heard("\x1bPq#0~~\x1b\\") == Log{"image sixel 5"});
  CHECK(heard("\x1b_Gf=100;AAAA\x1b\\") == Log{"image kitty 11"});
  CHECK(heard("\x1b]1337;File=inline=1:AAAA\x07") == Log{"image iterm2 23"});
  CHECK(heard("\x1b]1337;SetMark\x07") == Log{"osc 1337 SetMark"});
  CHECK(heard("a\x1b[?1049hb\x1b[?1049l") == Log{"alternate a", "primary  b"});
  CHECK(heard("a\x1b[2J") == Log{"cleared a"});
  CHECK(heard("a\x1b[H\x1b[J") == Log{"cleared a"});
  CHECK(heard("a\x1b[3J") == Log{"cleared a"});
  CHECK(heard("a\x1b"
              "c") == Log{"cleared a"});
}

TEST_CASE("terminal: rows that scroll off are announced with their identity") {
  CHECK(heard("a\nb\r\nc\r\nd\r\ne\r\nf") == Log{"off a 1", "off  b 2"});
  CHECK(heard("0123456789x\r\n\n\n") == Log{"off 0123456789 + 1"});
  CHECK(heard("a\x1b[?1049h\n\n\n\n\n") ==
        Log{"alternate a"});  // nothing from the alternate screen
  CHECK(heard("a\x1b[2S") == Log{"off a 1", "off  2"});
  CHECK(heard("a\x1b[1;1H\x1b[M").empty());  // deleted, not scrolled
}

TEST_CASE("terminal: a row id follows its line and a stamp grows with each change") {
  Terminal terminal(k_small);
  feed(terminal, "a\r\nb\r\nc\r\nd");
  const auto id = terminal.row_id(2);
  const auto stamp = terminal.row_stamp(2);
  feed(terminal, "\r\ne");
  CHECK(terminal.row_id(1) == id);
  CHECK(terminal.row_stamp(1) == stamp);
  CHECK(terminal.row_text(1) == "c");
  const auto fresh = terminal.row_id(3);
  CHECK(fresh > id);
  feed(terminal, "\x1b[2;2Hx");
  CHECK(terminal.row_id(1) == id);
  CHECK(terminal.row_stamp(1) > stamp);
  const auto now = terminal.row_stamp(1);
  feed(terminal, "\x1b[2K");
  CHECK(terminal.row_stamp(1) > now);
}

TEST_CASE("terminal: links are numbered and bounded") {
  Terminal terminal(k_small);
  feed(terminal,
       "\x1b]8;;http://a/\x1b\\A\x1b]8;;\x1b\\B\x1b]8;id=1;http://a/\x07"
       "C");
  CHECK(terminal.link(terminal.row(0)[0].link) == "http://a/");
  CHECK(terminal.row(0)[1].link == 0);
  CHECK(terminal.row(0)[2].link == terminal.row(0)[0].link);
  CHECK(terminal.link(0).empty());
  CHECK(terminal.link(4711).empty());
}
