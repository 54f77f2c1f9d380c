// SPDX-License-Identifier: Apache-2.0
// Looks at how the session's terminal treats what is typed, and, where a program relays it to
// terminals further inside (sudo with use_pty, script, tmux, screen), at those as well. Holds
// nothing open between two looks: a relay waits for its inner terminal to be closed by everybody.
#pragma once

#include "base/clock.hpp"
#include "recorder/echo_state.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace sworn::recorder {

class EchoProbe {
 public:
  // `terminal` is the ptm (or, without one, the user's terminal) and outlives the probe. `command`
  // is the root of the tree of processes whose terminals are looked at; `own_device` the session's
  // own terminal.
  EchoProbe(int terminal, pid_t command, int own_device);

  // Where we may not open the terminals of others: `ask` does, and says true where one of them
  // hides.
  void ask_others(std::function<bool(const std::vector<int>& devices)> ask) {
    ask_ = std::move(ask);
  }

  // Before forwarding: cheap, knows the inner terminals of the last search.
  [[nodiscard]] EchoState look() const;
  // Not between a key and its echo: searches for inner terminals first.
  EchoState look_closely(MonoTime now);

 private:
  [[nodiscard]] EchoState look_outside() const;
  [[nodiscard]] bool inner_hides() const;
  void search(MonoTime now);

  int terminal_;
  pid_t command_;
  int own_device_;
  std::vector<int> below_;  // device numbers: of our own processes
  std::vector<int> behind_multiplexer_;
  MonoTime last_full_search_{};
  std::function<bool(const std::vector<int>&)> ask_;
};

// Terminals, other than `except`, of the processes below `root`, from /proc. Bounded.
std::vector<int> terminals_below(pid_t root, int except);
// Of everything below a terminal multiplexer's server of this user: it is nobody's child.
std::vector<int> terminals_of_multiplexers(int except);

// True where the terminal with this device number is canonical without echo.
bool device_hides(int device);

}  // namespace sworn::recorder
