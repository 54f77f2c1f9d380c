// SPDX-License-Identifier: Apache-2.0
#include "recorder/options.hpp"
#include "recorder/session_core.hpp"

#include <doctest/doctest.h>

#include <cerrno>
#include <csignal>
#include <string>

namespace {

using namespace sworn::recorder;
using sworn::MonoTime;

constexpr MonoTime k_start{5'000'000};

MonoTime after(std::int64_t us) {
  return MonoTime{k_start.us + us};
}

// One word for each action, so that a test reads like the order of things.
std::string words(const Actions& actions) {
  struct Speller {
    std::string operator()(const PutSignal& a) const {
      return "signal:" + std::to_string(a.number) + ":" + a.origin;
    }
    std::string operator()(const PutResize& a) const {
      return "resize:" + std::to_string(a.size.cols) + "x" + std::to_string(a.size.rows);
    }
    std::string operator()(const PutClock& a) const { return "clock:" + a.reason; }
    std::string operator()(const PutGap& a) const { return "gap:" + a.reason; }
    std::string operator()(const SealNow&) const { return "seal"; }
    std::string operator()(const AskSeal& a) const {
      return a.reason == sworn::format::SealReason::heartbeat ? "ask:heartbeat" : "ask:interval";
    }
    std::string operator()(const SetInnerSize&) const { return "size"; }
    std::string operator()(const PassSignal& a) const { return "pass:" + std::to_string(a.number); }
    std::string operator()(const LeaveTerminal&) const { return "leave"; }
    std::string operator()(const EnterTerminal&) const { return "enter"; }
    std::string operator()(const StopSelf& a) const { return "stop:" + std::to_string(a.number); }
    std::string operator()(const ContinueCommand& a) const { return a.foreground ? "fg" : "bg"; }
    std::string operator()(const HangUp&) const { return "hangup"; }
    std::string operator()(const CloseRecording&) const { return "close"; }
    std::string operator()(const Alert&) const { return "alert"; }
    std::string operator()(const EndSession&) const { return "end"; }
  };
  std::string out;
  for (const auto& action : actions) {
    out += (out.empty() ? "" : " ") + std::visit(Speller{}, action);
  }
  return out;
}

SessionCore terminal_core(OnFailure on_failure = OnFailure::terminate) {
  return {SessionCore::Settings{.terminal = true, .on_failure = on_failure}, k_start};
}
SessionCore streams_core() {
  return {SessionCore::Settings{.terminal = false, .on_failure = OnFailure::terminate}, k_start};
}

CommandReport ended(int wait_status) {
  return {CommandReport::Kind::ended, wait_status};
}
CommandReport stopped(int number) {
  return {CommandReport::Kind::stopped, number};
}

}  // namespace

TEST_CASE("recorder: a command that ends normally ends the session with its output") {
  auto core = terminal_core();
  CHECK(words(core.on_command(ended(7 << 8), true, after(0))).empty());
  CHECK(core.draining());
  CHECK(words(core.on_output_ended()) == "end");
  CHECK(core.ended());
  CHECK(core.outcome().exit_status == 7);
  CHECK(core.outcome().wait_status == 7 << 8);
}

TEST_CASE("recorder: output that ends before the command waits for it") {
  auto core = streams_core();
  CHECK(words(core.on_output_ended()).empty());
  CHECK_FALSE(core.ended());
  CHECK(words(core.on_command(ended(0), false, after(10))) == "end");
}

TEST_CASE("recorder: what holds the terminal open after the end is waited for 200 ms") {
  auto core = terminal_core();
  core.on_command(ended(0), true, after(0));
  CHECK(core.next_deadline() == after(200'000));
  CHECK(words(core.on_tick(after(199'999), false)).empty());
  CHECK(words(core.on_tick(after(200'000), false)) == "end");
}

TEST_CASE("recorder: a slow reader gets all of the output") {
  auto core = terminal_core();
  core.on_command(ended(0), true, after(0));
  CHECK(words(core.on_tick(after(200'000), true)).empty());
  CHECK(core.next_deadline() == after(400'000));
  CHECK(words(core.on_tick(after(400'000), true)).empty());
  CHECK(words(core.on_output_ended()) == "end");
}

TEST_CASE("recorder: death by a signal is 128 more") {
  auto core = terminal_core();
  core.on_command(ended(SIGKILL), true, after(0));
  CHECK(core.outcome().exit_status == 128 + SIGKILL);
}

TEST_CASE("recorder: a command that cannot be executed") {
  for (const auto& [error, status] : {std::pair{ENOENT, k_exit_not_found},
                                      {EACCES, k_exit_cannot_execute},
                                      {ENOEXEC, k_exit_cannot_execute},
                                      {ENOTDIR, k_exit_cannot_execute}}) {
    auto core = terminal_core();
    core.on_command({CommandReport::Kind::exec_failed, error}, true, after(0));
    core.on_command(ended(126 << 8), true, after(0));
    CHECK(core.outcome().exit_status == status);
    CHECK(core.outcome().exec_error == error);
  }
}

TEST_CASE("recorder: Ctrl-Z of the command stops the whole job and fg resumes it") {
  auto core = terminal_core();
  CHECK(words(core.on_command(stopped(SIGTSTP), true, after(0))) ==
        "signal:20:command_stopped seal leave stop:20");
  CHECK(words(core.on_signal({SIGCONT, false, 99}, true, after(1))) == "signal:18:pid 99 enter fg");
  CHECK(words(core.on_command({CommandReport::Kind::continued, SIGCONT}, true, after(2))) ==
        "signal:18:command_continued");
}

TEST_CASE("recorder: bg leaves the terminal alone") {
  auto core = terminal_core();
  core.on_command(stopped(SIGTSTP), true, after(0));
  CHECK(words(core.on_signal({SIGCONT, false, 99}, false, after(1))) ==
        "signal:18:pid 99 enter bg");
  // The command wants to read: the job stops as it would without us.
  CHECK(words(core.on_command(stopped(SIGTTIN), false, after(2))) ==
        "signal:21:command_stopped seal leave stop:21");
}

TEST_CASE("recorder: a command in the background of its terminal gets it when ours is free") {
  auto core = terminal_core();
  CHECK(words(core.on_command(stopped(SIGTTIN), true, after(0))) ==
        "signal:21:command_stopped enter fg");
  CHECK(words(core.on_command(stopped(SIGTTOU), true, after(0))) ==
        "signal:22:command_stopped enter fg");
}

TEST_CASE("recorder: nobody could continue us") {
  auto core = terminal_core();
  CHECK(words(core.on_not_stopped(true)) == "enter fg");
}

TEST_CASE("recorder: streams mode leaves job control to the terminal driver") {
  auto core = streams_core();
  CHECK(words(core.on_command(stopped(SIGTSTP), false, after(0))) == "signal:20:command_stopped");
  CHECK(words(core.on_signal({SIGTSTP, true, 0}, false, after(0))) == "signal:20:kernel stop:20");
  CHECK(words(core.on_signal({SIGINT, true, 0}, false, after(0))) == "signal:2:kernel");
  CHECK(words(core.on_signal({SIGINT, false, 7}, false, after(0))) == "signal:2:pid 7 pass:2");
}

TEST_CASE("recorder: SIGTERM seals, is passed on, and ends a shell that ignores it") {
  auto core = terminal_core();
  CHECK(words(core.on_signal({SIGTERM, false, 7}, true, after(0))) ==
        "signal:15:pid 7 seal pass:15");
  CHECK(core.next_deadline() == after(SessionCore::k_grace_us));
  CHECK(words(core.on_tick(after(SessionCore::k_grace_us), false)) == "hangup");
  CHECK(core.draining());
  CHECK(words(core.on_command(ended(SIGHUP), true, after(SessionCore::k_grace_us + 1))) == "end");
  CHECK(core.outcome().exit_status == 128 + SIGHUP);
}

TEST_CASE("recorder: a command that outlives the hangup") {
  auto core = terminal_core();
  core.on_signal({SIGHUP, false, 1}, true, after(0));
  core.on_tick(after(SessionCore::k_grace_us), false);
  CHECK(words(core.on_tick(after(SessionCore::k_grace_us + SessionCore::k_drain_us), true)) ==
        "end");
  CHECK(core.outcome().exit_status == 128 + SIGHUP);
  CHECK_FALSE(core.outcome().detail.empty());
}

TEST_CASE("recorder: a lost terminal is a hangup, once") {
  auto core = terminal_core();
  CHECK(words(core.on_terminal_lost(after(0))) == "signal:1:terminal_lost seal pass:1");
  CHECK(words(core.on_terminal_lost(after(1))).empty());
}

TEST_CASE("recorder: the watcher of the command was killed") {
  auto core = terminal_core();
  core.on_command({CommandReport::Kind::lost, 0}, true, after(0));
  CHECK(core.outcome().exit_status == k_exit_recorder_failed);
}

TEST_CASE("recorder: the watcher ends with the hangup that it was told to make") {
  auto core = terminal_core();
  core.on_signal({SIGHUP, false, 1}, true, after(0));
  core.on_tick(after(SessionCore::k_grace_us), false);
  core.on_command({CommandReport::Kind::lost, 0}, true, after(SessionCore::k_grace_us + 1));
  CHECK(core.outcome().exit_status == 128 + SIGHUP);
  CHECK(core.outcome().detail == "the command outlived its terminal");
}

TEST_CASE("recorder: a full disk ends the session in order") {
  auto core = terminal_core();
  CHECK(words(core.on_trouble(Trouble::low_space, "full", after(0))) ==
        "gap:disk_full alert pass:1");
  CHECK(words(core.on_trouble(Trouble::low_space, "full", after(1))).empty());
  CHECK(core.recording());
  core.on_command(ended(SIGHUP), true, after(2));
  CHECK(core.outcome().exit_status == k_exit_recorder_failed);
}

TEST_CASE("recorder: a recording that cannot be written any more shows nothing more") {
  auto core = terminal_core();
  CHECK(words(core.on_trouble(Trouble::dead, "EIO", after(0))) == "alert pass:1 hangup");
  CHECK_FALSE(core.recording());
  CHECK(core.outcome().exit_status == k_exit_recorder_failed);
}

TEST_CASE("recorder: by policy the session goes on unrecorded") {
  auto core = terminal_core(OnFailure::continue_and_alert);
  CHECK(words(core.on_trouble(Trouble::low_space, "full", after(0))) ==
        "gap:disk_full close alert");
  CHECK_FALSE(core.recording());
  CHECK(words(core.on_tick(after(100'000'000), false)).empty());
  core.on_command(ended(3 << 8), true, after(2));
  CHECK(core.outcome().exit_status == 3);
}

TEST_CASE("recorder: one second after the first unsealed event a seal is asked for") {
  auto core = terminal_core();
  CHECK(core.next_deadline() == after(SealSchedule::k_heartbeat_us));
  core.seals().on_recorded(10, after(500));
  core.seals().on_recorded(10, after(900'000));
  CHECK(core.next_deadline() == after(1'000'500));
  CHECK(words(core.on_tick(after(1'000'499), false)).empty());
  CHECK(words(core.on_tick(after(1'000'500), false)) == "ask:interval");
  CHECK(core.next_deadline() == after(SealSchedule::k_heartbeat_us));
}

TEST_CASE("recorder: silence has a heartbeat with a clock sample") {
  auto core = terminal_core();
  CHECK(words(core.on_tick(after(60'000'000), false)) == "clock:periodic ask:heartbeat");
  CHECK(core.next_deadline() == after(120'000'000));
}

TEST_CASE("recorder: Enters that follow each other closely share a seal") {
  SealSchedule seals(k_start);
  CHECK(seals.critical_allowed() == MonoTime{0});
  seals.on_critical(after(0));
  CHECK(seals.critical_allowed() == after(SealSchedule::k_paste_us));
}

TEST_CASE("recorder: the worker begins before the tail is full") {
  SealSchedule seals(k_start);
  std::size_t recorded = 0;
  while (!seals.on_recorded(4096, after(0))) {
    recorded += 4096;
  }
  CHECK(recorded < SealSchedule::k_nudge_bytes);
  CHECK_FALSE(seals.on_recorded(4096, after(0)));
}

TEST_CASE("recorder: a new size is on record before the command sees it") {
  auto core = terminal_core();
  CHECK(words(core.on_resize({.cols = 100, .rows = 40})) == "resize:100x40 size");
  CHECK(words(core.on_clock_step()) == "clock:step");
}
