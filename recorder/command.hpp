// SPDX-License-Identifier: Apache-2.0
// The recorder's hold on the command that it records: starts the anchor and the command, lets the
// command execute when everything is on record, hears what becomes of it.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "recorder/anchor.hpp"

#include <memory>
#include <optional>

#include <sys/types.h>

namespace sworn::recorder {

class Command {
 public:
  // Forks; call it before any thread, lock or key exists. The command waits until go().
  static Result<std::unique_ptr<Command>> start(AnchorPlan plan);
  // An anchor that another process has started (host sessions: the client did, as the user). `go`
  // is the writing end of its pipe. Waits up to `timeout_ms` for the command's process to exist.
  static Result<std::unique_ptr<Command>> attach(Fd socket, Fd go, int timeout_ms);
  ~Command();  // where go() was never called, the command never executes
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void go();

  // Readable when there is a report.
  [[nodiscard]] int fd() const { return socket_.get(); }
  std::optional<CommandReport> next();

  void pass_signal(int number) { tell(AnchorMessage::Kind::pass, number); }
  void resume(bool foreground) {
    tell(foreground ? AnchorMessage::Kind::foreground : AnchorMessage::Kind::background, 0);
  }
  void hang_up() { tell(AnchorMessage::Kind::hang_up, 0); }

 private:
  Command() = default;
  Result<void> hear_pid();
  void tell(AnchorMessage::Kind kind, int value);

  Fd socket_;
  Fd go_;
  pid_t anchor_ = -1;
  pid_t pid_ = -1;
  bool ended_ = false;  // the last report was handed out
};

}  // namespace sworn::recorder
