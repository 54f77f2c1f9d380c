// SPDX-License-Identifier: Apache-2.0
#include "recorder/pty.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/ioctl.h>

namespace sworn::recorder {

Result<Pty> Pty::open(const termios& modes, TermSize size) {
  Pty out;
  out.ptm.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!out.ptm.valid()) {
    return fail_sys(errno, "cannot get a terminal from /dev/ptmx");
  }
  std::array<char, 64> name{};
  if (::grantpt(out.ptm.get()) != 0 || ::unlockpt(out.ptm.get()) != 0 ||
      ::ptsname_r(out.ptm.get(), name.data(), name.size()) != 0) {
    return fail_sys(errno, "cannot unlock the session's terminal");
  }
  out.name = name.data();
  out.pts.reset(::open(out.name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!out.pts.valid()) {
    return fail_sys(errno, "cannot open " + out.name);
  }
  if (::tcsetattr(out.pts.get(), TCSANOW, &modes) != 0) {
    return fail_sys(errno, "cannot set the modes of " + out.name);
  }
  set_size(out.ptm.get(), size);
  return out;
}

void set_size(int ptm, TermSize size) {
  winsize window{};
  window.ws_col = size.cols;
  window.ws_row = size.rows;
  ::ioctl(ptm, TIOCSWINSZ, &window);
}

}  // namespace sworn::recorder
