// SPDX-License-Identifier: Apache-2.0
// The user's own terminal. Every process of the user can open it, write on the screen and read
// keystrokes beside the recorder; so a login terminal is taken over: it is given to the monitor's
// account, everybody who had it open is hung up, and it is opened anew. Where the user's own
// process holds the other end (tmux, a terminal emulator) that is not possible.
#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/term_size.hpp"
#include "recorder/host/peer.hpp"

#include <string>
#include <vector>

#include <termios.h>

namespace sworn::recorder::host {

struct OuterTerminal {
  Fd fd;  // opened anew: non-blocking, ours
  std::string name;
  int device = -1;
  termios modes{};
  TermSize size;
  bool taken = false;
  Bytes typed;  // before it was taken
};

// `fd`: of the client, a terminal.
Result<OuterTerminal> open_outer(int fd);

// Somebody logged in on it: the client leads its session, and a program of root's that makes logins
// holds the other end.
[[nodiscard]] bool is_login_terminal(const OuterTerminal& outer, const ProcessFacts& client,
                                     const std::vector<std::string>& login_programs);

Result<void> take_over(OuterTerminal& outer, uid_t account);

// When the session is over. `owner`: as it was before.
void give_back(const std::string& name, int device, uid_t owner);

}  // namespace sworn::recorder::host
