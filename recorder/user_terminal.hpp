// SPDX-License-Identifier: Apache-2.0
// The terminal of the user. Its modes are changed only while we are in its foreground, and given
// back by the destructor at the latest. Works on a descriptor of its own, so that O_NONBLOCK does
// not leak to the other programs that share the inherited one.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/term_size.hpp"

#include <string>

#include <termios.h>

namespace sworn::recorder {

class UserTerminal {
 public:
  // `fd` is 0, 1 or 2 and refers to a terminal.
  static Result<UserTerminal> open(int fd);
  // A descriptor of our own (non-blocking, no other process uses this open file); `name` as others
  // know it.
  static Result<UserTerminal> adopt(Fd own, std::string name);
  UserTerminal(UserTerminal&& other) noexcept;
  UserTerminal& operator=(UserTerminal&&) = delete;
  UserTerminal(const UserTerminal&) = delete;
  UserTerminal& operator=(const UserTerminal&) = delete;
  ~UserTerminal();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const termios& modes() const { return saved_; }    // as the user had them
  [[nodiscard]] const std::string& name() const { return name_; }  // empty: not in this namespace
  // As the kernel has it; 0 by 0 where nobody set it.
  [[nodiscard]] TermSize size() const;
  // Our process group may read and change it. Also true where it is not our controlling terminal.
  [[nodiscard]] bool foreground() const;

  // Raw mode. Reads the modes anew, because a shell may have changed them while we were stopped.
  void enter();
  [[nodiscard]] bool is_raw() const { return raw_; }
  // Puts the user's modes back; without effect in the background, where it would stop us.
  void leave() noexcept;

 private:
  UserTerminal() = default;
  Fd fd_;
  std::string name_;
  termios saved_{};
  bool raw_ = false;
  bool restore_blocking_ = false;  // no descriptor of our own could be had
};

// The number of the terminal device, which is the same for all its names; -1 where `fd` is none.
int terminal_device(int fd);

}  // namespace sworn::recorder
