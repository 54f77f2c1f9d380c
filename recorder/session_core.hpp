// SPDX-License-Identifier: Apache-2.0
// The life of one session as a pure state machine: facts in (signals, what became of the command,
// time that passed, a recording that failed), actions out, in the order in which they must be done.
// No descriptor, no loop, no clock of its own; the runner executes what it says. The bytes
// themselves do not come through here.
#pragma once

#include "base/clock.hpp"
#include "base/term_size.hpp"
#include "format/session_writer.hpp"
#include "recorder/policy.hpp"
#include "recorder/seal_schedule.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sworn::recorder {

struct SignalFact {
  int number = 0;
  bool from_kernel = false;  // the terminal driver: the whole process group has got it
  std::int64_t sender = 0;
};

// What became of the command.
struct CommandReport {
  enum class Kind : std::uint8_t { exec_failed, stopped, continued, ended, lost };
  Kind kind = Kind::lost;
  int value = 0;  // errno, signal or wait status
};

enum class Trouble : std::uint8_t {
  low_space,  // only the reserve is left: the session can be closed properly
  dead,       // nothing can be written any more
  ledger,     // the session can be recorded, but not entered in its ledger
};

// Actions.
struct PutSignal {
  int number = 0;
  std::string origin;
};
struct PutResize {
  TermSize size;
};
struct PutClock {
  std::string reason;
};
struct PutGap {
  std::string reason;
  std::string detail;
};
struct SealNow {};  // before anything that follows
struct AskSeal {
  format::SealReason reason = format::SealReason::interval;  // by the worker
};
struct SetInnerSize {
  TermSize size;
};
struct PassSignal {
  int number = 0;
};
struct LeaveTerminal {};  // give the user's terminal its modes back
struct EnterTerminal {};  // raw mode, read the keyboard; only in the foreground
struct StopSelf {
  int number = 0;
};
struct ContinueCommand {
  bool foreground = true;
};
struct HangUp {};          // take the terminal, or the streams, away from the command
struct CloseRecording {};  // what follows is not recorded
struct Alert {
  std::string what;
  std::string why;
};
struct EndSession {};
using Action = std::variant<PutSignal, PutResize, PutClock, PutGap, SealNow, AskSeal, SetInnerSize,
                            PassSignal, LeaveTerminal, EnterTerminal, StopSelf, ContinueCommand,
                            HangUp, CloseRecording, Alert, EndSession>;
using Actions = std::vector<Action>;

class SessionCore {
 public:
  static constexpr std::int64_t k_drain_us = 200'000;    // for output behind the end of the command
  static constexpr std::int64_t k_grace_us = 2'000'000;  // between a request to end and the hangup

  struct Settings {
    bool terminal = true;
    OnFailure on_failure = OnFailure::terminate;
  };
  // `recording`: false where the session runs unrecorded from its start.
  SessionCore(Settings settings, MonoTime now, bool recording = true);

  Actions on_signal(const SignalFact& signal, bool foreground, MonoTime now);
  Actions on_command(const CommandReport& report, bool foreground, MonoTime now);
  // StopSelf had no effect: nobody could continue us (orphaned process group).
  Actions on_not_stopped(bool foreground);
  Actions on_resize(TermSize size);
  Actions on_terminal_lost(MonoTime now);
  Actions on_clock_step();
  Actions on_trouble(Trouble trouble, const std::string& why, MonoTime now);
  // Every source of output has come to its end.
  Actions on_output_ended();
  // `output_stuck`: there is output that waits for its reader, not for its writer.
  Actions on_tick(MonoTime now, bool output_stuck);

  [[nodiscard]] MonoTime next_deadline() const;
  SealSchedule& seals() { return seals_; }
  [[nodiscard]] const SealSchedule& seals() const { return seals_; }

  [[nodiscard]] bool ended() const { return phase_ == Phase::ended; }
  [[nodiscard]] bool draining() const { return phase_ == Phase::draining; }
  [[nodiscard]] bool recording() const { return recording_; }

  struct Outcome {
    int exit_status = 0;             // of the recorder
    std::optional<int> wait_status;  // of the command, where it is known
    int exec_error = 0;
    std::string detail;
  };
  [[nodiscard]] Outcome outcome() const;

 private:
  enum class Phase : std::uint8_t { running, draining, ended };

  void request_end(Actions& out, int passed, MonoTime now);
  void begin_drain(MonoTime now);
  Actions end();

  Settings settings_;
  Phase phase_ = Phase::running;
  SealSchedule seals_;
  bool recording_ = true;
  bool terminal_lost_ = false;
  bool failed_ = false;
  bool hung_up_ = false;
  bool output_ended_ = false;
  int ending_signal_ = 0;
  std::optional<MonoTime> drain_until_;
  std::optional<MonoTime> hangup_at_;
  std::optional<int> wait_status_;
  int exec_error_ = 0;
  bool lost_ = false;
};

}  // namespace sworn::recorder
