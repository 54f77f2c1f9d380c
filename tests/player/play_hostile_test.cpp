// SPDX-License-Identifier: Apache-2.0
// Recordings that were made to harm who watches them: whatever is in them, and in every text around
// them, not one control of theirs reaches the viewer's terminal.
#include "tests/player/player_driver.hpp"
#include "tests/player/terminal_output.hpp"
#include "tests/support/sample_session.hpp"

#include <doctest/doctest.h>

#include <array>
#include <random>

namespace {

using namespace sworn;
using namespace sworn::test;

constexpr auto k_nasty = std::to_array<std::string_view>({
    "\x1b]52;c;cm0gLXJmIC8K\x07",
    "\x1b]52;c;?\x1b\\",
    "\x1b]0;title\x07",
    "\x1b]2;\x1b[31mtitle\x1b\\",
    "\x1b[21t",
    "\x1b[c",
    "\x1b[>c",
    "\x1b[6n",
    "\x1b[?15n",
    "\x1b[8;10;200t",
    "\x1bP$qm\x1b\\",
    "\x1bP1;2|17/41\x1b\\",
    "\x1bPq#0;2;0;0;0#0~~@@\x1b\\",
    "\x1b_Gi=1,a=T;AAAA\x1b\\",
    "\x1b^privacy\x1b\\",
    "\x1bXstart of string\x1b\\",
    "\x1b]8;;file:///etc/passwd\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]1337;File=name=eA==;inline=1:AAAA\x07",
    "\x1b]777;notify;a;b\x07",
    "\x1b]7777;999999;999999\x07",
    "\x1b[?1049l",
    "\x1b"
    "c",
    "\x1b[!p",
    "\x1b[?1003h\x1b[?1015h",
    "\x1b[?2004h\x1b[?1004h",
    "\x1b[5i",
    "\x1b[4i",
    "\x9b"
    "31m",
    "\xc2\x9b"
    "31m",
    "\xc2\x9d"
    "52;c;AAAA\xc2\x9c",
    "\xe2\x80\xae"
    "gpj.exe\xe2\x80\xac",
    "\xe2\x81\xa6\xe2\x80\x8b\xe2\x80\x8d\xef\xbb\xbf",
    "\xf3\xa0\x81\x81\xf3\xa0\x81\x82",
    "a\xcc\x81\xcc\x82\xcc\x83\xcc\x84\xcc\x85\xcc\x86\xcc\x87\xcc\x88",
    "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
    "\xe2\x9a\xa0\xef\xb8\x8f",
    "\xed\xa0\x80\xff\xfe\xc0\x80",
    "\x05\x07\x0e\x0f\x08\x0b\x0c",
    "\x1b[8mhidden\x1b[m",
    "\x1b[31;41msame\x1b[m",
    "\x1b(0lqqk\x1b(B",
    "\x1b#8",
    "\x1b[999999999;999999999H",
    "\x1b[38;2;1;2;3m\x1b[48;5;300m",
    "\x1b[2147483648b",
    "SEALED  [80x24]  index 100 %",
});

std::string nasty_text(std::mt19937& random, std::size_t pieces) {
  std::string text;
  for (std::size_t i = 0; i < pieces; ++i) {
    switch (random() % 4) {
      case 0:
        for (auto n = random() % 24; n > 0; --n) {
          text += static_cast<char>(random());
        }
        break;
      case 1:
        text += "plain text " + std::to_string(random() % 1000) + "\r\n";
        break;
      default:
        text += k_nasty[random() % k_nasty.size()];
    }
  }
  return text;
}

// Nasty in every text that a recording can carry.
Bytes hostile_session(unsigned seed) {
  std::mt19937 random(seed);
  SampleSession s;
  format::SessionStart start;
  for (auto* const text : {&start.user, &start.hostname, &start.pts, &start.cwd, &start.reason,
                           &start.ticket, &start.ssh_connection, &start.term, &start.zone}) {
    *text = "x" + nasty_text(random, 2);
  }
  start.size = {80, 24};
  start.argv = {nasty_text(random, 3), nasty_text(random, 3)};
  s.put(format::EventKind::session_start, encode(start));
  std::uint64_t n = 0;
  for (int i = 0; i < 60; ++i) {
    switch (random() % 6) {
      case 0: {
        ++n;
        s.put(
            format::EventKind::command_begin,
            encode(format::CommandBegin{n, 42, nasty_text(random, 3), "hook", "/", "bash", 0, {}}));
        s.output(nasty_text(random, 10));
        s.put(format::EventKind::command_end,
              encode(format::CommandEnd{n, 42, static_cast<int>(random() % 2), "0", "/", {}}));
        break;
      }
      case 1:
        s.put(format::EventKind::marker, encode(format::Marker{nasty_text(random, 2)}));
        break;
      case 2:
        s.put(format::EventKind::input, as_bytes(nasty_text(random, 2)));
        break;
      case 3:
        s.put(format::EventKind::gap,
              encode(format::Gap{nasty_text(random, 1), 1, 2, nasty_text(random, 2)}));
        break;
      default:
        s.output(nasty_text(random, 30));
    }
  }
  s.put(format::EventKind::exit, encode(format::Exit{0, 0, false, 0, nasty_text(random, 2)}));
  must(s.writer->finish({0}));
  return s.file.data();
}

// Goes everywhere and opens every window.
void look_at_everything(PlayerDriver& player) {
  for (const std::string_view keys :
       {"G", "g", ">>>", "...", "5",  "R", "6", "c", "q", "s",  "q", "S",
        "q", "M", "q",   "K",   "]]", "e", "e", "T", "T", "C",  "W", "W",
        "t", "t", "z",   "7",   "z",  "8", "*", "n", "V", "jj", "y"}) {
    REQUIRE(player.type(keys));
  }
  REQUIRE(player.press("\x1b"));  // leaves the prompt
  REQUIRE(player.type("/SEALED"));
  REQUIRE(player.press("\r"));
  REQUIRE(player.press("\x1bOP"));
  REQUIRE(player.type("q"));
}

void play_and_judge(const Bytes& session, const std::vector<std::string>& environment) {
  TempDir directory;
  const auto file = directory / "hostile.sworn";
  write_file(file, session);
  PlayerDriver player(file, {100, 30}, environment);
  look_at_everything(player);
  const auto status = player.quit();
  REQUIRE(status);
  CHECK(*status == 0);
  CHECK(player.output().size() > 1000);
  CHECK(foreign_output(player.output()) == "");
}

TEST_CASE("hostile: the judge notices what must not pass") {
  CHECK(foreign_output("\x1b[?1049h\x1b[22;0;0t\x1b[1;24r\x1b(B\x1b[mhello\r\n") == "");
  CHECK(foreign_output("\x1b]7777;12;3\x07 text \xe2\x96\x81") == "");
  for (const auto nasty : {"\x1b]52;c;AAAA\x07", "\x1b]0;t\x07", "\x1b[6n", "\x1b[c", "\x1b[21t",
                           "\x1bP$qm\x1b\\", "\x1b_x\x1b\\",
                           "\x1b"
                           "c",
                           "\x07",
                           "\x9b"
                           "31m",
                           "\xc2\x9b", "\xe2\x80\xae", "\xe2\x80\x8b", "\x05", "\x1b[?1003;1015h",
                           "\x1b]7777;x\x07", "\x1b[5i", "\xef\xbb\xbf"}) {
    CAPTURE(nasty);
    CHECK(foreign_output(std::string("before ") + nasty) != "");
  }
}

TEST_CASE("hostile: no control of a recording reaches the terminal") {
  const char* const rounds = std::getenv("SWORN_TEST_ROUNDS");
  const unsigned last = rounds == nullptr ? 4 : static_cast<unsigned>(std::atoi(rounds));
  for (unsigned seed = 1; seed <= last; ++seed) {
    CAPTURE(seed);
    play_and_judge(hostile_session(seed), {});
  }
}

TEST_CASE("hostile: neither on other kinds of terminals") {
  const auto session = hostile_session(77);
  play_and_judge(session, {"COLORTERM=truecolor"});
  play_and_judge(session, {"TERM=vt100"});
  play_and_judge(session, {"TERM=linux"});
  play_and_judge(session, {"LC_ALL=C"});
}

TEST_CASE("hostile: strings without end, floods, absurd sizes") {
  SampleSession s;
  format::SessionStart start;
  start.size = {80, 24};
  start.argv = {"bash"};
  s.put(format::EventKind::session_start, encode(start));
  std::string two_megabytes = "\x1b]52;c;";
  two_megabytes.resize(2'000'000, 'A');
  for (std::size_t at = 0; at < two_megabytes.size(); at += 60'000) {
    s.output(two_megabytes.substr(at, 60'000));
  }
  s.output("\x07 seen \r\n");
  std::string flood;
  for (int i = 0; i < 4'000; ++i) {
    flood += "\x1b[?1049h\x1b[2J\x1b[?1049l\x1b[1;1r\x1b[r";
  }
  s.output(flood.substr(0, 60'000));
  s.put(format::EventKind::resize, encode(format::Resize{{4096, 4096}}));
  s.output("\x1b[4096;4096Hcorner");
  s.put(format::EventKind::resize, encode(format::Resize{{1, 1}}));
  s.output("\xe6\xbc\xa2\xe6\xbc\xa2");
  s.put(format::EventKind::resize, encode(format::Resize{{80, 24}}));
  s.output("\x1b[H end of it");
  must(s.writer->finish({0}));
  TempDir directory;
  const auto file = directory / "flood.sworn";
  write_file(file, s.file.data());
  PlayerDriver player(file, {80, 24});
  REQUIRE(player.settle());
  for (const std::string_view keys : {"G", "<<<<", "g", ">", "5", "G"}) {
    REQUIRE(player.type(keys));
  }
  CHECK(player.pty().shows("end of it"));
  REQUIRE(player.quit() == 0);
  CHECK(foreign_output(player.output()) == "");
}

}  // namespace
