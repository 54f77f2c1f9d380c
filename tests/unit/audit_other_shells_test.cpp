// SPDX-License-Identifier: Apache-2.0
#include "audit/fish_script.hpp"
#include "audit/zsh_script.hpp"
#include "tests/support/pty_shell.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

using namespace sworn;
using namespace sworn::test;

namespace {

struct Line {
  std::string typed;
  int exit = 0;
  std::string pipestatus = "0";
  std::string cwd_after = "/tmp";
};

// zsh draws its prompt with the width of the terminal in mind; these keep it plain.
ShellRun zsh_run(const std::string& rc, std::vector<std::string> argv = {"zsh"}) {
  ShellRun run;
  run.program = "/usr/bin/zsh";
  run.argv = std::move(argv);
  run.files = {{".zshrc", "PROMPT='@@> '\nunsetopt PROMPT_SP PROMPT_CR\n" + rc}};
  return run;
}

ShellRun fish_run(const std::string& config) {
  ShellRun run;
  run.program = "/usr/bin/fish";
  run.argv = {"fish"};
  run.files = {{"config.fish", config}};
  run.environment = {"XDG_CONFIG_HOME=/nonexistent-sworn", "fish_greeting="};
  return run;
}

bool missing(const std::string& program) {
  if (std::filesystem::exists(program)) {
    return false;
  }
  MESSAGE("SKIPPED: " << program << " is not installed");
  return true;
}

void check_lines(PtyShell& shell, const std::vector<Line>& lines, const std::string& name) {
  REQUIRE(shell.prepared());
  REQUIRE(shell.hook().shell() == name);
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  for (const auto& line : lines) {
    shell.run(line.typed);
  }
  shell.finish();
  CHECK(shell.ok());
  CHECK(shell.hook().counters().forged == 0);
  CHECK(shell.hook().counters().malformed == 0);
  const auto seen = shell.commands();
  REQUIRE(seen.size() == lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i].typed);
    CHECK(seen[i].begin.text == lines[i].typed);
    CHECK(seen[i].begin.text_source == "hook");
    CHECK(seen[i].begin.shell == name);
    REQUIRE(seen[i].end);
    CHECK(seen[i].end->exit_status == lines[i].exit);
    CHECK(seen[i].end->pipestatus == lines[i].pipestatus);
    CHECK(seen[i].end->cwd_after == lines[i].cwd_after);
    CHECK(seen[i].began <= seen[i].ended);
  }
}

std::vector<Line> zsh_lines() {
  return {
      {"true"},
      {"false", 1, "1"},
      {"(exit 42)", 42, "42"},
      {"echo  two  spaces"},
      {" echo leading space"},
      {"false | true | (exit 3)", 3, "1 0 3"},
      {"no_such_command_here", 127, "127"},
      {"echo 'single \"double\"' \\$HOME %s"},
      {"echo h\xC3\xA9llo \xE6\xBC\xA2\xE5\xAD\x97"},
      {"for i in 1 2; do echo $i; done"},
      {"f() { return 7; }"},
      {"f", 7, "7"},
      {"alias hi='echo aliased'"},
      {"hi there"},
      {"cd /usr/share && false", 1, "1", "/usr/share"},
      {"cd /tmp"},
      {"echo " + std::string(3000, 'x')},
  };
}

}  // namespace

TEST_CASE("zsh hook: every command line with text and status and directory") {
  if (missing("/usr/bin/zsh")) {
    return;
  }
  PtyShell shell(zsh_run(""));
  check_lines(shell, zsh_lines(), "zsh");
  CHECK(shell.screen().find("sworn") == std::string::npos);
}

TEST_CASE("zsh hook: start-up files that get in the way") {
  if (missing("/usr/bin/zsh")) {
    return;
  }
  for (const std::string rc : {
           "setopt HIST_IGNORE_SPACE HIST_IGNORE_ALL_DUPS HIST_NO_STORE\n",
           "setopt KSH_ARRAYS SH_WORD_SPLIT NO_UNSET\n",
           "precmd() { true; }; preexec() { false; }\n",
           "precmd_functions=(); preexec_functions=()\n",
           "autoload -Uz add-zsh-hook; mine() { false; }; add-zsh-hook precmd mine; add-zsh-hook "
           "preexec mine\n",
           "alias builtin=false emulate=false local=false\n",
           "setopt ERR_RETURN NO_NOMATCH EXTENDED_GLOB\n",
       }) {
    CAPTURE(rc);
    PtyShell shell(zsh_run(rc));
    std::vector<Line> lines = zsh_lines();
    if (rc.find("KSH_ARRAYS") != std::string::npos || rc.find("alias builtin") == 0) {
      lines.resize(6);
    }
    check_lines(shell, lines, "zsh");
  }
}

TEST_CASE("zsh hook: the user's own hooks run and ZDOTDIR is as it was") {
  if (missing("/usr/bin/zsh")) {
    return;
  }
  PtyShell shell(
      zsh_run("preexec() { print -r -- \"PRE<$1>\"; }\nprecmd() { print -r -- "
              "\"POST<$?>\"; }\n"));
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  const auto shown = shell.run("(exit 5)");
  CHECK(shown.find("PRE<(exit 5)>") != std::string::npos);
  CHECK(shown.find("POST<5>") != std::string::npos);
  CHECK(shell.run("print -r -- \"Z<${ZDOTDIR-unset}>\"").find("Z<unset>") != std::string::npos);
  CHECK(shell.run("env | grep -c -i sworn_").find("\n0") != std::string::npos);
  shell.finish();
  const TempDir dotdir;
  std::ofstream(dotdir / ".zshrc") << "PROMPT='@@> '\nunsetopt PROMPT_SP PROMPT_CR\n";
  PtyShell other(
      {.argv = {"zsh"}, .program = "/usr/bin/zsh", .environment = {"ZDOTDIR=" + dotdir.path()}});
  REQUIRE(other.wait_for("@@> "));
  CHECK(other.run("print -r -- \"Z<$ZDOTDIR>\"").find("Z<" + dotdir.path() + ">") !=
        std::string::npos);
  other.finish();
}

TEST_CASE("zsh hook: login shells, long lines, subshells and exit") {
  if (missing("/usr/bin/zsh")) {
    return;
  }
  PtyShell shell(zsh_run("", {"-zsh"}));
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  CHECK(shell.run("[[ -o login ]] && print -r -- L${:-ogin}").find("Login") != std::string::npos);
  shell.run("eval \"echo ${(l:200000::y:)} >/dev/null\"");
  shell.run("(true; (true)); x=$(true)");
  shell.type("exit 9\r");
  CHECK(shell.wait_exit() == 9);
  const auto seen = shell.commands();
  REQUIRE(seen.size() == 4);
  CHECK(seen[3].begin.text == "exit 9");
  REQUIRE(seen[3].end);
  CHECK(seen[3].end->exit_status == 9);
  CHECK(shell.hook().counters().forged == 0);
}

TEST_CASE("zsh hook: a program that inherits the socket is not believed") {
  if (missing("/usr/bin/zsh")) {
    return;
  }
  PtyShell shell(zsh_run(""));
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  shell.run("cat /proc/self/fd/201 2>/dev/null | grep -a -c __sworn_key");
  shell.run(
      "perl -e 'syswrite(STDOUT, qq{SW1\\0guess\\0B\\0\\0raw\\0000\\0/\\0forged\\0})' "
      ">/proc/self/fd/200 2>/dev/null || perl -e 'open(F,q{>&=200});syswrite(F, "
      "qq{SW1\\0guess\\0B\\0\\0raw\\0000\\0/\\0forged\\0})'");
  shell.finish();
  for (const auto& command : shell.commands()) {
    CHECK(command.begin.text != "forged");
  }
  CHECK(shell.screen().find("\n1") == std::string::npos);  // the key is gone from the file
}

TEST_CASE("fish hook: every command line with text and status and directory") {
  if (missing("/usr/bin/fish")) {
    return;
  }
  PtyShell shell(fish_run(""));
  REQUIRE(shell.prepared());
  // fish writes its prompt with escape sequences and asks the terminal things: no plain prompt to
  // wait for before this.
  shell.type("function fish_prompt; echo -n '@@> '; end; function fish_mode_prompt; end\r");
  const std::vector<Line> lines{
      {"true"},
      {"false", 1, "1"},
      {"sh -c 'exit 42'", 42, "42"},
      {"echo  two  spaces"},
      {"false | true | sh -c 'exit 3'", 3, "1 0 3"},
      {"no_such_command_here", 127, "127"},
      {"cd /usr/share; and false", 1, "1", "/usr/share"},
      {"cd /tmp"},
  };
  REQUIRE(shell.wait_for("@@> "));
  REQUIRE(shell.wait_for("@@> "));
  for (const auto& line : lines) {
    shell.type(line.typed + "\r");
    for (int i = 0; i < 200 && (shell.commands().empty() || !shell.commands().back().end ||
                                shell.commands().back().begin.text != line.typed);
         ++i) {
      shell.type("");
      static_cast<void>(shell.wait_for("\x01never", 50));
    }
  }
  shell.type("exit\r");
  shell.wait_exit();
  auto seen = shell.commands();
  std::erase_if(seen,
                [](const auto& c) { return c.begin.text.starts_with("function fish_prompt"); });
  REQUIRE(seen.size() >= lines.size());
  for (std::size_t i = 0; i < lines.size(); ++i) {
    CAPTURE(lines[i].typed);
    CHECK(seen[i].begin.text == lines[i].typed);
    CHECK(seen[i].begin.shell == "fish");
    REQUIRE(seen[i].end);
    CHECK(seen[i].end->exit_status == lines[i].exit);
    CHECK(seen[i].end->pipestatus == lines[i].pipestatus);
    CHECK(seen[i].end->cwd_after == lines[i].cwd_after);
  }
  CHECK(shell.hook().counters().forged == 0);
  CHECK(shell.hook().counters().malformed == 0);
}

TEST_CASE("other shells: which starts are interactive") {
  using audit::read_fish_start;
  using audit::read_zsh_start;
  CHECK(read_zsh_start({"zsh"}, {}).hookable);
  CHECK(read_zsh_start({"-zsh"}, {}).hookable);
  CHECK(read_zsh_start({"zsh", "-l", "-i"}, {}).hookable);
  CHECK(read_zsh_start({"zsh", "-o", "extendedglob"}, {}).hookable);
  CHECK(read_zsh_start({"zsh", "-s", "word"}, {}).hookable);
  CHECK(read_zsh_start({"zsh", "-c", "true"}, {}).reason == "not_interactive");
  CHECK(read_zsh_start({"zsh", "-ic", "true"}, {}).reason == "not_interactive");
  CHECK(read_zsh_start({"zsh", "script"}, {}).reason == "not_interactive");
  CHECK(read_zsh_start({"zsh", "-f"}, {}).reason == "no_rc");
  CHECK(read_zsh_start({"zsh", "-o", "NO_RCS"}, {}).reason == "no_rc");
  CHECK(read_zsh_start({"zsh", "+o", "rcs"}, {}).reason == "no_rc");
  CHECK(read_zsh_start({"zsh"}, {"ZDOTDIR=/x"}).options.zdotdir == "/x");
  CHECK(read_fish_start({"fish"}).hookable);
  CHECK(read_fish_start({"fish", "-l", "-C", "true"}).hookable);
  CHECK_FALSE(read_fish_start({"fish", "-c", "true"}).hookable);
  CHECK_FALSE(read_fish_start({"fish", "script.fish"}).hookable);
  CHECK_FALSE(read_fish_start({"fish", "--version"}).hookable);
}
