// SPDX-License-Identifier: Apache-2.0
// The way of what is typed: from the user's terminal into locked memory, announced on record,
// sealed where it can start something, then to the program. It never waits for output. Whether the
// bytes are recorded is the business of InputPolicy.
#pragma once

#include "base/locked_memory.hpp"
#include "format/event.hpp"
#include "recorder/channel.hpp"
#include "recorder/echo_probe.hpp"
#include "recorder/input_policy.hpp"

#include <optional>

namespace sworn::recorder {

// What the keyboard needs of the session.
class KeyboardHost {
 public:
  virtual ~KeyboardHost() = default;
  virtual void record_key_event(format::EventKind kind, ByteView data,
                                std::optional<MonoTime> at) = 0;
  // Everything recorded so far is sealed when this returns true.
  virtual bool seal_before_forwarding(MonoTime now) = 0;
  // What was sealed for is with the program now: time for what that seal left to be done.
  virtual void after_forwarding() = 0;
  // From when on a seal may be made (SealSchedule::critical_allowed).
  virtual MonoTime seal_allowed() = 0;
};

class Keyboard final : private InputSink {
 public:
  enum class State : std::uint8_t { open, ended };

  Keyboard(InputMode mode, LockedMemory memory, Channel source, Channel sink, EchoProbe probe,
           KeyboardHost& host);

  // Reads what is there and forwards it.
  State on_readable(MonoTime now);
  void forward(MonoTime now);
  void on_output(ByteView data, MonoTime now) { policy_.on_output(data, now); }
  void on_time(MonoTime now);
  void finish(MonoTime now);

  [[nodiscard]] bool wants_reading() { return !sink_broken_ && !policy_.room().empty(); }
  [[nodiscard]] bool wants_writing() const { return blocked_; }
  [[nodiscard]] bool sink_broken() const { return sink_broken_; }
  [[nodiscard]] std::optional<MonoTime> next_deadline() const;

  [[nodiscard]] const Channel& source() const { return source_; }
  [[nodiscard]] const Channel& sink() const { return sink_; }
  void close_sink();

 private:
  void record_input(ByteView bytes, MonoTime at) override;
  void record_hidden() override;

  LockedMemory memory_;
  InputPolicy policy_;
  Channel source_;
  Channel sink_;
  EchoProbe probe_;
  KeyboardHost& host_;
  EchoState last_look_;
  std::optional<MonoTime> forward_at_;  // a paste is held back until the next seal may be made
  bool blocked_ = false;
  bool sink_broken_ = false;
};

}  // namespace sworn::recorder
