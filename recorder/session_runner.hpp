// SPDX-License-Identifier: Apache-2.0
// Runs one session: waits for whatever happens, tells the core, does what the core says. Owns
// everything that the session uses. One thread; run() returns when the session is over and the
// recording is closed.
#pragma once

#include "audit/audit_source.hpp"
#include "base/clock.hpp"
#include "recorder/command.hpp"
#include "recorder/event_loop.hpp"
#include "recorder/keyboard.hpp"
#include "recorder/output_lane.hpp"
#include "recorder/recording.hpp"
#include "recorder/session_core.hpp"
#include "recorder/session_ledger.hpp"
#include "recorder/signals.hpp"
#include "recorder/user_terminal.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::recorder {

// In host sessions the process that stands in the user's job is not the recorder: it passes on the
// signals that hit it and stops when it is told to.
class Bystander {
 public:
  virtual ~Bystander() = default;
  [[nodiscard]] virtual int fd() const = 0;
  struct News {
    bool gone = false;
    SignalFact signal;
  };
  virtual std::optional<News> next() = 0;
  virtual void stop(int number) = 0;  // its SIGCONT comes as news
};

struct SessionParts {
  Options options;
  std::unique_ptr<Command> command;
  std::unique_ptr<Recording>
      recording;               // empty: it could not be made, and the policy lets the session go on
  std::string recording_path;  // also where there is none
  std::unique_ptr<SessionLedger> ledger;  // empty: the session is kept in none
  std::optional<UserTerminal> terminal;   // empty: streams
  bool take_terminal = true;              // at once, not when the command asks for it
  Fd ptm;                                 // of the session's terminal
  TermSize size;
  std::vector<OutputLane> lanes;
  std::optional<OutputLane> input_lane;  // streams: standard input
  std::unique_ptr<audit::AuditSource> audit;
  std::unique_ptr<Bystander> bystander;  // empty: we stand in the user's job ourselves
};

class SessionRunner final : private LaneHost, private KeyboardHost {
 public:
  SessionRunner(SessionParts parts, Signals& signals, Clock& clock);
  ~SessionRunner() override;

  // The keyboard of a session with a terminal; before run().
  void set_keyboard(Channel source, Channel sink, LockedMemory memory, EchoProbe probe,
                    InputMode mode);
  // Our end of the session's terminal, for its size and its modes.
  void set_terminal(Fd ptm) { parts_.ptm = std::move(ptm); }
  [[nodiscard]] pid_t command_pid() const { return parts_.command->pid(); }
  [[nodiscard]] int terminal_fd() const { return parts_.terminal->fd(); }

  Result<int> run();  // the exit status
  [[nodiscard]] SessionCore::Outcome outcome() const { return core_->outcome(); }
  // Of the finished recording; empty where it could not be finished.
  [[nodiscard]] const std::optional<format::SealPoint>& final_seal() const { return final_seal_; }

 private:
  struct Pump {
    OutputLane lane;
    EventLoop::Watch source;
    EventLoop::Watch sink;
    bool done = false;
    std::optional<std::uint64_t> drained_from;  // bytes when the command had ended
    std::uint64_t late = 0;
  };

  // LaneHost
  std::span<std::byte> room(std::size_t want) override;
  ByteView record(format::EventKind kind, std::span<std::byte> room, std::size_t n) override;
  void shown(format::EventKind kind, ByteView data) override;
  // KeyboardHost
  void record_key_event(format::EventKind kind, ByteView data, std::optional<MonoTime> at) override;
  bool seal_before_forwarding(MonoTime now) override;
  void after_forwarding() override;
  MonoTime seal_allowed() override { return core_->seals().critical_allowed(); }

  Result<void> set_up();
  Result<void> watch_lane(Pump& pump);
  Result<void> watch_clock();
  void drive(Pump& pump);
  void drive_all();
  void set_interest(Pump& pump);
  void on_lane_ended(Pump& pump);
  void check_output_ended();
  void set_keyboard_interest();
  void on_keyboard();
  void on_keyboard_ended();
  void on_signals();
  void on_bystander();
  void on_reports();
  void on_clock_step();
  void on_recording_changed();
  void on_idle();
  void on_time();
  void arm_timer();
  void after_event();
  void read_size();

  void run_actions(const Actions& actions);
  void run_action(const Action& action);
  void put(format::EventKind kind, ByteView data, std::optional<MonoTime> at = std::nullopt);
  void put_clock(const std::string& reason);
  void on_recorded(std::size_t bytes, MonoTime now);
  void seal_now();
  void drain_audit();
  void stop_self(int number);
  void hang_up();
  void close_recording();
  void alert(const Alert& alert);
  void trouble(Trouble kind, const std::string& why);
  [[nodiscard]] bool foreground() const;
  [[nodiscard]] bool output_stuck() const;

  void end_session();
  Result<void> close_file(std::uint64_t late_bytes);
  void end_in_ledger(const Result<void>& closed, const std::string& exit);
  void look_at_ledger();
  void show_rest();

  SessionParts parts_;
  Signals& signals_;
  Clock& clock_;
  std::optional<SessionCore> core_;
  std::unique_ptr<EventLoop> loop_;
  std::deque<Pump> pumps_;  // output lanes, then the input lane: addresses stay
  std::size_t outputs_ = 0;
  std::optional<Keyboard> keyboard_;
  bool keyboard_on_ = false;
  EventLoop::Watch keyboard_source_;
  EventLoop::Watch keyboard_sink_;
  EventLoop::Watch signal_watch_;
  EventLoop::Watch bystander_watch_;
  EventLoop::Watch report_watch_;
  EventLoop::Watch audit_watch_;
  EventLoop::Watch clock_watch_;
  Fd clock_fd_;
  std::vector<audit::AuditFact> facts_;
  Bytes scratch_;  // for what is not recorded any more
  Bytes aside_;
  MonoTime armed_{};
  bool ending_ = false;
  bool reported_ended_ = false;
  std::optional<Error> close_error_;
  std::optional<format::SealPoint> final_seal_;
  std::optional<Error> ledger_error_;
};

}  // namespace sworn::recorder
