// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/outer_terminal.hpp"

#include "recorder/user_terminal.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

constexpr std::size_t k_max_typed = 64 * 1024;

Fd open_terminal(const std::string& name, int device) {
  Fd out(::open(name.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
  if (out.valid() && terminal_device(out.get()) != device) {
    out.reset();  // another mount of /dev/pts
  }
  return out;
}

Bytes read_pending(int fd, const termios& modes) {
  termios raw = modes;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  ::tcsetattr(fd, TCSANOW, &raw);  // a line that has no end yet can be read, too
  Bytes out;
  std::array<std::byte, 4096> buffer{};
  while (out.size() < k_max_typed) {
    const auto n = ::read(fd, buffer.data(), buffer.size());
    if (n <= 0) {
      break;
    }
    append(out, std::span(buffer).first(static_cast<std::size_t>(n)));
  }
  return out;
}

}  // namespace

Result<OuterTerminal> open_outer(int fd) {
  OuterTerminal out;
  std::array<char, 256> name{};
  const auto n =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), name.data(), name.size() - 1);
  if (n > 0) {
    out.name.assign(name.data(), static_cast<std::size_t>(n));
  }
  out.device = terminal_device(fd);
  out.fd = open_terminal(out.name, out.device);
  if (!out.fd.valid()) {
    return fail_sys(ENOENT, "the user's terminal cannot be opened by its name");
  }
  winsize size{};
  if (::tcgetattr(out.fd.get(), &out.modes) != 0 || ::ioctl(out.fd.get(), TIOCGWINSZ, &size) != 0) {
    return fail_sys(errno, "cannot read the modes of the user's terminal");
  }
  out.size = {.cols = size.ws_col, .rows = size.ws_row};
  return out;
}

bool is_login_terminal(const OuterTerminal& outer, const ProcessFacts& client,
                       const std::vector<std::string>& login_programs) {
  if (client.posix_sid != client.pid || client.terminal != outer.device) {
    return false;
  }
  const auto makes_logins = [&](pid_t pid) {
    return std::any_of(login_programs.begin(), login_programs.end(),
                       [&](const std::string& program) { return executes(pid, program); });
  };
  // sshd's process for the session runs as the user; its parent is root's.
  pid_t pid = client.parent;
  for (int depth = 0; depth < 2 && pid > 0 && makes_logins(pid); ++depth) {
    const auto facts = read_process(pid);
    if (!facts) {
      return false;
    }
    if (facts->uid == 0) {
      return true;
    }
    pid = facts->parent;
  }
  return false;
}

Result<void> take_over(OuterTerminal& outer, uid_t account) {
  if (::fchown(outer.fd.get(), account, static_cast<gid_t>(-1)) != 0 ||
      ::fchmod(outer.fd.get(), 0600) != 0) {
    return fail_sys(errno, "cannot take the user's terminal");
  }
  outer.typed = read_pending(outer.fd.get(), outer.modes);
  if (::ioctl(outer.fd.get(), TIOCVHANGUP) != 0) {
    return fail_sys(errno, "cannot hang up the user's terminal");
  }
  outer.fd = open_terminal(outer.name, outer.device);
  if (!outer.fd.valid()) {
    return fail_sys(errno, "cannot open the user's terminal again");
  }
  if (::tcsetattr(outer.fd.get(), TCSANOW, &outer.modes) != 0 ||
      ::ioctl(outer.fd.get(), TIOCEXCL) != 0) {
    return fail_sys(errno, "cannot set up the user's terminal");
  }
  outer.taken = true;
  return {};
}

void give_back(const std::string& name, int device, uid_t owner) {
  const Fd fd = open_terminal(name, device);
  if (fd.valid()) {
    ::ioctl(fd.get(), TIOCNXCL);
    [[maybe_unused]] const int owned = ::fchown(fd.get(), owner, static_cast<gid_t>(-1));
    ::fchmod(fd.get(), 0620);
  }
}

}  // namespace sworn::recorder::host
