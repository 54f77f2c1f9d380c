// SPDX-License-Identifier: Apache-2.0
// The player on real terminals: what is seen, on which kinds of terminals, and that the terminal is
// left as it was. Golden screens: tests/player/golden; SWORN_UPDATE_GOLDEN=1 writes them anew.
#include "tests/player/player_driver.hpp"
#include "tests/player/terminal_output.hpp"
#include "tests/support/incident_session.hpp"
#include "tests/support/source_dir.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <sstream>

#include <sys/wait.h>

namespace {

using namespace sworn;
using namespace sworn::test;

struct Fixture {
  TempDir directory;
  std::string file;
  explicit Fixture(TermSize size = {80, 24}) : file(directory / "web1.sworn") {
    write_file(file, incident_session(size));
  }
};

// Rows of text, then the runs of each row that are not plain: what people see, as a text file.
std::string picture(const vt::Terminal& terminal) {
  std::ostringstream out;
  const auto size = terminal.size();
  for (int row = 0; row < size.rows; ++row) {
    out << '|' << terminal.row_text(row) << '\n';
  }
  const auto same = [](const vt::Cell& a, const vt::Cell& b) {
    constexpr std::uint16_t k_look =
        vt::k_bold | vt::k_dim | vt::k_italic | vt::k_underline_mask | vt::k_inverse;
    return a.fg == b.fg && a.bg == b.bg && (a.attributes & k_look) == (b.attributes & k_look);
  };
  for (int row = 0; row < size.rows; ++row) {
    const auto cells = terminal.row(row);
    for (std::size_t col = 0; col < cells.size();) {
      std::size_t end = col + 1;
      while (end < cells.size() && same(cells[col], cells[end])) {
        ++end;
      }
      if (!same(cells[col], vt::Cell{})) {
        out << row << ':' << col << '-' << end << std::hex << " fg " << cells[col].fg.packed
            << " bg " << cells[col].bg.packed << " attributes " << (cells[col].attributes & 0xFFFU)
            << std::dec << '\n';
      }
      col = end;
    }
  }
  const auto cursor = terminal.cursor();
  out << "cursor " << cursor.row << ',' << cursor.col << (cursor.visible ? "" : " hidden") << '\n';
  return out.str();
}

void check_golden(const std::string& name, const std::string& found) {
  const auto path = std::string(SWORN_SOURCE_DIR) + "/tests/player/golden/" + name;
  if (std::getenv("SWORN_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << found;
    return;
  }
  std::ifstream in(path);
  const std::string wanted{std::istreambuf_iterator<char>(in), {}};
  CAPTURE(name);
  CHECK(found == wanted);
}

TEST_CASE("terminal: golden screens at three sizes") {
  const Fixture fixture;
  struct Size {
    TermSize size;
    const char* name;
  };
  for (const auto& [size, name] :
       {Size{{80, 24}, "80x24"}, Size{{120, 40}, "120x40"}, Size{{200, 50}, "200x50"}}) {
    PlayerDriver player(fixture.file, size);
    REQUIRE(player.settle());
    REQUIRE(player.type("]]]"));
    check_golden(std::string("command-") + name, picture(player.pty().terminal()));
    REQUIRE(player.type("G/rsyslog"));
    REQUIRE(player.pty().wait_until([&player] {
      return player.pty().shows(" found  in: all") && !player.pty().shows("+ found");
    }));
    check_golden(std::string("search-") + name, picture(player.pty().terminal()));
    REQUIRE(player.press("\x1b"));
    REQUIRE(player.press("\x1bOP"));
    check_golden(std::string("help-") + name, picture(player.pty().terminal()));
    CHECK(player.quit() == 0);
    CHECK(foreign_output(player.output()) == "");
  }
}

TEST_CASE("terminal: kinds of terminals, locales and colours") {
  const Fixture fixture;
  for (const auto& environment :
       std::vector<std::vector<std::string>>{{"TERM=xterm-256color"},
                                             {"TERM=xterm-256color", "COLORTERM=truecolor"},
                                             {"TERM=tmux-256color"},
                                             {"TERM=tmux-256color", "COLORTERM=24bit"},
                                             {"TERM=screen"},
                                             {"TERM=linux"},
                                             {"TERM=vt100"},
                                             {"TERM=vt220", "LC_ALL=C"},
                                             {"TERM=xterm-256color", "NO_COLOR=1"}}) {
    CAPTURE(environment.front());
    CAPTURE(environment.back());
    PlayerDriver player(fixture.file, {80, 24}, environment);
    REQUIRE(player.settle());
    REQUIRE(player.type("G"));
    CHECK(player.pty().shows("root@db1:~#"));
    CHECK(player.pty().shows("cmd 4/4"));
    CHECK(player.quit() == 0);
    CHECK(foreign_output(player.output()) == "");
  }
}

TEST_CASE("terminal: direct colours arrive as they were recorded") {
  SampleSession s;
  format::SessionStart start;
  start.size = {80, 24};
  start.argv = {"bash"};
  s.put(format::EventKind::session_start, encode(start));
  s.output(
      "\x1b[38;2;255;100;7mtrue\x1b[m \x1b[48;2;0;0;3mdark\x1b[m \x1b[38;5;208mpalette\x1b[m "
      "\x1b[31mred");
  must(s.writer->finish({0}));
  TempDir directory;
  const auto file = directory / "colours.sworn";
  write_file(file, s.file.data());
  const auto colour_at = [](PlayerDriver& player, std::string_view text, bool background) {
    const auto& terminal = player.pty().terminal();
    const auto at = terminal.row_text(1).find(text);
    REQUIRE(at != std::string::npos);
    const auto& cell = terminal.row(1)[at];
    return background ? cell.bg.packed : cell.fg.packed;
  };
  constexpr std::uint32_t k_rgb = 2U << 24U;
  constexpr std::uint32_t k_palette = 1U << 24U;
  {
    PlayerDriver player(file, {80, 24}, {"COLORTERM=truecolor"});
    REQUIRE(player.settle());
    REQUIRE(player.type("G"));
    CHECK(colour_at(player, "true", false) == (k_rgb | 0xFF6407U));
    CHECK(colour_at(player, "dark", true) == (k_rgb | 0x000008U));
    CHECK(colour_at(player, "palette", false) == (k_rgb | 0xFF8700U));
    CHECK(colour_at(player, "red", false) == (k_palette | 1U));
    CHECK(player.quit() == 0);
  }
  {
    PlayerDriver player(file, {80, 24});
    REQUIRE(player.settle());
    REQUIRE(player.type("G"));
    CHECK(colour_at(player, "true", false) == (k_palette | 202U));
    CHECK(colour_at(player, "red", false) == (k_palette | 1U));
    CHECK(player.quit() == 0);
  }
}

TEST_CASE("terminal: resizes, down to the refusal and back") {
  const Fixture fixture;
  PlayerDriver player(fixture.file, {120, 40});
  REQUIRE(player.settle());
  REQUIRE(player.type("G"));
  for (const TermSize size : {TermSize{80, 24}, TermSize{40, 10}, TermSize{200, 50}}) {
    REQUIRE(player.pty().resize(size));
    REQUIRE(player.pty().wait_text("db1.prod"));
    CHECK(player.pty().wait_text("root@db1:~#"));
  }
  REQUIRE(player.pty().resize({39, 9}));
  CHECK(player.pty().wait_text("too small"));
  REQUIRE(player.pty().resize({80, 24}));
  CHECK(player.pty().wait_text("cmd 4/4"));
  CHECK(player.quit() == 0);
}

TEST_CASE("terminal: it is left as it was, also after a signal") {
  const Fixture fixture;
  {
    PlayerDriver player(fixture.file, {80, 24});
    REQUIRE(player.quit() == 0);
    CHECK_FALSE(player.pty().terminal().alternate_screen());
    CHECK(player.pty().terminal().cursor().visible);
  }
  PlayerDriver player(fixture.file, {80, 24});
  CHECK(player.pty().terminal().alternate_screen());
  REQUIRE(player.pty().signal(SIGTERM));
  const auto status = player.pty().wait_exit();
  REQUIRE(status);
  CHECK_FALSE(player.pty().terminal().alternate_screen());
  CHECK(player.pty().terminal().cursor().visible);
}

TEST_CASE("terminal: bookmarks and notes are kept beside the recording, which stays as it is") {
  const Fixture fixture;
  {
    PlayerDriver player(fixture.file, {120, 40});
    REQUIRE(player.settle());
    REQUIRE(player.type("]]mx"));
    REQUIRE(player.type("athe log is gone"));
    REQUIRE(player.press("\r"));
    CHECK(player.quit() == 0);
  }
  std::ifstream notes(fixture.file + ".notes.jsonl");
  const std::string written{std::istreambuf_iterator<char>(notes), {}};
  CHECK(written.find("the log is gone") != std::string::npos);
  PlayerDriver player(fixture.file, {120, 40});
  REQUIRE(player.settle());
  REQUIRE(player.type("'x"));
  CHECK(player.pty().shows("cmd 2/4"));
  REQUIRE(player.type("M"));
  CHECK(player.pty().shows("the log is gone"));
  CHECK(player.quit() == 0);
  std::ifstream again(fixture.file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(again), {}};
  CHECK(as_bytes(bytes).size() == incident_session({80, 24}).size());
}

TEST_CASE("terminal: log lines follow the playhead, and lead it") {
  const Fixture fixture;
  // The recording begins at the fake clock's time; lines are placed around its third command.
  SampleSession probe;
  const auto wall = [&probe](double seconds) {
    return format_rfc3339({probe.clock.wall().us + static_cast<std::int64_t>(seconds * 1e6)}, 3);
  };
  const auto log = fixture.directory / "app.log";
  std::ofstream(log) << wall(1) << " app: started\n"
                     << wall(9.2) << " rsyslogd: error: config broken\n"
                     << wall(400) << " cron: tick\n"
                     << wall(99'999) << " app: long after\n";
  PlayerDriver player(fixture.file, {120, 40}, {}, {"--log", log});
  REQUIRE(player.settle());
  REQUIRE(player.pty().wait_text("cron: tick"));
  CHECK_FALSE(player.pty().shows("long after"));
  REQUIRE(player.type("e"));  // the command that failed, or the error line: whichever is first
  CHECK(player.pty().shows("rsyslog"));
  REQUIRE(player.type("G(("));
  CHECK(player.pty().shows("follows 2/3"));
  REQUIRE(player.type("fis:error"));
  REQUIRE(player.press("\r"));
  CHECK(player.quit() == 0);
}

}  // namespace
