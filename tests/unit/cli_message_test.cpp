// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/message.hpp"
#include "cli/session_summary.hpp"
#include "cli/text.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace sworn;
using namespace sworn::cli;

TEST_CASE("cli message: three parts and no control byte reaches the terminal") {
  const auto text = render("verify", {"a\x1b[2Jb", "w\r\n", "d\xff"});
  CHECK(text == "sworn verify: a\\x1b[2Jb\n  why:  w\\x0d\\x0a\n  do:   d\\xff\n");
  CHECK(render("", {"x", "", ""}) == "sworn: x\n");
}

TEST_CASE("cli message: every kind of error of a session file says what and what to do") {
  for (const auto code : {Errc::io, Errc::truncated, Errc::corrupt, Errc::bad_seal,
                          Errc::unsupported, Errc::not_found, Errc::bad_usage, Errc::exhausted}) {
    const auto message =
        explain_session_error("x.sworn", {code, code == Errc::io ? EIO : 0, "detail"});
    CHECK(message.what.find("x.sworn") != std::string::npos);
    CHECK_FALSE(message.why.empty());
    CHECK_FALSE(message.todo.empty());
  }
  CHECK(explain_session_error("x", {Errc::io, ENOENT, "x"}).what == "x: there is no such file");
  CHECK(exit_status_for({Errc::unsupported, 0, ""}) == k_exit_unsupported);
  CHECK(exit_status_for({Errc::corrupt, 0, ""}) == k_exit_failure);
}

TEST_CASE("cli message: an existing output is explained as such") {
  CHECK(explain_output_error("o", {Errc::io, EEXIST, ""}).what == "o: exists already");
  CHECK(explain_output_error("o", {Errc::io, ENOSPC, ""}).todo.find("space") != std::string::npos);
  CHECK(explain_output_error("o", {Errc::io, EACCES, ""}).todo.find("directory") !=
        std::string::npos);
}

TEST_CASE("cli json: every byte is printable ASCII") {
  const Json value = {{"text", "caf\xc3\xa9 \x1b]0;x\x07 \xe2\x80\xae broken \xff"}};
  const auto line = one_line(value);
  for (const char c : line.substr(0, line.size() - 1)) {
    CHECK(c >= 0x20);
    CHECK(c < 0x7f);
  }
  CHECK(line.find("caf\\u00e9") != std::string::npos);
  CHECK(line.find("\\ufffd") != std::string::npos);
}

TEST_CASE("cli summary: argv is quoted so that a shell would read it back") {
  CHECK(join_argv({"ls", "-l", "/tmp"}) == "ls -l /tmp");
  CHECK(join_argv({"a b", "", "it's", "$x"}) == "'a b' '' 'it'\\''s' '$x'");
}

TEST_CASE("cli summary: sizes for people") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1536) == "1.5 KiB");
  CHECK(human_bytes(5ULL << 30U) == "5.0 GiB");
}

TEST_CASE("cli text: long lines hang under their label and long words stay whole") {
  CHECK(labelled("user", "alice", 6) == "user  alice\n");
  CHECK(labelled("user", "", 6) == "user  \n");
  const std::string word(120, 'x');
  CHECK(labelled("a", "b " + word + " c", 4) == "a   b\n    " + word + "\n    c\n");
  CHECK(wrap("one two three", 2, 9) == "  one two\n  three\n");
  CHECK(labelled("t", "\x1b[2J", 3) == "t  \\x1b[2J\n");
}

TEST_CASE("cli text: numbers") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1'000) == "1,000");
  CHECK(grouped(12'345'678) == "12,345,678");
  CHECK(count(1, "seal", "seals") == "1 seal");
  CHECK(count(2'000, "seal", "seals") == "2,000 seals");
}
