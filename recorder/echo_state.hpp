// SPDX-License-Identifier: Apache-2.0
// What is known, at one moment, of how the terminal treats what is typed.
#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace sworn::recorder {

struct EchoState {
  bool known = false;         // false: could not be read; then everything is treated as hidden
  bool canonical = true;      // ICANON
  bool echo = true;           // ECHO
  bool signals = true;        // ISIG
  bool inner_hidden = false;  // a terminal further inside (sudo, script, tmux) hides what is typed
  std::array<std::byte, 4> line_chars{};  // VINTR VQUIT VSUSP VEOF; 0: not set

  [[nodiscard]] bool hides() const { return !known || (canonical && !echo) || inner_hidden; }
  // A program relays our terminal to another one whose echo we cannot see: sudo, ssh, tmux, script.
  [[nodiscard]] bool relays() const { return known && !canonical && !signals; }
  // Whether everything must be sealed before this may reach the program: it can start or stop
  // something.
  [[nodiscard]] bool needs_seal(ByteView typed) const {
    return std::any_of(typed.begin(), typed.end(), [this](std::byte byte) {
      constexpr auto k_accept_line = std::byte{0x0F};  // ^O: readline runs the line
      return byte == std::byte{'\r'} || byte == std::byte{'\n'} || byte == k_accept_line ||
             (byte != std::byte{0} &&
              std::find(line_chars.begin(), line_chars.end(), byte) != line_chars.end());
    });
  }
};

}  // namespace sworn::recorder
