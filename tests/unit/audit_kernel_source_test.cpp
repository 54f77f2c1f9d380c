// SPDX-License-Identifier: Apache-2.0
// The kernel's record, with the real kernel: needs root and a kernel that loads the programs.
#include "audit/capture_layers.hpp"
#include "audit/kernel_source.hpp"
#include "base/clock.hpp"
#include "format/event_payload.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sworn;
using namespace sworn::audit;

namespace {

std::string helper() {
  const auto self = std::filesystem::read_symlink("/proc/self/exe");
  return (self.parent_path() / "../audit/bpf/sworn-bpf").lexically_normal().string();
}

// Empty: it can run here.
std::string why_not() {
  if (!built_without_bpf().empty()) {
    return std::string(built_without_bpf());
  }
  if (::geteuid() != 0) {
    return "not root";
  }
  static const int status = std::system((helper() + " --check >/dev/null").c_str());
  return status == 0 ? "" : "the kernel does not load the programs (sworn-bpf --check says why)";
}

// A process that waits until it may execute `script` with sh.
class Command {
 public:
  explicit Command(const std::string& script) {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      pid_t reader = 0;
      if (::read(ends[0], &reader, sizeof reader) == sizeof reader && ::chdir("/tmp") == 0) {
        ::setenv("SWORN_READER", std::to_string(reader).c_str(), 1);
        ::execl("/bin/bash", "bash", "-c", script.c_str(), nullptr);
      }
      ::_exit(127);
    }
    ::close(ends[0]);
    go_ = Fd(ends[1]);
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  // The script finds it in SWORN_READER.
  void tell_reader(pid_t reader) { reader_ = reader; }
  int run() {
    CHECK(::write(go_.get(), &reader_, sizeof reader_) == sizeof reader_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    return WEXITSTATUS(status);
  }

 private:
  pid_t pid_ = -1;
  pid_t reader_ = 0;
  Fd go_;
};

// Our own child with that name: the last one, earlier ones may still be on their way out.
pid_t child_named(std::string_view name) {
  pid_t last = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream stat(entry.path() / "stat");
    std::string pid;
    std::string comm;
    std::string state;
    pid_t parent = 0;
    if (stat >> pid >> comm >> state >> parent && state != "Z" && parent == ::getpid() &&
        comm == "(" + std::string(name) + ")") {
      last = std::max(last, std::stoi(pid));
    }
  }
  return last;
}

struct Seen {
  std::vector<ExecFact> execs;
  std::vector<ExitFact> exits;
  std::vector<ConnectFact> connects;
  std::vector<FileFact> files;
  std::vector<format::Gap> gaps;
  std::vector<std::size_t> gap_places;

  explicit Seen(const std::vector<AuditFact>& facts) {
    for (std::size_t i = 0; i < facts.size(); ++i) {
      const auto& fact = facts[i];
      if (fact.kind == format::EventKind::exec) {
        execs.push_back(*decode_exec(fact.data));
      } else if (fact.kind == format::EventKind::exec_exit) {
        exits.push_back(*decode_exec_exit(fact.data));
      } else if (fact.kind == format::EventKind::connect) {
        connects.push_back(*decode_connect(fact.data));
      } else if (fact.kind == format::EventKind::file) {
        files.push_back(*decode_file(fact.data));
      } else if (fact.kind == format::EventKind::gap) {
        gaps.push_back(*format::decode_gap(fact.data));
        gap_places.push_back(i);
      }
    }
  }
  [[nodiscard]] const ExecFact* find(std::string_view name) const {
    const auto it = std::find_if(execs.begin(), execs.end(), [&](const auto& e) {
      return !e.argv.empty() && e.argv[0] == name;
    });
    return it == execs.end() ? nullptr : &*it;
  }
};

struct Run {
  std::vector<AuditFact> facts;
  KernelCounters counters;
  KernelState state;
  std::string reason;
  int status = 0;
};

Run capture(const std::string& script, std::vector<std::string> arguments = {},
            const std::string& program = helper()) {
  SystemClock clock;
  Run out;
  KernelSource source(clock, {program, "", std::move(arguments), 5000});
  ChildSetup setup;
  Command command(script);
  if (source.prepare(setup)) {
    source.launched(command.pid());
  }
  out.reason = source.reason();
  out.state = source.state();
  out.status = command.run();
  source.finish(out.facts);
  out.counters = source.counters();
  return out;
}

#define NEEDS_KERNEL()                            \
  if (const auto why = why_not(); !why.empty()) { \
    MESSAGE("SKIPPED: ", why);                    \
    return;                                       \
  }

}  // namespace

TEST_CASE("audit: the kernel tells every program with its words, its place and its end") {
  NEEDS_KERNEL();
  const auto run = capture(
      "cd /usr; (cd /etc; /bin/echo 'a  b' '' \"$(printf 'x\\ny')\" \xC3\xA4 >/dev/null); "
      "exec 3<>/dev/tcp/127.0.0.1/1; sh -c 'kill -9 $$'; exit 7");
  CHECK(run.status == 7);
  CHECK(run.reason.empty());
  const Seen seen(run.facts);
  CHECK(run.counters.lost == 0);
  CHECK(run.counters.malformed == 0);
  CHECK(seen.gaps.empty());
  REQUIRE(seen.execs.size() == 3);  // bash, echo, sh
  const auto* echo = seen.find("/bin/echo");
  REQUIRE(echo != nullptr);
  CHECK(echo->argv == std::vector<std::string>{"/bin/echo", "a  b", "", "x\ny", "\xC3\xA4"});
  CHECK(echo->cwd == "/etc");
  CHECK(echo->exe == "/usr/bin/echo");
  CHECK(echo->uid == 0);
  CHECK_FALSE(echo->input.empty());
  const auto* shell = seen.find("bash");
  REQUIRE(shell != nullptr);
  CHECK(shell->cwd == "/tmp");
  const auto ended = [&](const ProcessId& process) {
    return std::find_if(seen.exits.begin(), seen.exits.end(),
                        [&](const auto& e) { return e.process == process; });
  };
  REQUIRE(ended(shell->process) != seen.exits.end());
  CHECK(ended(shell->process)->status == 7);
  const auto* killed = seen.find("sh");
  REQUIRE(killed != nullptr);
  CHECK(ended(killed->process)->signal == 9);
  REQUIRE(seen.connects.size() == 1);
  CHECK(seen.connects[0].address == "127.0.0.1");
  CHECK(seen.connects[0].port == 1);
  CHECK(seen.connects[0].protocol == "tcp");
}

TEST_CASE("audit: nobody leaves a session: setsid, double forks, nohup, threads that execute") {
  NEEDS_KERNEL();
  const auto run = capture(
      "setsid /bin/echo one >/dev/null; ( ( exec nohup /bin/echo two >/dev/null 2>&1 ) & ) & wait; "
      "sleep 0.1; python3 -c 'import threading,os; t=threading.Thread(target=lambda: "
      "os.execv(\"/bin/echo\",[\"/bin/echo\",\"three\"])); t.start(); t.join()' >/dev/null");
  const Seen seen(run.facts);
  for (const auto* word : {"one", "two", "three"}) {
    CAPTURE(word);
    CHECK(std::any_of(seen.execs.begin(), seen.execs.end(), [&](const auto& e) {
      return e.argv == std::vector<std::string>{"/bin/echo", word};
    }));
  }
}

TEST_CASE("audit: opened files and failed executions at the end of system calls, on demand") {
  NEEDS_KERNEL();
  test::TempDir place;
  const auto run = capture("echo x > " + place.path() +
                               "/made; cat /etc/passwd >/dev/null; "
                               "/etc/passwd 2>/dev/null; true",
                           {"--syscalls"});
  if (run.state.files == 0) {
    MESSAGE("SKIPPED: no hook of system calls on this machine: ", run.state.text);
    return;
  }
  const Seen seen(run.facts);
  CHECK(std::any_of(seen.files.begin(), seen.files.end(),
                    [&](const auto& f) { return f.path == place.path() + "/made"; }));
  CHECK(std::none_of(seen.files.begin(), seen.files.end(),
                     [](const auto& f) { return f.path == "/etc/passwd"; }));
  CHECK(std::any_of(seen.execs.begin(), seen.execs.end(),
                    [](const auto& e) { return e.file == "/etc/passwd" && e.error == EACCES; }));
}

TEST_CASE("audit: a ring that is too small: every lost record is counted, in its place") {
  NEEDS_KERNEL();
  SystemClock clock;
  KernelSource source(clock, {helper(), "", {"--ring", "4096"}, 5000});
  ChildSetup setup;
  // Known in advance: 1,000 programs, each a fork, an exec and an exit. The reader sleeps until a
  // part of them has run (the shell itself wakes it), so that the ring is full before.
  Command command(
      "for i in {1..500}; do /bin/true; done; kill -CONT $SWORN_READER; "
      "sleep 0.1; for i in {1..498}; do /bin/true; done; sleep 0; true");
  REQUIRE(source.prepare(setup));
  source.launched(command.pid());
  REQUIRE(source.fd() >= 0);
  const auto reader = child_named("sworn-bpf");
  REQUIRE(reader > 0);
  command.tell_reader(reader);
  ::kill(reader, SIGSTOP);
  CHECK(command.run() == 0);
  std::vector<AuditFact> facts;
  source.finish(facts);
  const Seen seen(facts);
  std::uint64_t lost = 0;
  for (const auto& gap : seen.gaps) {
    CHECK(gap.reason == "kernel_lost");
    lost += gap.lost_events;
  }
  const auto& n = source.counters();
  CHECK(n.forks + n.execs + n.exits + lost == 1000 * 3 + 2);
  CHECK(n.lost == lost);
  CHECK(lost > 500);
  REQUIRE_FALSE(seen.gap_places.empty());
  CHECK(seen.gap_places.front() < facts.size() / 2);  // not at the end, where the counters stand
}

TEST_CASE("audit: four loops at a time, nothing lost and nothing wrong at the default ring") {
  NEEDS_KERNEL();
  const auto run =
      capture("for k in 1 2 3 4; do (for i in {1..500}; do /bin/true $k $i; done) & done; wait");
  const Seen seen(run.facts);
  CHECK(run.counters.lost == 0);
  std::map<std::string, int> words;
  for (const auto& exec : seen.execs) {
    if (exec.argv.size() == 3 && exec.argv[0] == "/bin/true") {
      ++words[exec.argv[1] + " " + exec.argv[2]];
    }
  }
  CHECK(words.size() == 2000);
  CHECK(std::all_of(words.begin(), words.end(), [](const auto& each) { return each.second == 1; }));
  CHECK(run.counters.forks == 2004);
}

TEST_CASE("audit: what is not there is named, and the session goes on") {
  if (!built_without_bpf().empty()) {
    MESSAGE("SKIPPED: ", built_without_bpf());
    return;
  }
  SUBCASE("no type information") {
    const auto run = capture("exit 4", {"--btf", "/nonexistent"});
    CHECK(run.status == 4);
    if (::geteuid() == 0) {
      CHECK(run.reason.find("no type information (BTF)") != std::string::npos);
    }
    CHECK_FALSE(run.reason.empty());
  }
  SUBCASE("no capability") {
    test::TempDir place;
    const auto script = place.path() + "/weak";
    std::ofstream(script) << "#!/bin/sh\nexec setpriv --bounding-set=-perfmon " << helper()
                          << " \"$@\"\n";
    ::chmod(script.c_str(), 0755);
    const auto run = capture("exit 4", {}, script);
    CHECK(run.status == 4);
    CHECK(run.reason.find("capabilities are missing") != std::string::npos);
  }
  SUBCASE("not installed") {
    const auto run = capture("exit 4", {}, "/nonexistent/sworn-bpf");
    CHECK(run.status == 4);
    CHECK(run.reason.find("not installed") != std::string::npos);
  }
  SUBCASE("something else answers") {
    const auto run = capture("exit 4", {}, "/bin/cat");
    CHECK(run.status == 4);
    CHECK(run.reason.find("gone") != std::string::npos);
  }
}

TEST_CASE("audit: a process of somebody else is refused") {
  NEEDS_KERNEL();
  SystemClock clock;
  KernelSource source(clock, {helper(), "", {}, 5000});
  ChildSetup setup;
  REQUIRE(source.prepare(setup));
  source.launched(1);
  CHECK(source.fd() < 0);
  CHECK(source.reason().find("not started by who asks") != std::string::npos);
}

TEST_CASE("audit: a capture process that is killed leaves a gap") {
  NEEDS_KERNEL();
  SystemClock clock;
  CaptureLayers layers(clock, {CaptureMode::exec, false, helper(), "", ""});
  ChildSetup setup;
  Command command("/bin/true; sleep 0.2");
  REQUIRE(layers.prepare(setup));
  layers.launched(command.pid());
  REQUIRE(layers.satisfied());
  std::vector<AuditFact> facts;
  CHECK(layers.drain(facts));
  REQUIRE(facts.size() == 1);
  auto statement = decode_capture_statement(facts[0].data);
  REQUIRE(statement);
  REQUIRE(*statement);
  CHECK((*statement)->exec == Coverage::complete);
  CHECK((*statement)->state == "active");
  const auto reader = child_named("sworn-bpf");
  REQUIRE(reader > 0);
  ::kill(reader, SIGKILL);
  command.run();
  facts.clear();
  layers.finish(facts);
  const Seen seen(facts);
  REQUIRE_FALSE(seen.gaps.empty());
  CHECK(seen.gaps[0].reason == "kernel_capture_ended");
  statement = decode_capture_statement(facts.back().data);
  REQUIRE(statement);
  REQUIRE(*statement);
  CHECK((*statement)->exec == Coverage::best_effort);
}

TEST_CASE("audit: without BPF the kernel's process events are the next best, and said to be") {
  if (::geteuid() != 0) {
    MESSAGE("SKIPPED: not root");
    return;
  }
  SystemClock clock;
  // No sworn-bpf at that place.
  CaptureLayers layers(clock, {CaptureMode::automatic, false, "/nonexistent/sworn-bpf", "", ""});
  ChildSetup setup;
  Command command("cd /usr; (sleep 0.2; exit 3); /bin/sleep 0.3; exit 5");
  REQUIRE(layers.prepare(setup));
  layers.launched(command.pid());
  REQUIRE(layers.satisfied());
  std::vector<AuditFact> facts;
  CHECK(layers.drain(facts));
  const auto statement = decode_capture_statement(facts.at(0).data);
  REQUIRE(statement);
  REQUIRE(*statement);
  if ((*statement)->mechanism == "none") {
    MESSAGE("SKIPPED: the kernel has no process events here");
    return;
  }
  CHECK((*statement)->mechanism == "proc");
  CHECK((*statement)->exec == Coverage::best_effort);
  CHECK((*statement)->detail.find("not installed") != std::string::npos);
  // As the recorder does: whenever something is there, so that /proc still has it.
  std::atomic<bool> over{false};
  std::thread runner([&] {
    CHECK(command.run() == 5);
    over = true;
  });
  while (!over) {
    pollfd ready{layers.fd(), POLLIN, 0};
    ::poll(&ready, 1, 50);
    CHECK(layers.drain(facts));
  }
  runner.join();
  layers.finish(facts);
  const Seen seen(facts);
  const auto* slept = seen.find("/bin/sleep");
  REQUIRE(slept != nullptr);
  CHECK(slept->argv == std::vector<std::string>{"/bin/sleep", "0.3"});
  CHECK(slept->cwd == "/usr");
  CHECK(slept->source == "proc");
  const auto* inner = seen.find("sleep");
  REQUIRE(inner != nullptr);
  CHECK(inner->via.size() == 2);  // the fork of bash, and bash
  CHECK(std::any_of(seen.exits.begin(), seen.exits.end(),
                    [](const auto& e) { return e.status == 3 && e.execs == 0; }));
  CHECK(std::any_of(seen.exits.begin(), seen.exits.end(), [&](const auto& e) {
    return e.process.pid == command.pid() && e.status == 5;
  }));
}
