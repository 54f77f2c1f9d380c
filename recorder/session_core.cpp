// SPDX-License-Identifier: Apache-2.0
#include "recorder/session_core.hpp"

#include "recorder/options.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <limits>
#include <utility>

#include <sys/wait.h>

namespace sworn::recorder {

using format::SealReason;

SessionCore::SessionCore(Settings settings, MonoTime now, bool recording)
    : settings_(settings), seals_(now), recording_(recording) {}

void SessionCore::request_end(Actions& out, int passed, MonoTime now) {
  ending_signal_ = ending_signal_ == 0 ? passed : ending_signal_;
  out.emplace_back(PassSignal{passed});
  // A shell ignores SIGTERM: who asked the recorder to end means the session.
  if (settings_.terminal && !hangup_at_ && !hung_up_) {
    hangup_at_ = MonoTime{now.us + k_grace_us};
  }
}

Actions SessionCore::on_signal(const SignalFact& signal, bool foreground, MonoTime now) {
  Actions out;
  const bool theirs_already = !settings_.terminal && signal.from_kernel;
  out.emplace_back(PutSignal{signal.number, signal.from_kernel
                                                ? std::string("kernel")
                                                : "pid " + std::to_string(signal.sender)});
  switch (signal.number) {
    case SIGCONT:
      out.emplace_back(EnterTerminal{});
      out.emplace_back(ContinueCommand{foreground});
      break;
    case SIGTSTP:
      if (!theirs_already) {
        out.emplace_back(PassSignal{SIGTSTP});
      }
      if (!settings_.terminal) {  // else the command's own stop, when it obeys, brings us along
        out.emplace_back(StopSelf{SIGTSTP});
      }
      break;
    case SIGTERM:
    case SIGHUP:
      out.emplace_back(SealNow{});
      seals_.on_sealed();
      if (theirs_already) {
        break;
      }
      request_end(out, signal.number, now);
      break;
    default:
      if (!theirs_already) {
        out.emplace_back(PassSignal{signal.number});
      }
      break;
  }
  return out;
}

Actions SessionCore::on_command(const CommandReport& report, bool foreground, MonoTime now) {
  Actions out;
  switch (report.kind) {
    case CommandReport::Kind::stopped:
      out.emplace_back(PutSignal{report.value, "command_stopped"});
      if (!settings_.terminal) {
        break;  // it shares our process group: the terminal driver stops us by itself
      }
      if ((report.value == SIGTTIN || report.value == SIGTTOU) && foreground) {
        // It was started in the background and now asks for the terminal, which we can give.
        out.emplace_back(EnterTerminal{});
        out.emplace_back(ContinueCommand{true});
        break;
      }
      out.emplace_back(SealNow{});
      out.emplace_back(LeaveTerminal{});
      out.emplace_back(StopSelf{report.value});
      seals_.on_sealed();
      break;
    case CommandReport::Kind::continued:
      out.emplace_back(PutSignal{SIGCONT, "command_continued"});
      break;
    case CommandReport::Kind::exec_failed:
      exec_error_ = report.value;
      begin_drain(now);
      break;
    case CommandReport::Kind::ended:
      wait_status_ = report.value;
      begin_drain(now);
      break;
    case CommandReport::Kind::lost:
      lost_ = !hung_up_;  // hanging up ends the watcher as well
      begin_drain(now);
      break;
  }
  if (phase_ == Phase::draining && (output_ended_ || hung_up_)) {
    return end();
  }
  return out;
}

Actions SessionCore::on_not_stopped(bool foreground) {
  return {EnterTerminal{}, ContinueCommand{foreground}};
}

Actions SessionCore::on_resize(TermSize size) {
  return {PutResize{size}, SetInnerSize{size}};
}

Actions SessionCore::on_terminal_lost(MonoTime now) {
  Actions out;
  if (std::exchange(terminal_lost_, true) || phase_ == Phase::ended) {
    return out;
  }
  out.emplace_back(PutSignal{SIGHUP, "terminal_lost"});
  out.emplace_back(SealNow{});
  seals_.on_sealed();
  request_end(out, SIGHUP, now);
  return out;
}

Actions SessionCore::on_clock_step() {
  return {PutClock{"step"}};
}

Actions SessionCore::on_trouble(Trouble trouble, const std::string& why, MonoTime now) {
  Actions out;
  if (!recording_ || failed_ || phase_ == Phase::ended) {
    return out;
  }
  if (trouble == Trouble::low_space) {
    out.emplace_back(PutGap{"disk_full", why});
  } else if (trouble == Trouble::ledger) {
    out.emplace_back(PutGap{"ledger", why});
  }
  if (trouble == Trouble::ledger && settings_.on_failure == OnFailure::continue_and_alert) {
    out.emplace_back(Alert{"this session is NO LONGER ENTERED IN THE LEDGER", why});
    return out;
  }
  if (settings_.on_failure == OnFailure::continue_and_alert) {
    recording_ = false;
    out.emplace_back(CloseRecording{});
    out.emplace_back(Alert{"this session is NO LONGER RECORDED", why});
    return out;
  }
  failed_ = true;
  out.emplace_back(Alert{trouble == Trouble::ledger
                             ? "this session ends: it can no longer be entered in the ledger"
                             : "this session ends: it can no longer be recorded",
                         why});
  request_end(out, SIGHUP, now);
  if (trouble == Trouble::dead) {  // not one more byte may be shown
    recording_ = false;
    hangup_at_.reset();
    hung_up_ = true;
    out.emplace_back(HangUp{});
    begin_drain(now);
  } else if (!hangup_at_) {
    hangup_at_ = MonoTime{now.us + k_grace_us};
  }
  return out;
}

Actions SessionCore::on_output_ended() {
  output_ended_ = true;
  if (phase_ == Phase::draining) {
    return end();
  }
  return {};
}

Actions SessionCore::on_tick(MonoTime now, bool output_stuck) {
  Actions out;
  if (phase_ == Phase::ended) {
    return out;
  }
  if (drain_until_ && now >= *drain_until_) {
    // The bound is for what holds the terminal open, not for a user who reads slowly.
    if (!output_stuck || hung_up_ || terminal_lost_) {
      return end();
    }
    drain_until_ = MonoTime{now.us + k_drain_us};
  }
  if (hangup_at_ && now >= *hangup_at_) {
    hangup_at_.reset();
    hung_up_ = true;
    out.emplace_back(HangUp{});
    begin_drain(now);
  }
  if (!recording_) {
    return out;
  }
  if (seals_.heartbeat_due(now)) {
    out.emplace_back(PutClock{"periodic"});
    out.emplace_back(AskSeal{SealReason::heartbeat});
    seals_.on_heartbeat(now);
  } else if (seals_.interval_due(now)) {
    out.emplace_back(AskSeal{SealReason::interval});
    seals_.on_sealed();
  }
  return out;
}

void SessionCore::begin_drain(MonoTime now) {
  if (phase_ == Phase::running) {
    phase_ = Phase::draining;
    drain_until_ = MonoTime{now.us + k_drain_us};
  }
}

Actions SessionCore::end() {
  phase_ = Phase::ended;
  drain_until_.reset();
  hangup_at_.reset();
  return {EndSession{}};
}

MonoTime SessionCore::next_deadline() const {
  MonoTime next = recording_ ? seals_.next() : MonoTime{std::numeric_limits<std::int64_t>::max()};
  for (const auto& deadline : {drain_until_, hangup_at_}) {
    next = deadline ? std::min(next, *deadline) : next;
  }
  return next;
}

SessionCore::Outcome SessionCore::outcome() const {
  Outcome out;
  out.wait_status = wait_status_;
  out.exec_error = exec_error_;
  if (exec_error_ != 0) {
    out.exit_status = exec_error_ == ENOENT ? k_exit_not_found : k_exit_cannot_execute;
    out.detail = "the command could not be started";
  } else if (wait_status_ && WIFEXITED(*wait_status_)) {
    out.exit_status = WEXITSTATUS(*wait_status_);
  } else if (wait_status_ && WIFSIGNALED(*wait_status_)) {
    out.exit_status = 128 + WTERMSIG(*wait_status_);
  } else if (lost_) {
    out.exit_status = k_exit_recorder_failed;
    out.detail = "the process that watched the command was killed";
  } else {
    out.exit_status = 128 + ending_signal_;
    out.detail = "the command outlived its terminal";
  }
  if (failed_) {
    out.exit_status = k_exit_recorder_failed;
  }
  return out;
}

}  // namespace sworn::recorder
