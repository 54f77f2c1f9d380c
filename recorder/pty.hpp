// SPDX-License-Identifier: Apache-2.0
// The terminal of the session: a pair of devices. `ptm` is the end that the recorder keeps, `pts`
// the end that the command sees.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/term_size.hpp"

#include <string>

#include <termios.h>

namespace sworn::recorder {

struct Pty {
  Fd ptm;  // non-blocking
  Fd pts;
  std::string name;  // "/dev/pts/7"

  // With the modes and the size of the user's terminal before anybody sees it.
  static Result<Pty> open(const termios& modes, TermSize size);
};

void set_size(int ptm, TermSize size);

}  // namespace sworn::recorder
