// SPDX-License-Identifier: Apache-2.0
// Signals while the player has the terminal: those that ask for something become bytes in a pipe,
// those of a broken program give the terminal back first. One owner per process; SignalGuard
// installs and removes.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <string>

namespace sworn::player {

class SignalGuard {
 public:
  SignalGuard() = default;
  ~SignalGuard();
  SignalGuard(const SignalGuard&) = delete;
  SignalGuard& operator=(const SignalGuard&) = delete;

  // Remembers the modes of the terminal, which must be as the user had them.
  Result<void> open();
  // `restore`: what gives the terminal back, written by a handler should the program crash.
  void install(const std::string& restore);

  [[nodiscard]] int wake_fd() const { return read_.get(); }
  // From any thread: a zero byte in the pipe.
  void notify() const;
  // Stops the process as the user asked with Ctrl+Z; returns when it goes on.
  static void stop();

 private:
  Fd read_;
  Fd write_;
};

}  // namespace sworn::player
