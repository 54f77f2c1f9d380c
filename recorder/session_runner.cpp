// SPDX-License-Identifier: Apache-2.0
#include "recorder/session_runner.hpp"

#include "base/printable.hpp"
#include "format/event_payload.hpp"
#include "recorder/alert.hpp"
#include "recorder/message.hpp"
#include "recorder/options.hpp"
#include "recorder/pty.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include <poll.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

using format::EventKind;
using Flow = OutputLane::Flow;

constexpr std::size_t k_scratch_bytes = 64 * 1024;
// What a pipe and a terminal can hold behind the end of a command; who writes more is still
// running.
constexpr std::uint64_t k_max_drain_bytes = 512 * 1024;
constexpr std::size_t k_event_overhead = 48;  // of an event in the tail

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

bool is_terminal_output(EventKind kind, bool terminal) {
  return terminal && kind == EventKind::output;
}

}  // namespace

SessionRunner::SessionRunner(SessionParts parts, Signals& signals, Clock& clock)
    : parts_(std::move(parts)), signals_(signals), clock_(clock) {
  core_.emplace(SessionCore::Settings{.terminal = parts_.terminal.has_value(),
                                      .on_failure = parts_.options.on_failure},
                clock.mono(), parts_.recording != nullptr);
  for (auto& lane : parts_.lanes) {
    pumps_.push_back(Pump{std::move(lane), {}, {}, false, std::nullopt, 0});
  }
  parts_.lanes.clear();
  outputs_ = pumps_.size();
  if (parts_.input_lane) {
    pumps_.push_back(Pump{std::move(*parts_.input_lane), {}, {}, false, std::nullopt, 0});
    parts_.input_lane.reset();
  }
}

SessionRunner::~SessionRunner() = default;

void SessionRunner::set_keyboard(Channel source, Channel sink, LockedMemory memory, EchoProbe probe,
                                 InputMode mode) {
  keyboard_.emplace(mode, std::move(memory), std::move(source), std::move(sink), std::move(probe),
                    static_cast<KeyboardHost&>(*this));
}

// --- setting up

Result<void> SessionRunner::watch_lane(Pump& pump) {
  const auto drive_it = [this, &pump](Ready) {
    drive(pump);
    after_event();
  };
  if (const int fd = pump.lane.source().wait_fd(); fd >= 0) {
    TRY_ASSIGN(pump.source, loop_->watch(fd, drive_it));
  }
  if (const int fd = pump.lane.sink().wait_fd(); fd >= 0) {
    TRY_ASSIGN(pump.sink, loop_->watch(fd, drive_it));
  }
  set_interest(pump);
  return {};
}

// Readable when somebody sets the wall clock.
Result<void> SessionRunner::watch_clock() {
  clock_fd_.reset(::timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  itimerspec far{};
  far.it_value.tv_sec = std::numeric_limits<std::int32_t>::max();
  if (!clock_fd_.valid() ||
      ::timerfd_settime(clock_fd_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far,
                        nullptr) != 0) {
    return fail_sys(errno, "timerfd");
  }
  TRY_ASSIGN(clock_watch_, loop_->watch(clock_fd_.get(), [this](Ready) {
    on_clock_step();
    after_event();
  }));
  clock_watch_.want(true, false);
  return {};
}

Result<void> SessionRunner::set_up() {
  TRY_ASSIGN(loop_, EventLoop::create());
  TRY(loop_->on_wake([this] {
    on_recording_changed();
    after_event();
  }));
  loop_->on_timer([this] {
    on_time();
    after_event();
  });
  loop_->set_idle([this] {
    on_idle();
    after_event();
  });
  for (auto& pump : pumps_) {
    TRY(watch_lane(pump));
  }
  TRY(watch_clock());
  TRY_ASSIGN(signal_watch_, loop_->watch(signals_.fd(), [this](Ready) {
    on_signals();
    after_event();
  }));
  signal_watch_.want(true, false);
  if (parts_.bystander) {
    TRY_ASSIGN(bystander_watch_, loop_->watch(parts_.bystander->fd(), [this](Ready) {
      on_bystander();
      after_event();
    }));
    bystander_watch_.want(true, false);
  }
  TRY_ASSIGN(report_watch_, loop_->watch(parts_.command->fd(), [this](Ready) {
    on_reports();
    after_event();
  }));
  report_watch_.want(true, false);
  if (parts_.audit && parts_.audit->fd() >= 0) {
    TRY_ASSIGN(audit_watch_, loop_->watch(parts_.audit->fd(), [this](Ready) {
      drain_audit();
      after_event();
    }));
    audit_watch_.want(true, false);
  }
  if (keyboard_) {
    TRY_ASSIGN(keyboard_source_, loop_->watch(keyboard_->source().wait_fd(), [this](Ready) {
      on_keyboard();
      after_event();
    }));
    TRY_ASSIGN(keyboard_sink_, loop_->watch(keyboard_->sink().wait_fd(), [this](Ready) {
      keyboard_->forward(clock_.mono());
      after_event();
    }));
  }
  if (parts_.recording) {
    if (parts_.ledger) {
      parts_.recording->on_heartbeat([ledger = parts_.ledger.get()] { ledger->beat(); });
      TRY(parts_.ledger->start(*parts_.recording, [this] { loop_->wake(); }));
    }
    TRY(parts_.recording->start_worker([this] { loop_->wake(); }));
  }
  return {};
}

Result<int> SessionRunner::run() {
  TRY(set_up());
  if (keyboard_ && (!parts_.terminal || parts_.take_terminal)) {
    run_action(EnterTerminal{});
  }
  drain_audit();  // what will be captured stands in front of everything that is
  if (parts_.bystander && keyboard_) {
    on_keyboard();  // what was typed before the terminal was taken over
  }
  parts_.command->go();
  after_event();
  if (!ending_) {
    loop_->run();
  }
  end_session();
  const auto outcome = core_->outcome();
  return (close_error_ || ledger_error_) && parts_.options.on_failure == OnFailure::terminate
             ? k_exit_recorder_failed
             : outcome.exit_status;
}

// --- output

std::span<std::byte> SessionRunner::room(std::size_t want) {
  if (parts_.recording) {
    // Full disk: what is left is for closing the session. Its program waits for its end.
    return parts_.recording->low_space() ? std::span<std::byte>{} : parts_.recording->reserve(want);
  }
  scratch_.resize(k_scratch_bytes);
  return std::span(scratch_).first(std::min(want, scratch_.size()));
}

ByteView SessionRunner::record(EventKind kind, std::span<std::byte> room, std::size_t n) {
  ByteView shown = room.first(n);
  if (parts_.recording) {
    facts_.clear();
    if (parts_.audit && parts_.audit->fd() >= 0 && !parts_.audit->drain(facts_)) {
      audit_watch_.close();
    }
    if (facts_.empty()) {
      shown = parts_.recording->commit(kind, n).data;
    } else {
      // What began or ended before this output was written comes first.
      aside_.assign(shown.begin(), shown.end());
      for (const auto& fact : std::exchange(facts_, {})) {
        put(fact.kind, fact.data, fact.at);
      }
      put(kind, aside_);
      shown = aside_;
    }
  }
  return shown;
}

// What can wait until the bytes are on their way.
void SessionRunner::shown(EventKind kind, ByteView data) {
  const MonoTime now = clock_.mono();
  if (parts_.recording) {
    on_recorded(data.size(), now);
  }
  if (keyboard_ && is_terminal_output(kind, parts_.terminal.has_value())) {
    keyboard_->on_output(data, now);
  }
}

void SessionRunner::drive(Pump& pump) {
  if (pump.done) {
    return;
  }
  const Flow flow = pump.lane.pump(*this);
  if (core_->draining() && !pump.drained_from) {
    pump.drained_from = pump.lane.bytes();
  }
  if (pump.lane.sink_broken() &&
      is_terminal_output(pump.lane.kind(), parts_.terminal.has_value())) {
    run_actions(core_->on_terminal_lost(clock_.mono()));
  }
  if (flow == Flow::ended && !pump.done) {
    on_lane_ended(pump);
  }
  set_interest(pump);
}

void SessionRunner::drive_all() {
  for (auto& pump : pumps_) {
    drive(pump);
  }
}

void SessionRunner::set_interest(Pump& pump) {
  const Flow flow = pump.done ? Flow::ended : pump.lane.flow();
  const bool reads = flow == Flow::idle || flow == Flow::busy;
  const bool writes = flow == Flow::blocked;
  const auto want = [](EventLoop::Watch& watch, const Channel& channel, bool wanted) {
    const bool reading = channel.waits_for_reading();
    watch.want(wanted && reading, wanted && !reading);
  };
  want(pump.source, pump.lane.source(), reads);
  want(pump.sink, pump.lane.sink(), writes);
  const bool idle = std::any_of(pumps_.begin(), pumps_.end(), [](const Pump& each) {
    return !each.done && !each.source.active() &&
           (each.lane.flow() == Flow::idle || each.lane.flow() == Flow::busy);
  });
  loop_->want_idle(idle);
}

void SessionRunner::on_idle() {
  for (auto& pump : pumps_) {
    if (!pump.source.active()) {
      drive(pump);
    }
  }
}

void SessionRunner::on_lane_ended(Pump& pump) {
  pump.done = true;
  pump.source.close();
  pump.sink.close();
  const bool by_reader = pump.lane.sink_broken();
  pump.lane.close_source();
  if (&pump == &pumps_.back() && pumps_.size() > outputs_) {
    if (!by_reader) {
      put(EventKind::end_of_input, {});
    }
    pump.lane.close_sink();
    return;
  }
  if (!is_terminal_output(pump.lane.kind(), parts_.terminal.has_value()) &&
      pump.lane.kind() != EventKind::error_output) {  // where our own messages go, too
    pump.lane.close_sink();  // whoever reads our output sees its end when the command ends it
  }
  check_output_ended();
}

void SessionRunner::check_output_ended() {
  const auto end = pumps_.begin() + static_cast<std::ptrdiff_t>(outputs_);
  if (!reported_ended_ &&
      std::all_of(pumps_.begin(), end, [](const Pump& pump) { return pump.done; })) {
    reported_ended_ = true;
    run_actions(core_->on_output_ended());
  }
}

bool SessionRunner::output_stuck() const {
  const bool full = parts_.recording && parts_.recording->low_space();
  return std::any_of(pumps_.begin(), pumps_.begin() + static_cast<std::ptrdiff_t>(outputs_),
                     [full](const Pump& pump) {
                       const bool starved = pump.lane.flow() == Flow::starved && !full;
                       const bool stuck = pump.lane.flow() == Flow::blocked || starved;
                       return !pump.done && stuck &&
                              pump.lane.bytes() - pump.drained_from.value_or(pump.lane.bytes()) <
                                  k_max_drain_bytes;
                     });
}

// --- input

void SessionRunner::on_keyboard() {
  if (!keyboard_on_) {
    return;
  }
  drain_audit();
  if (keyboard_->on_readable(clock_.mono()) == Keyboard::State::ended) {
    on_keyboard_ended();
  }
}

void SessionRunner::on_keyboard_ended() {
  keyboard_on_ = false;
  if (parts_.terminal) {
    run_actions(core_->on_terminal_lost(clock_.mono()));
    return;
  }
  put(EventKind::end_of_input, {});
  keyboard_sink_.close();
  keyboard_->close_sink();
}

void SessionRunner::set_keyboard_interest() {
  if (!keyboard_) {
    return;
  }
  const bool reads = keyboard_on_ && !core_->ended() && keyboard_->wants_reading();
  keyboard_source_.want(reads, false);
  keyboard_sink_.want(false, keyboard_->wants_writing() && !keyboard_->sink_broken());
}

void SessionRunner::record_key_event(EventKind kind, ByteView data, std::optional<MonoTime> at) {
  put(kind, data, at);
}

bool SessionRunner::seal_before_forwarding(MonoTime now) {
  if (!parts_.recording) {
    return true;
  }
  if (!parts_.recording->seal_now()) {
    return false;  // after_event() finds out
  }
  core_->seals().on_critical(now);
  return true;
}

void SessionRunner::after_forwarding() {
  if (parts_.recording) {
    parts_.recording->after_seal();
  }
}

// --- other facts

bool SessionRunner::foreground() const {
  return parts_.terminal && parts_.terminal->foreground();
}

void SessionRunner::on_signals() {
  while (const auto signal = signals_.next()) {
    if (signal->number == SIGCHLD) {
      continue;
    }
    if (signal->number == SIGWINCH) {
      read_size();
      continue;
    }
    run_actions(core_->on_signal(*signal, foreground(), clock_.mono()));
  }
}

void SessionRunner::on_bystander() {
  while (const auto news = parts_.bystander->next()) {
    if (news->gone) {
      bystander_watch_.close();
      run_actions(core_->on_terminal_lost(clock_.mono()));
      return;
    }
    if (news->signal.number == SIGWINCH) {
      read_size();
    } else {
      run_actions(core_->on_signal(news->signal, foreground(), clock_.mono()));
    }
  }
}

void SessionRunner::read_size() {
  if (!parts_.terminal) {
    return;
  }
  if (const TermSize size = parts_.terminal->size(); size != parts_.size) {
    parts_.size = size;
    run_actions(core_->on_resize(size));
  }
}

void SessionRunner::on_reports() {
  while (const auto report = parts_.command->next()) {
    if (report->kind == CommandReport::Kind::ended || report->kind == CommandReport::Kind::lost) {
      report_watch_.close();
      drive_all();  // what it wrote last
    }
    run_actions(core_->on_command(*report, foreground(), clock_.mono()));
    for (auto& pump : pumps_) {
      pump.drained_from =
          core_->draining() ? pump.drained_from.value_or(pump.lane.bytes()) : pump.drained_from;
    }
  }
}

void SessionRunner::on_clock_step() {
  std::uint64_t expirations = 0;
  const auto n = ::read(clock_fd_.get(), &expirations, sizeof expirations);
  if (n < 0 && errno == ECANCELED) {
    run_actions(core_->on_clock_step());
  }
}

void SessionRunner::on_recording_changed() {
  if (parts_.recording) {
    parts_.recording->trim_if_idle();
  }
  drive_all();
}

void SessionRunner::on_time() {
  armed_ = MonoTime{0};
  const MonoTime now = clock_.mono();
  run_actions(core_->on_tick(now, output_stuck()));
  if (keyboard_) {
    keyboard_->on_time(now);
  }
}

void SessionRunner::arm_timer() {
  MonoTime next = core_->next_deadline();
  if (const auto due = keyboard_ ? keyboard_->next_deadline() : std::nullopt) {
    next = std::min(next, *due);
  }
  // A timer that fires too early is armed again then: cheaper than moving it with every event.
  if (armed_.us != 0 && armed_ <= next) {
    return;
  }
  armed_ = next;
  const std::int64_t wait_us = std::min<std::int64_t>(next.us - clock_.mono().us, 3'600'000'000);
  loop_->set_timer((wait_us + 999) / 1000);
}

void SessionRunner::after_event() {
  look_at_ledger();
  if (parts_.recording && parts_.recording->dead()) {
    trouble(Trouble::dead, describe(parts_.recording->error()));
  } else if (parts_.recording && parts_.recording->low_space()) {
    trouble(Trouble::low_space, "the disk is full");
  }
  if (ending_) {
    loop_->stop();
    return;
  }
  set_keyboard_interest();
  arm_timer();
}

// --- actions

void SessionRunner::put(EventKind kind, ByteView data, std::optional<MonoTime> at) {
  if (parts_.recording && parts_.recording->put(kind, data, at)) {
    on_recorded(data.size(), clock_.mono());
  }
}

void SessionRunner::on_recorded(std::size_t bytes, MonoTime now) {
  if (core_->seals().on_recorded(bytes + k_event_overhead, now)) {
    parts_.recording->nudge();
  }
}

void SessionRunner::put_clock(const std::string& reason) {
  const ClockQuality quality = clock_.quality();
  put(EventKind::clock, encode(format::ClockSample{clock_.wall(), quality.synchronised,
                                                   quality.max_error_us, reason}));
}

void SessionRunner::seal_now() {
  if (parts_.recording) {
    static_cast<void>(parts_.recording->seal_now());  // after_event() looks at it
  }
}

void SessionRunner::drain_audit() {
  if (!parts_.audit || parts_.audit->fd() < 0) {
    return;
  }
  facts_.clear();
  if (!parts_.audit->drain(facts_)) {
    audit_watch_.close();
  }
  for (const auto& fact : std::exchange(facts_, {})) {
    put(fact.kind, fact.data, fact.at);
  }
}

void SessionRunner::run_actions(const Actions& actions) {
  for (const auto& action : actions) {
    run_action(action);
  }
}

void SessionRunner::run_action(const Action& action) {
  std::visit(
      Overloaded{
          [this](const PutSignal& a) {
            put(EventKind::signal, encode(format::Signal{a.number, a.origin}));
          },
          [this](const PutResize& a) { put(EventKind::resize, encode(format::Resize{a.size})); },
          [this](const PutClock& a) { put_clock(a.reason); },
          [this](const PutGap& a) {
            put(EventKind::gap, encode(format::Gap{a.reason, 0, 0, a.detail}));
          },
          [this](const SealNow&) { seal_now(); },
          [this](const AskSeal& a) {
            if (parts_.recording) {
              parts_.recording->ask_seal(a.reason);
            }
          },
          [this](const SetInnerSize& a) {
            if (parts_.ptm.valid()) {
              set_size(parts_.ptm.get(), a.size);
            }
          },
          [this](const PassSignal& a) { parts_.command->pass_signal(a.number); },
          [this](const LeaveTerminal&) {
            keyboard_on_ = false;
            set_keyboard_interest();
            if (parts_.terminal) {
              parts_.terminal->leave();
            }
          },
          [this](const EnterTerminal&) {
            if (parts_.terminal) {
              parts_.terminal->enter();
              read_size();
            }
            keyboard_on_ = !parts_.terminal || parts_.terminal->is_raw();
          },
          [this](const StopSelf& a) { stop_self(a.number); },
          [this](const ContinueCommand& a) { parts_.command->resume(a.foreground); },
          [this](const HangUp&) { hang_up(); },
          [this](const CloseRecording&) { close_recording(); },
          [this](const Alert& a) { alert(a); },
          [this](const EndSession&) { ending_ = true; },
      },
      action);
}

void SessionRunner::stop_self(int number) {
  if (parts_.bystander) {
    parts_.bystander->stop(number);
    return;
  }
  if (!signals_.stop_self(number)) {
    run_actions(core_->on_not_stopped(foreground()));
  }
}

void SessionRunner::hang_up() {
  parts_.command->hang_up();
  keyboard_on_ = false;
  keyboard_source_.close();
  keyboard_sink_.close();
  if (keyboard_) {
    keyboard_->close_sink();
  }
  parts_.ptm.reset();
  for (auto& pump : pumps_) {
    if (!pump.done) {
      pump.done = true;
      pump.source.close();
      pump.sink.close();
      pump.late = pump.lane.waiting();
      pump.lane.close_source();
    }
  }
}

void SessionRunner::trouble(Trouble kind, const std::string& why) {
  run_actions(core_->on_trouble(kind, why, clock_.mono()));
}

void SessionRunner::alert(const Alert& alert) {
  const Message message{"rec: " + alert.what, alert.why, ""};
  raise_alert(message, parts_.recording_path);
  const std::string text = "\n\a" + to_text(message);
  if (parts_.terminal) {
    const std::string raw = for_raw_terminal(text);
    pollfd ready{parts_.terminal->fd(), POLLOUT, 0};
    if (::poll(&ready, 1, 1'000) > 0) {
      static_cast<void>(write_all(parts_.terminal->fd(), as_bytes(raw)));
    }
  } else {
    complain(message);
  }
}

void SessionRunner::look_at_ledger() {
  const auto failure = parts_.ledger ? parts_.ledger->take_failure() : std::nullopt;
  if (!failure) {
    return;
  }
  if (failure->final) {
    trouble(Trouble::ledger, describe(failure->error));
  } else {
    run_action(PutGap{"ledger", describe(failure->error)});
  }
}

void SessionRunner::close_recording() {
  if (!parts_.recording) {
    return;
  }
  const auto closed = close_file(0);
  end_in_ledger(closed, "not recorded to its end");
  if (!closed) {
    close_error_ = closed.error();
  }
  parts_.recording.reset();
  audit_watch_.close();
  parts_.audit.reset();
  if (keyboard_) {
    keyboard_->forward(clock_.mono());
  }
  drive_all();
}

// --- the end

void SessionRunner::end_session() {
  report_watch_.close();
  const MonoTime now = clock_.mono();
  drain_audit();
  if (parts_.audit) {
    facts_.clear();
    parts_.audit->finish(facts_);
    for (const auto& fact : std::exchange(facts_, {})) {
      put(fact.kind, fact.data, fact.at);
    }
  }
  if (keyboard_) {
    keyboard_->finish(now);
  }
  std::uint64_t late = 0;
  for (std::size_t i = 0; i < outputs_; ++i) {
    late += pumps_[i].late + pumps_[i].lane.waiting();
  }
  const auto outcome = core_->outcome();
  format::Exit exit;
  exit.detail = outcome.detail;
  exit.undrained_bytes = late;
  exit.status = outcome.exit_status;
  if (outcome.wait_status && WIFSIGNALED(*outcome.wait_status)) {
    exit.signal = WTERMSIG(*outcome.wait_status);
    exit.core_dumped = WCOREDUMP(*outcome.wait_status);
  }
  put(EventKind::exit, encode(exit));
  put_clock("end");
  const auto closed = close_file(late);
  if (!closed) {
    close_error_ = closed.error();
  }
  end_in_ledger(closed, exit.signal != 0 ? "signalled " + std::to_string(exit.signal)
                                         : "exited " + std::to_string(exit.status));
  show_rest();
  if (parts_.terminal) {
    parts_.terminal->leave();
  }
  if (outcome.exec_error != 0) {
    complain(
        {"rec: cannot run " +
             printable(parts_.options.command.empty() ? "the shell" : parts_.options.command[0]),
         std::system_category().message(outcome.exec_error), "check its name and its permissions"});
  }
  if (close_error_) {
    complain(
        {"rec: the recording could not be closed", describe(*close_error_),
         "what was recorded is in " + printable(parts_.recording_path) + ".part: sworn salvage"});
  }
  if (ledger_error_) {
    complain({"rec: the end of the session could not be entered in the ledger",
              describe(*ledger_error_), "see what is wrong with it: sworn ledger check"});
  }
}

// Once; the ledger's thread ends here, before the recording goes.
void SessionRunner::end_in_ledger(const Result<void>& closed, const std::string& exit) {
  if (!parts_.ledger || !parts_.recording) {
    return;
  }
  const auto seal = parts_.recording->last_seal();
  auto entered = closed && seal ? parts_.ledger->close(*seal, parts_.recording->final_path(), exit)
                                : parts_.ledger->lose(closed ? "it was never sealed"
                                                             : describe(closed.error()));
  if (!entered) {
    ledger_error_ = entered.error();
  }
  parts_.ledger.reset();
}

Result<void> SessionRunner::close_file(std::uint64_t late_bytes) {
  if (!parts_.recording) {
    return {};
  }
  TRY(parts_.recording->finish(late_bytes));
  final_seal_ = parts_.recording->last_seal();
  return {};
}

// On record, but the terminal was not ready for it: ^S, or a slow line. A signal ends the wait.
void SessionRunner::show_rest() {
  for (std::size_t i = 0; i < outputs_; ++i) {
    auto& lane = pumps_[i].lane;
    while (!lane.unshown().empty() && !lane.flush()) {
      std::array<pollfd, 2> ready{{{lane.sink().fd(), POLLOUT, 0}, {signals_.fd(), POLLIN, 0}}};
      if (::poll(ready.data(), ready.size(), -1) < 0 || ready[1].revents != 0) {
        const auto signal = signals_.next();
        if (signal &&
            (signal->number == SIGTERM || signal->number == SIGHUP || signal->number == SIGINT)) {
          return;
        }
      }
    }
  }
}

}  // namespace sworn::recorder
