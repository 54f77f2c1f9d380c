// SPDX-License-Identifier: Apache-2.0
#include "audit/shell_hook.hpp"
#include "tests/support/pty_shell.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace sworn;
using namespace sworn::test;

namespace {

const std::string k_ps1 = "PS1='@@> '\n";

struct Line {
  std::string typed;
  std::string text;  // empty: as typed
  int exit = 0;
  std::string pipestatus = "0";
  std::string cwd_after = "/tmp";
};

std::vector<Line> lines() {
  return {
      {"true", "", 0, "0"},
      {"false", "", 1, "1"},
      {"(exit 42)", "", 42, "42"},
      {"echo  two  spaces", "", 0, "0"},
      {" echo leading space", "", 0, "0"},
      {"   (exit 3)", "", 3, "3"},
      {"false | true | (exit 3)", "", 3, "1 0 3"},
      {"true | false", "", 1, "0 1"},
      {"! true", "", 1, "0"},
      {"echo a; false; echo b", "", 0, "0"},
      {"echo same", "", 0, "0"},
      {"echo same", "", 0, "0"},
      {"no_such_command_here", "", 127, "127"},
      {"/etc/passwd", "", 126, "126"},
      {"echo 'single \"double\" inside'", "", 0, "0"},
      {"echo \"double 'single' inside\"", "", 0, "0"},
      {"echo back\\\\slash \\$HOME \\n", "", 0, "0"},
      {"echo $'tab\\there'", "", 0, "0"},
      {"printf '%s\\n' 100%", "", 0, "0"},
      {"echo h\xC3\xA9llo \xE6\xBC\xA2\xE5\xAD\x97 \xF0\x9F\x98\x80", "", 0, "0"},
      {"echo `echo backquoted`", "", 0, "0"},
      {"echo $(echo nested $(echo twice))", "", 0, "0"},
      {"echo # a comment behind", "", 0, "0"},
      {"x=5", "", 0, "0"},
      {"((x == 6))", "", 1, "1"},
      {"[[ $x == 5 ]]", "", 0, "0"},
      {"f() { return 7; }", "", 0, "0"},
      {"f", "", 7, "7"},
      {"(cd / && false)", "", 1, "1"},
      {"{ echo group; (exit 9); }", "", 9, "9"},
      {"if false; then echo; else (exit 5); fi", "", 5, "5"},
      {"for i in 1 2; do echo $i; done", "", 0, "0"},
      {"for i in 1 2\rdo echo $i\rdone", "for i in 1 2; do echo $i; done", 0, "0"},
      {"cat <<END\rline  one\r  line two\rEND", "cat <<END\nline  one\n  line two\nEND", 0, "0"},
      {"echo 'open\rquote'", "echo 'open\nquote'", 0, "0"},
      {"echo continued \\\rline", "echo continued line", 0, "0"},
      {"alias hi='echo aliased'", "", 0, "0"},
      {"hi there", "", 0, "0"},
      {"echo >/dev/null 2>&1", "", 0, "0"},
      {"sh -c 'kill -9 $$'", "", 137, "137"},
      {"sleep 0.01 &", "", 0, "137"},  // bash leaves PIPESTATUS alone
      {"wait", "", 0, "0"},
      {"eval 'false'", "", 1, "1"},
      {"set -- a b c", "", 0, "0"},
      {"echo \"$#\" \"${@:2}\" ${x:-default} ${x/5/6}", "", 0, "0"},
      {"echo {a,b}{1,2} ~ *", "", 0, "0"},
      {"cd /", "", 0, "0", "/"},
      {"cd /usr/share && false", "", 1, "1", "/usr/share"},
      {"cd /does/not/exist", "", 1, "1", "/usr/share"},
      {"pushd /tmp >/dev/null", "", 0, "0", "/tmp"},
      {"unset x", "", 0, "0"},
      {"return 4 2>/dev/null", "", 2, "2"},
  };
}

void check_lines(PtyShell& shell, const std::vector<Line>& expected) {
  REQUIRE(shell.prepared());
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  for (const auto& line : expected) {
    shell.run(line.typed);
  }
  shell.finish();
  REQUIRE(shell.ok());
  const auto seen = shell.commands();
  CHECK(shell.hook().counters().forged == 0);
  CHECK(shell.hook().counters().malformed == 0);
  CHECK(shell.hook().counters().lost == 0);
  REQUIRE(seen.size() == expected.size());
  std::string cwd = "/tmp";
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& want = expected[i];
    const auto& got = seen[i];
    CAPTURE(want.typed);
    CHECK(got.begin.text == (want.text.empty() ? want.typed : want.text));
    CHECK(got.begin.text_source == "hook");
    CHECK(got.begin.n == i + 1);
    CHECK(got.begin.cwd == cwd);
    CHECK(got.begin.shell == "bash");
    CHECK(got.begin.anchor_pid > 0);
    CHECK(got.begin.flags.empty());
    REQUIRE(got.end);
    CHECK(got.end->exit_status == want.exit);
    CHECK(got.end->pipestatus == want.pipestatus);
    CHECK(got.end->cwd_after == want.cwd_after);
    CHECK(got.began <= got.ended);
    cwd = want.cwd_after;
  }
}

}  // namespace

TEST_CASE("shell hook: every command line with text and status and directory") {
  PtyShell shell({.files = {{".bashrc", k_ps1}}});
  check_lines(shell, lines());
}

TEST_CASE("shell hook: history rules of the user do not hide lines from the record") {
  PtyShell shell(
      {.files = {{".bashrc", k_ps1 + "HISTCONTROL=ignoreboth\nHISTIGNORE='echo*:[bf]g:&'\n"}}});
  check_lines(shell, lines());
}

TEST_CASE("shell hook: nasty start-up files") {
  const std::vector<std::string> files{
      "set -u\n",
      "set -C -f\nIFS=xyz\n",
      "set -b; shopt -s nocasematch nullglob failglob extglob globstar\n",
      "PROMPT_COMMAND='true'\n",
      "PROMPT_COMMAND=('true; false' 'PS1=\"@@> \"' ':')\n",
      "trap 'last=$BASH_COMMAND' DEBUG\n",
      "shopt -s extdebug; set -TE; trap ':' DEBUG; trap ':' ERR; trap ':' RETURN\n",
      "PS0='$(true)\\t '\n",
      "HISTTIMEFORMAT='%F %T  '\nHISTSIZE=10\n",
      "shopt -s lithist; shopt -u lithist\nalias builtin=false local=false mapfile=false "
      "history=false\n",
      "history() { echo bad; }; printf() { echo bad; }\n",
      "export PS1 PS0\n",
      "unset HISTFILE\nset -a\n",
  };
  for (const auto& file : files) {
    CAPTURE(file);
    PtyShell shell({.files = {{".bashrc", k_ps1 + file}}});
    auto expected = lines();
    if (file.find("failglob") != std::string::npos || file.find("-f\n") != std::string::npos ||
        file.find("printf()") != std::string::npos) {
      expected.resize(12);  // these settings change what some of the lines do
    }
    check_lines(shell, expected);
  }
}

TEST_CASE("shell hook: with set -e the shell lives on and dies as before") {
  PtyShell shell({.files = {{".bashrc", k_ps1 + "set -e\n"}}});
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  shell.run("true");
  shell.run("echo still here");
  shell.run("if false; then :; fi");
  shell.type("false\r");
  CHECK(shell.wait_exit() == 1);
  const auto seen = shell.commands();
  REQUIRE(seen.size() == 4);
  CHECK(seen[3].begin.text == "false");
  REQUIRE(seen[3].end);
  CHECK(seen[3].end->exit_status == 1);
  CHECK(seen[3].end->flags == std::vector<std::string>{"shell_exit"});
}

namespace {

// What a user can see of his shell. Compared between a hooked and an ordinary one, byte for byte.
std::vector<std::string> looks() {
  return {
      "echo \"$?|$-|$0|$#|$SHLVL|${PIPESTATUS[*]}\"",
      "echo "
      "\"[$HISTCONTROL][$HISTIGNORE][$HISTSIZE][$HISTFILESIZE][${HISTFILE/#$HOME/"
      "H}][$HISTTIMEFORMAT]\"",
      " echo ignored",
      "echo twice",
      "echo twice",
      "history",
      "shopt; set -o",
      "shopt -q login_shell; echo $?",
      "env | grep -v -e ^HOME= -e ^PS | sort",
      "echo \"[${ENV-unset}][${POSIXLY_CORRECT-unset}][$PS2][${IFS@Q}]\"",
      "trap -p DEBUG ERR INT",
      "bash -c 'ls /proc/self/fd | wc -l; env | grep -v ^PS | grep -ci sworn'",
      "ls /proc/self/fd",
      "alias; declare -F | grep -v __sworn",
      "false",
      "echo $? $_",
      "false | true",
      "echo \"${PIPESTATUS[*]}\"",
      "echo a b c >/dev/null",
      "echo $_",
      ")",
      "echo $?",
      "# only a comment",
      "",
      "fc -l -3",
      "!!",
      "echo \\!",
      "sleep 0.01 & wait $!; jobs",
      "x=$BASH_SUBSHELL; echo $x $BASH_COMMAND $LINENO",
      "f() { echo in f \"$@\" ${FUNCNAME[*]}; }; f 1 2",
      "set -x",
      "echo traced",
      "set +x",
      "set -u; echo ${nothing-ok}; set +u",
      "nosuchcommand",
      "type -t cd; complete -p | head -2; bind -v | head -3",
      "HISTCONTROL=ignorespace; echo $HISTCONTROL",
      " echo ignored again",
      "history | tail -3",
      "umask; ulimit -n; stty -a | tail -1",
      "kill -0 $$ && echo alive",
      "PS1='\\#-\\!@'; PS1+='@> '",
      "true",
      "PS1='@@'; PS1+='> '",
      "(exit 9)",
  };
}

std::string normalised(std::string text, const PtyShell& shell) {
  const auto replace = [&text](const std::string& what, const std::string& with) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
      text.replace(at, what.size(), with);
      at += with.size();
    }
  };
  replace(shell.home(), "HOME");
  return text;
}

// Job and process numbers differ from run to run: "[1] 12345".
std::string without_job_pids(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    if (text.compare(i, 2, "] ") == 0 && i > 1 && text[i - 2] == '[') {
      out += ' ';
      i += 2;
      while (i < text.size() && text[i] >= '0' && text[i] <= '9') {
        ++i;
      }
      --i;
    }
  }
  return out;
}

struct Look {
  std::vector<std::string> screens;
  std::string history;
  int status = 0;
};

Look look_at(ShellRun run, bool hooked, const std::vector<std::string>& typed) {
  run.hooked = hooked;
  PtyShell shell(run);
  Look look;
  CHECK(shell.wait_for(PtyShell::k_prompt));
  look.screens.push_back(normalised(shell.screen(), shell));
  for (const auto& line : typed) {
    look.screens.push_back(without_job_pids(normalised(shell.run(line), shell)));
  }
  look.status = shell.finish();
  CHECK(shell.ok());
  std::ifstream in(shell.home() + "/.bash_history");
  for (std::string line; std::getline(in, line);) {
    look.history += line.starts_with("#1") ? "(time)\n" : line + "\n";
  }
  return look;
}

void check_same(const ShellRun& run, const std::vector<std::string>& typed) {
  const auto without = look_at(run, false, typed);
  const auto with = look_at(run, true, typed);
  REQUIRE(with.screens.size() == without.screens.size());
  CHECK(with.screens[0] == without.screens[0]);
  for (std::size_t i = 0; i < typed.size(); ++i) {
    CAPTURE(typed[i]);
    CHECK(with.screens[i + 1] == without.screens[i + 1]);
  }
  CHECK(with.history == without.history);
  CHECK(with.status == without.status);
}

}  // namespace

TEST_CASE("shell hook: the user sees the same shell as without it") {
  const std::vector<std::string> files{
      "",
      "HISTCONTROL=ignoreboth\nHISTIGNORE='ls:bg'\n",
      "HISTCONTROL=ignorespace\nshopt -s histappend\nfalse\n",
      "PROMPT_COMMAND='echo \"pc $? ${PIPESTATUS[*]} $_\"'\n",
      "PROMPT_COMMAND=('echo one $?' 'false' 'echo two $?')\nPS0='<before>'\n",
      "trap 'echo \"debug $BASH_COMMAND\"' DEBUG\n",
      "trap 'echo \"debug $BASH_COMMAND\"' DEBUG\nPROMPT_COMMAND='echo prompt'\ntrap 'echo err $?' "
      "ERR\n",
      "set -T; shopt -s extdebug; trap 'echo \"debug $BASH_COMMAND\"' DEBUG\n",
      "export PROMPT_COMMAND='echo logged $?'\n",
      "PROMPT_COMMAND='echo fixed $?'\nreadonly PROMPT_COMMAND HISTCONTROL HISTSIZE HISTFILE\n",
      "HISTTIMEFORMAT='%Y '\nHISTSIZE=5\nHISTFILESIZE=3\n",
      "set -o vi\nset -o history\nset -o noclobber\nshopt -s cmdhist lithist\n",
      "export PS0='<x>' PS1\n",
      "exec 10>/dev/null 11</dev/null\n",
  };
  for (const auto& file : files) {
    CAPTURE(file);
    check_same(
        {.files = {{".bashrc", k_ps1 + file}, {".bash_history", "old one\nold two\necho twice\n"}}},
        looks());
  }
}

TEST_CASE("shell hook: login and other shells read the files that they always read") {
  const std::vector<std::pair<std::string, std::string>> files{
      {".bashrc", k_ps1 + "echo bashrc $0 $-\n"},
      {".bash_profile", k_ps1 + "echo bash_profile $0; shopt login_shell; (exit 3)\n"},
      {".profile", k_ps1 + "echo profile\n"},
      {".env", k_ps1 + "echo env\n"},
      {"other", k_ps1 + "echo other\n"},
  };
  const std::vector<std::string> typed{
      "echo $? $0 $-", "shopt -q login_shell; echo $?", "set -o | grep posix",
      "echo \"[${ENV-unset}]\"; env | grep -v -e HOME= -e ^PS | sort"};
  const std::vector<std::vector<std::string>> argvs{
      {"-bash"},
      {"bash", "-l"},
      {"bash", "--login"},
      {"bash", "-i"},
      {"bash", "--noediting"},
      {"bash", "-s", "one", "two"},
      {"bash", "-O", "nullglob", "+O", "cmdhist"},
      {"bash", "-o", "noglob"},
  };
  for (const auto& argv : argvs) {
    CAPTURE(argv.back());
    check_same({.argv = argv, .files = files}, typed);
    check_same(
        {.argv = argv, .environment = {"ENV=/nonexistent", "HISTFILE=/dev/null"}, .files = files},
        typed);
  }
  SUBCASE("the next file where one is missing") {
    check_same({.argv = {"-bash"}, .files = {files[2]}}, typed);
    check_same(
        {.argv = {"-bash"}, .files = {{".bash_login", k_ps1 + "echo bash_login\n"}, files[2]}},
        typed);
  }
  SUBCASE("none at all") {
    check_same({.argv = {"bash", "--norc"}, .environment = {"PS1=@@> "}, .files = files}, typed);
    check_same({.argv = {"bash", "--noprofile", "-l"}, .environment = {"PS1=@@> "}, .files = files},
               typed);
  }
  SUBCASE("POSIX mode by wish") {
    check_same({.argv = {"bash", "--posix"},
                .environment = {"PS1=@@> ", "ENV=$HOME/.env"},
                .files = files},
               typed);
    check_same({.environment = {"PS1=@@> ", "POSIXLY_CORRECT=1"}, .files = files}, typed);
  }
  SUBCASE("functions from the environment") {
    check_same({.environment = {"BASH_FUNC_log-it%%=() {  echo logged \"$@\"\n}",
                                "BASH_FUNC_plain%%=() {  echo plain\n}"},
                .files = files},
               {"log-it x", "plain", "declare -F | grep -v __sworn", "bash -c 'log-it y; plain'"});
  }
}

TEST_CASE("shell hook: a start-up file that breaks off does not lose the hook") {
  PtyShell shell(
      {.files = {{".bashrc", k_ps1 + "set -u\necho $undefined_variable\necho never\n"}}});
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  shell.run("echo one");
  shell.run("echo two");
  shell.finish();
  const auto seen = shell.commands();
  REQUIRE(seen.size() == 2);
  CHECK(seen[1].begin.text == "echo two");
  CHECK(seen[1].end);
}

TEST_CASE("shell hook: what the user does to the hooks at run time") {
  PtyShell shell({.files = {{".bashrc", k_ps1}}});
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  const std::vector<std::string> typed{"PROMPT_COMMAND=true",
                                       "echo 1",
                                       "PS0=",
                                       "echo 2",
                                       "unset PROMPT_COMMAND",
                                       "echo 3",
                                       "PROMPT_COMMAND=()",
                                       "echo 4",
                                       "unset PS0",
                                       "echo 5",
                                       "shopt -u promptvars",
                                       "echo 6",
                                       "shopt -s promptvars",
                                       "echo 7",
                                       "set -o posix",
                                       "echo 8",
                                       "set +o posix",
                                       "echo 9",
                                       "HISTCONTROL=ignoreboth",
                                       " echo 10",
                                       " echo 10",
                                       "unset HISTCONTROL",
                                       " echo 11",
                                       "shopt -u cmdhist",
                                       "echo 12",
                                       "for i in a\rdo :\rdone"};
  for (const auto& line : typed) {
    const auto shown = shell.run(line);
    CAPTURE(line);
    CHECK(shown.find("sworn") == std::string::npos);
    CHECK(shown.find("bash:") == std::string::npos);
  }
  shell.finish();
  REQUIRE(shell.ok());
  const auto seen = shell.commands();
  REQUIRE(seen.size() == typed.size());
  for (std::size_t i = 0; i + 1 < typed.size(); ++i) {
    CAPTURE(typed[i]);
    CHECK(seen[i].begin.text == typed[i]);
    // The end of a line that removes the prompt hook is lost; the next line brings the hook back.
    const bool removes =
        typed[i].starts_with("PROMPT_COMMAND=") || typed[i] == "unset PROMPT_COMMAND";
    CHECK(seen[i].end.has_value() == !removes);
  }
  CHECK(seen.back().begin.text == "for i in a\ndo :\ndone");
}

TEST_CASE("shell hook: a fixed or exported PROMPT_COMMAND stays untouched") {
  for (const auto* line : {"export PROMPT_COMMAND='echo logged'\n", "readonly PROMPT_COMMAND\n",
                           "PROMPT_COMMAND='echo logged'; readonly PROMPT_COMMAND PS0\n"}) {
    CAPTURE(line);
    PtyShell shell({.files = {{".bashrc", k_ps1 + line}, {".bash_history", "old\n"}}});
    REQUIRE(shell.wait_for(PtyShell::k_prompt));
    shell.run("true");
    shell.run("(exit 3) | (exit 4)");
    shell.run("bash -c 'echo \"[$PROMPT_COMMAND]\"'");
    const bool exported = std::string(line).starts_with("export");
    CHECK((shell.screen().find("[echo logged]") != std::string::npos) == exported);
    shell.finish();
    const auto seen = shell.commands();
    REQUIRE(seen.size() == 3);
    CHECK(seen[1].begin.text == "(exit 3) | (exit 4)");
    REQUIRE(seen[1].end);
    CHECK(seen[1].end->exit_status == 4);
    CHECK(seen[1].end->pipestatus == "3 4");
    CHECK(shell.screen().find("readonly") == std::string::npos);
  }
}

TEST_CASE("shell hook: long lines arrive whole and too long ones say so") {
  PtyShell shell(
      {.files = {{".bashrc", k_ps1 +
                                 "bind 'set enable-bracketed-paste off'\n"
                                 "long() { printf -v x '%0*d' $1 0; history -s \": $x\"; }\n"}}});
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  shell.run("long 100000");
  shell.run("!!");  // bash prints the expanded line: 100 kB on the screen
  shell.run("long 2000000; x=");
  shell.run("!! #");
  shell.finish();
  REQUIRE(shell.ok());
  const auto seen = shell.commands();
  REQUIRE(seen.size() == 4);
  CHECK(seen[1].begin.text.size() == 100'002);
  const bool same = seen[1].begin.text == ": " + std::string(100'000, '0');
  CHECK(same);
  CHECK(seen[1].begin.text_source == "hook");
  CHECK(seen[3].begin.text.size() == std::size_t{1} << 20U);
  CHECK(seen[3].begin.flags == std::vector<std::string>{"truncated", "more"});
  CHECK(shell.hook().counters().truncated == 1);
}

TEST_CASE("shell hook: processes of the user can not speak for the shell") {
  PtyShell shell({.files = {{".bashrc", k_ps1}}});
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  // The socket is not there for programs; a child that inherits it from a subshell lacks the key.
  const auto listing = shell.run("ls -l /proc/self/fd");
  CHECK(listing.find("socket") == std::string::npos);
  shell.run("(echo forged >&\"$__sworn_fd\")");
  shell.run("exec 77>&\"$__sworn_fd\"");
  shell.run("/bin/echo forged >&77");
  // A grandchild that read the key out of the shell.
  shell.run(
      "(sh -c 'printf \"SW1\\000%s\\000E\\0001\\0000\\0000\\000/\\000\" \"$1\"; sleep 0.3' sh "
      "\"$__sworn_key\"; :) >&77");
  shell.finish();
  CHECK(shell.hook().counters().forged >= 3);
  CHECK(shell.commands().size() == 5);
  bool reported = false;
  for (const auto& fact : shell.facts()) {
    reported |= fact.kind == format::EventKind::gap &&
                format::decode_gap(fact.data)->reason == "hook_forged";
  }
  CHECK(reported);
}

TEST_CASE("shell hook: comments and broken lines are on record as not run") {
  PtyShell shell({.files = {{".bashrc", k_ps1 + "HISTCONTROL=ignoreboth\n"}}});
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  shell.run("# a comment");
  shell.run(")");
  shell.run("");
  shell.run("echo \"$?\"");
  shell.finish();
  const auto seen = shell.commands();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].begin.text == "# a comment");
  CHECK(seen[0].begin.flags == std::vector<std::string>{"not_run"});
  CHECK(seen[1].begin.text == ")");
  CHECK(seen[1].end->exit_status == 2);
  CHECK(seen[2].begin.flags.empty());
}

TEST_CASE("shell hook: a history that is switched off gives no text and never a stale one") {
  PtyShell shell({.files = {{".bashrc", k_ps1}}});
  REQUIRE(shell.wait_for(PtyShell::k_prompt));
  shell.run("echo known");
  shell.run("set +o history");
  shell.run("echo unknown");
  shell.run("set -o history");
  shell.run("echo known again");
  shell.run("HISTSIZE=0");
  shell.run("echo unknown too");
  shell.finish();
  const auto seen = shell.commands();
  REQUIRE(seen.size() == 7);
  CHECK(seen[2].begin.text_source == "none");
  CHECK(seen[2].begin.text.empty());
  CHECK(seen[4].begin.text == "echo known again");
  CHECK(seen[6].begin.text_source == "none");
}

TEST_CASE("shell hook: exec and exit end a shell in order") {
  SUBCASE("exit with a status") {
    PtyShell shell({.files = {{".bashrc", k_ps1}}});
    REQUIRE(shell.wait_for(PtyShell::k_prompt));
    shell.type("exit 7\r");
    CHECK(shell.wait_exit() == 7);
    const auto seen = shell.commands();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].end->exit_status == 7);
    CHECK(seen[0].end->flags == std::vector<std::string>{"shell_exit"});
  }
  SUBCASE("an exit trap of the user wins") {
    PtyShell shell({.files = {{".bashrc", k_ps1 + "trap 'echo bye $?' EXIT\n"}}});
    REQUIRE(shell.wait_for(PtyShell::k_prompt));
    shell.type("exit 7\r");
    CHECK(shell.wait_exit() == 7);
    CHECK(shell.screen().find("bye 7") != std::string::npos);
    CHECK_FALSE(shell.commands().at(0).end);
  }
  SUBCASE("exec has no end") {
    PtyShell shell({.files = {{".bashrc", k_ps1}}});
    REQUIRE(shell.wait_for(PtyShell::k_prompt));
    shell.type("exec true\r");
    CHECK(shell.wait_exit() == 0);
    const auto seen = shell.commands();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].begin.text == "exec true");
    CHECK_FALSE(seen[0].end);
  }
}

TEST_CASE("shell hook: other programs and shells on pipes are left alone") {
  SystemClock clock;
  for (const auto& argv :
       std::vector<std::vector<std::string>>{{"ls"}, {"bash", "-c", "ls"}, {"dash"}}) {
    audit::ShellHook hook(clock);
    audit::ChildSetup setup{"/bin/" + argv[0], argv, {"A=b"}, {}};
    CHECK(hook.prepare(setup));
    CHECK(setup.argv == argv);
    CHECK(setup.environment == std::vector<std::string>{"A=b"});
    CHECK(setup.inherit.empty());
    CHECK(hook.fd() == -1);
    CHECK(hook.shell().empty());
    CHECK_FALSE(hook.reason().empty());
  }
}
