// SPDX-License-Identifier: Apache-2.0
// Which signals the recorder takes, as a descriptor: none of them interrupts anything. What was
// ignored when we were started (nohup) stays ignored, for us and for the command.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "recorder/session_core.hpp"

#include <csignal>
#include <optional>
#include <vector>

namespace sworn::recorder {

class Signals {
 public:
  // Blocks the signals of the whole process (call it before any thread exists).
  static Result<Signals> take();

  [[nodiscard]] int fd() const { return fd_.get(); }
  // SIGCHLD and SIGWINCH are among them.
  std::optional<SignalFact> next();

  // In a child, before exec: the mask and the dispositions that we were started with.
  void restore() const;

  // Lets `number` do to this process what it does by default: stop it. Returns after SIGCONT with
  // true; with false where the kernel refused, because nobody could continue us.
  bool stop_self(int number) const;

 private:
  Signals() = default;
  Fd fd_;
  sigset_t original_mask_{};
  bool ignored_pipe_ = false;
};

}  // namespace sworn::recorder
