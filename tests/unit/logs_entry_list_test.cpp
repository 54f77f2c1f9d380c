// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/divergence.hpp"
#include "audit/logs/entry_list.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace sworn;
using namespace sworn::audit;
using namespace sworn::audit::logs;
using format::EventKind;

namespace {

// A session as a script: times in microseconds, pid P starts at time P.
class Script {
 public:
  Script() {
    format::SessionStart start;
    start.user = "root";
    start.child_pid = 10;
    put(EventKind::session_start, 0, format::encode(start));
    exec(10, 0, {"bash"});
  }
  void put(EventKind kind, std::int64_t at, Bytes data) {
    kept_.push_back(std::move(data));
    format::EventView event;
    event.number = number_++;
    event.kind = kind;
    event.t = event.at = {at};
    event.data = kept_.back();
    list.add(event);
  }
  void exec(std::int64_t pid, std::int64_t parent, std::vector<std::string> argv,
            std::vector<ProcessId> via = {}, std::int64_t ppid = -1, std::string input = "tty") {
    ExecFact f;
    f.process = {pid, pid};
    f.parent = parent == 0 ? ProcessId{} : ProcessId{parent, parent};
    f.ppid = ppid < 0 ? parent : ppid;
    f.via = std::move(via);
    f.file = f.exe = "/bin/" + argv[0];
    f.argv = std::move(argv);
    f.input = std::move(input);
    f.source = "ebpf";
    put(EventKind::exec, pid + 1, encode(f));
  }
  void exit(std::int64_t pid, std::int64_t parent, std::int64_t at, int status = 0) {
    ExitFact f;
    f.process = {pid, pid};
    f.parent = {parent, parent};
    f.status = status;
    put(EventKind::exec_exit, at, encode(f));
  }
  // The line begins at `at`; its anchor is the child of the shell that was forked a bit before.
  void begin(std::uint64_t n, std::int64_t at, std::string text, std::int64_t anchor) {
    exit(anchor, 10, at + 1);
    format::CommandBegin f;
    f.n = n;
    f.shell_pid = 10;
    f.text = std::move(text);
    f.text_source = "hook";
    f.shell = "bash";
    f.anchor_pid = anchor;
    put(EventKind::command_begin, at, format::encode(f));
  }
  void end(std::uint64_t n, std::int64_t at, int status = 0) {
    format::CommandEnd f;
    f.n = n;
    f.shell_pid = 10;
    f.exit_status = status;
    put(EventKind::command_end, at, format::encode(f));
  }
  void enter(std::int64_t at) { put(EventKind::input, at, to_bytes("\r")); }

  const Process& process(std::int64_t pid) {
    const auto& all = list.processes();
    const auto it =
        std::find_if(all.begin(), all.end(), [&](const auto& p) { return p.id.pid == pid; });
    REQUIRE(it != all.end());
    return *it;
  }
  bool diverges(DivergenceKind kind) {
    const auto found = find_divergences(list);
    return std::any_of(found.begin(), found.end(), [&](const auto& d) { return d.kind == kind; });
  }

  EntryList list;

 private:
  std::vector<Bytes> kept_;
  std::uint64_t number_ = 0;
};

constexpr std::int64_t k_ms = 1000;

}  // namespace

TEST_CASE(
    "logs: the order of forks decides to which line a process belongs, not the hook's clock") {
  Script s;
  // The clock of the hook is wrong by 40 ms: both lines claim to have begun after their processes.
  s.begin(1, 140 * k_ms, "first", 100 * k_ms);
  s.exec(101 * k_ms, 10, {"first"});
  s.end(1, 141 * k_ms);
  s.begin(2, 240 * k_ms, "second", 200 * k_ms);
  s.exec(201 * k_ms, 10, {"second"});
  s.end(2, 241 * k_ms);
  s.list.settle();
  REQUIRE(s.list.entries().size() == 2);
  CHECK(s.process(101 * k_ms).command == 0);
  CHECK(s.process(201 * k_ms).command == 1);
  CHECK(s.process(201 * k_ms).attribution == Attribution::command);
  CHECK(s.process(200 * k_ms).attribution == Attribution::prompt);
  CHECK(find_divergences(s.list).empty());
}

TEST_CASE("logs: descendants follow; the prompt's programs and start-up files stay apart") {
  Script s;
  s.exec(20 * k_ms, 10, {"dircolors"});
  s.exit(20 * k_ms, 10, 21 * k_ms);
  s.begin(1, 101 * k_ms, "make", 100 * k_ms);
  s.exec(102 * k_ms, 10, {"make"});
  s.exec(104 * k_ms, 103 * k_ms, {"cc"}, {{103 * k_ms, 103 * k_ms}, {102 * k_ms, 102 * k_ms}});
  s.end(1, 150 * k_ms);
  s.exec(151 * k_ms, 10, {"git"});
  s.list.settle();
  CHECK(s.process(20 * k_ms).attribution == Attribution::session);
  CHECK(s.process(104 * k_ms).command == 0);
  CHECK(s.process(103 * k_ms).programs.empty());
  CHECK(s.process(151 * k_ms).attribution == Attribution::prompt);
  CHECK(s.list.entries()[0].processes.size() == 1);
}

TEST_CASE("logs: a job keeps its line; an orphan is marked") {
  Script s;
  s.begin(1, 101 * k_ms, "sleep 5 &", 100 * k_ms);
  s.exec(102 * k_ms, 10, {"sleep", "5"});
  s.end(1, 103 * k_ms);
  s.begin(2, 201 * k_ms, "(daemon &)", 200 * k_ms);
  s.exec(203 * k_ms, 202 * k_ms, {"daemon"}, {{202 * k_ms, 202 * k_ms}, {10, 10}}, 1);
  s.end(2, 210 * k_ms);
  s.exit(102 * k_ms, 10, 300 * k_ms);
  s.list.settle();
  CHECK(s.process(102 * k_ms).outlives);
  CHECK(s.process(102 * k_ms).command == 0);
  CHECK(s.process(203 * k_ms).attribution == Attribution::detached);
  CHECK(s.process(203 * k_ms).command == 1);
  const auto& flags = s.list.entries()[0].flags;
  CHECK(std::find(flags.begin(), flags.end(), "background") != flags.end());
}

TEST_CASE("logs: shells without hooks, and what they run, are told apart") {
  Script s;
  s.begin(1, 101 * k_ms, "sh", 100 * k_ms);
  s.exec(102 * k_ms, 10, {"sh"});
  s.exec(103 * k_ms, 102 * k_ms, {"id"});
  s.end(1, 150 * k_ms);
  s.begin(2, 201 * k_ms, "echo x | sh", 200 * k_ms);
  s.exec(202 * k_ms, 10, {"sh"}, {}, -1, "pipe");
  s.end(2, 250 * k_ms);
  s.begin(3, 301 * k_ms, "sh -c id; sh ./x", 300 * k_ms);
  s.exec(302 * k_ms, 10, {"sh", "-c", "id"});
  s.exec(303 * k_ms, 10, {"sh", "./x"});
  s.end(3, 350 * k_ms);
  s.list.settle();
  CHECK(s.process(103 * k_ms).attribution == Attribution::unhooked_shell);
  const auto found = find_divergences(s.list);
  REQUIRE(found.size() == 2);
  CHECK(found[0].kind == DivergenceKind::shell_without_hook);
  CHECK(found[0].command == 0);
  CHECK(found[1].kind == DivergenceKind::code_from_input);
  CHECK(found[1].command == 1);
}

TEST_CASE("logs: a hook that fell silent is noticed by what the shell still runs") {
  Script s;
  s.begin(1, 101 * k_ms, "PS0= PROMPT_COMMAND=", 100 * k_ms);
  s.enter(150 * k_ms);
  s.exec(160 * k_ms, 10, {"uname"});
  s.list.settle();
  CHECK(s.process(160 * k_ms).attribution == Attribution::hook_lost);
  CHECK(s.diverges(DivergenceKind::hook_lost));
  CHECK(s.diverges(DivergenceKind::execution_without_command));
}

TEST_CASE("logs: a line without an end is no lost hook while it runs what it says") {
  Script s;
  s.begin(1, 101 * k_ms, "vim x", 100 * k_ms);
  s.enter(150 * k_ms);
  s.exec(160 * k_ms, 10, {"vim"});
  s.list.settle();
  CHECK(s.process(160 * k_ms).attribution == Attribution::command);
  CHECK_FALSE(s.diverges(DivergenceKind::hook_lost));
}

TEST_CASE("logs: a name that the line does not say, and a shell that connects, are hints") {
  Script s;
  s.begin(1, 101 * k_ms, "eval $x", 100 * k_ms);
  s.exec(102 * k_ms, 10, {"id"});
  s.put(EventKind::connect, 103 * k_ms,
        encode(ConnectFact{{10, 10}, "inet", "10.0.0.1", 443, "tcp", "bash", "ebpf"}));
  s.end(1, 150 * k_ms);
  s.list.settle();
  CHECK(s.diverges(DivergenceKind::name_not_in_text));
  CHECK(s.diverges(DivergenceKind::shell_connection));
  CHECK(s.list.entries()[0].connections.size() == 1);
}

TEST_CASE("logs: work that is handed to others is a hint") {
  for (const auto& argv : std::vector<std::vector<std::string>>{
           {"tmux", "send-keys", "x"}, {"systemd-run", "id"}, {"at", "now"}, {"crontab", "-"}}) {
    CAPTURE(argv[0]);
    Script s;
    s.begin(1, 101 * k_ms, argv[0], 100 * k_ms);
    s.exec(102 * k_ms, 10, argv);
    s.end(1, 150 * k_ms);
    s.list.settle();
    CHECK(s.diverges(DivergenceKind::handed_outside));
  }
}

TEST_CASE("logs: hostile events make no circle and no process twice") {
  Script s;
  s.exec(30, 40, {"a"});
  s.exec(40, 50, {"b"});
  s.exec(50, 30, {"c"});
  s.exec(60, 60, {"d"});
  s.put(EventKind::exec, 70, to_bytes("nonsense"));
  s.list.settle();
  CHECK(s.list.unreadable() == 2);
  CHECK(s.list.processes().size() == 5);
  CHECK_FALSE(find_divergences(s.list).size() > 100);
}

TEST_CASE("logs: how a shell is used, by its words") {
  const auto use = [](std::vector<std::string> argv, const std::string& input = "tty") {
    ExecFact f;
    f.file = f.exe = "/bin/" + argv[0];
    f.argv = std::move(argv);
    f.input = input;
    return shell_use(f);
  };
  CHECK(use({"bash"}) == ShellUse::interactive);
  CHECK(use({"bash", "--rcfile", "x"}) == ShellUse::interactive);
  CHECK(use({"bash", "-o", "posix", "-i"}) == ShellUse::interactive);
  CHECK(use({"bash", "-lc", "id"}) == ShellUse::command_string);
  CHECK(use({"bash", "x.sh", "-i"}) == ShellUse::script);
  CHECK(use({"bash", "--", "x.sh"}) == ShellUse::script);
  CHECK(use({"sh", "-s", "a"}, "pipe") == ShellUse::from_input);
  CHECK(use({"sh"}, "socket") == ShellUse::from_input);
  CHECK(use({"python3.11"}) == ShellUse::interactive);
  CHECK(use({"python3", "-m", "x"}) == ShellUse::command_string);
  CHECK(use({"perl", "-e", "1"}) == ShellUse::command_string);
  CHECK(use({"ls"}) == ShellUse::none);
  CHECK(use({"pythonx"}) == ShellUse::none);
}
