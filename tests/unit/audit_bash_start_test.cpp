// SPDX-License-Identifier: Apache-2.0
#include "audit/bash_start.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sworn::audit;

namespace {
BashStart start(const std::vector<std::string>& argv,
                const std::vector<std::string>& environment = {}) {
  return read_bash_start(argv, environment);
}
}  // namespace

TEST_CASE("bash start: interactive shells are hooked") {
  const std::vector<std::vector<std::string>> interactive{{"bash"},
                                                          {"-bash"},
                                                          {"bash", "-l"},
                                                          {"bash", "--login", "-i"},
                                                          {"bash", "--norc"},
                                                          {"bash", "-s", "an", "argument"},
                                                          {"bash", "-x"},
                                                          {"bash", "+x", "-O", "extglob"},
                                                          {"bash", "--"},
                                                          {"bash", "-"},
                                                          {"bash", "-login"},
                                                          {"bash", "--rcfile", "/dev/null", "-i"},
                                                          {"bash", "-xeo", "pipefail"}};
  for (const auto& argv : interactive) {
    CAPTURE(argv.back());
    CHECK(start(argv).hookable);
  }
}

TEST_CASE("bash start: everything else is left alone with a reason") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> others{
      {{"bash", "-c", "ls"}, "not_interactive"},
      {{"bash", "-lc", "ls"}, "not_interactive"},
      {{"bash", "script"}, "not_interactive"},
      {{"bash", "-x", "script"}, "not_interactive"},
      {{"bash", "--", "script"}, "not_interactive"},
      {{"bash", "--version"}, "not_interactive"},
      {{"bash", "--help"}, "not_interactive"},
      {{"bash", "--rcfile"}, "not_interactive"},
      {{"bash", "-r"}, "restricted"},
      {{"bash", "--restricted"}, "restricted"},
      {{"bash", "-p"}, "privileged"},
      {{"bash", "-O", "extglob", "script"}, "not_interactive"},
      {{"bash", "--init-file", "x", "script"}, "not_interactive"}};
  for (const auto& [argv, reason] : others) {
    CAPTURE(argv.back());
    const auto got = start(argv);
    CHECK_FALSE(got.hookable);
    CHECK(got.reason == reason);
  }
}

TEST_CASE("bash start: what the script must know") {
  const auto a =
      start({"bash", "--norc", "--noprofile", "--rcfile", "my rc"}, {"ENV=x=y", "HISTFILE="});
  CHECK(a.options.no_rc);
  CHECK(a.options.no_profile);
  CHECK(a.options.has_rc_file);
  CHECK(a.options.rc_file == "my rc");
  CHECK(a.options.had_env);
  CHECK(a.options.env == "x=y");
  CHECK(a.options.had_histfile);
  CHECK_FALSE(a.options.keep_posix);
  CHECK(start({"bash", "--posix"}).options.keep_posix);
  CHECK(start({"bash", "-o", "posix"}).options.keep_posix);
  CHECK_FALSE(start({"bash", "+o", "posix"}).options.keep_posix);
  CHECK(start({"bash"}, {"POSIXLY_CORRECT="}).options.keep_posix);
  CHECK(start({"bash"}, {"SHELLOPTS=vi:posix"}).options.keep_posix);
  CHECK_FALSE(start({"bash"}, {"SHELLOPTS=vi:posixish"}).options.keep_posix);
  CHECK(start({"bash", "-O", "inherit_errexit"}).options.keep_inherit_errexit);
}

TEST_CASE("bash start: functions that POSIX mode would refuse move into the script") {
  std::vector<std::string> environment{
      "BASH_FUNC_log-it%%=() {  :\n}", "BASH_FUNC_plain%%=() {  :\n}", "BASH_FUNC_a;b%%=() {  :\n}",
      "BASH_FUNC_x-y%%=no function",   "BASH_FUNC_%%=() {  :\n}",      "PATH=/bin"};
  const auto got = start({"bash"}, environment);
  CHECK(got.options.functions == "log-it () {  :\n}\nbuiltin export -f log-it\n");
  drop_odd_functions(environment);
  CHECK(environment.size() == 5);
  CHECK(environment.front() == "BASH_FUNC_plain%%=() {  :\n}");
}

TEST_CASE("bash start: quoting holds whatever the text is") {
  CHECK(shell_quoted("") == "''");
  CHECK(shell_quoted("a b$`\"\\") == "'a b$`\"\\'");
  CHECK(shell_quoted("it's") == "'it'\\''s'");
}
