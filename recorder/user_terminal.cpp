// SPDX-License-Identifier: Apache-2.0
#include "recorder/user_terminal.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace sworn::recorder {

int terminal_device(int fd) {
  unsigned device = 0;
  if (::ioctl(fd, TIOCGDEV, &device) != 0) {
    return -1;
  }
  return static_cast<int>(device);
}

Result<UserTerminal> UserTerminal::open(int fd) {
  UserTerminal out;
  if (::tcgetattr(fd, &out.saved_) != 0) {
    return fail_sys(errno, "cannot read the modes of the terminal");
  }
  std::array<char, 256> name{};
  if (::ttyname_r(fd, name.data(), name.size()) == 0) {
    out.name_ = name.data();
  }
  const int device = terminal_device(fd);
  // /dev/tty needs no permission on the device itself, which after su belongs to somebody else.
  for (const std::string& path : {std::string("/dev/tty"), "/proc/self/fd/" + std::to_string(fd)}) {
    Fd own(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (own.valid() && device >= 0 && terminal_device(own.get()) == device) {
      out.fd_ = std::move(own);
      return out;
    }
  }
  const int flags = ::fcntl(fd, F_GETFL);
  out.fd_.reset(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (flags < 0 || !out.fd_.valid()) {
    return fail_sys(errno, "cannot duplicate the terminal");
  }
  out.restore_blocking_ = (flags & O_NONBLOCK) == 0;
  ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
  return out;
}

Result<UserTerminal> UserTerminal::adopt(Fd own, std::string name) {
  UserTerminal out;
  if (::tcgetattr(own.get(), &out.saved_) != 0) {
    return fail_sys(errno, "cannot read the modes of the terminal");
  }
  out.fd_ = std::move(own);
  out.name_ = std::move(name);
  return out;
}

UserTerminal::UserTerminal(UserTerminal&& other) noexcept
    : fd_(std::move(other.fd_)),
      name_(std::move(other.name_)),
      saved_(other.saved_),
      raw_(std::exchange(other.raw_, false)),
      restore_blocking_(std::exchange(other.restore_blocking_, false)) {}

UserTerminal::~UserTerminal() {
  leave();
  if (restore_blocking_) {
    ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) & ~O_NONBLOCK);
  }
}

TermSize UserTerminal::size() const {
  winsize size{};
  ::ioctl(fd_.get(), TIOCGWINSZ, &size);
  return {.cols = size.ws_col, .rows = size.ws_row};
}

bool UserTerminal::foreground() const {
  const pid_t group = ::tcgetpgrp(fd_.get());
  return group < 0 ? errno == ENOTTY : group == ::getpgrp();
}

void UserTerminal::enter() {
  if (raw_ || !foreground() || ::tcgetattr(fd_.get(), &saved_) != 0) {
    return;
  }
  termios raw = saved_;
  raw.c_iflag |= IGNPAR;
  raw.c_iflag &= ~static_cast<tcflag_t>(ISTRIP | INLCR | IGNCR | ICRNL | IUCLC | IXON | IXANY |
                                        IXOFF | BRKINT | PARMRK | INPCK);
  raw.c_lflag &= ~static_cast<tcflag_t>(ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHONL | IEXTEN);
  raw.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  // Not TCSADRAIN: a terminal that the user has stopped with ^S would stop us here.
  raw_ = ::tcsetattr(fd_.get(), TCSANOW, &raw) == 0;
}

void UserTerminal::leave() noexcept {
  if (raw_ && foreground()) {
    ::tcsetattr(fd_.get(), TCSANOW, &saved_);
    raw_ = false;
  }
}

}  // namespace sworn::recorder
