// SPDX-License-Identifier: Apache-2.0
// Colours of the curses terminal: as many as it has, and one pair number for each combination. One
// thread: that of curses.
#pragma once

#include "player/palette.hpp"

#include <cstdint>
#include <unordered_map>

namespace sworn::player {

class CursesColours {
 public:
  // After newterm(): starts colours where the terminal has some.
  void start();

  [[nodiscard]] int pair_of(vt::Color fg, vt::Color bg);
  // The table of pairs was full and is started afresh: everything has to be drawn again.
  [[nodiscard]] bool start_afresh();

 private:
  [[nodiscard]] int nearest(vt::Color colour);

  ColourDepth depth_ = ColourDepth::none;
  std::unordered_map<std::uint32_t, int> nearest_;
  std::unordered_map<std::uint64_t, int> pairs_;
  int next_pair_ = 1;
  bool pairs_full_ = false;
};

// The directory of the terminfo entries that come with sworn; empty where they are not found.
std::string own_terminfo();
// The entry with direct colours for a terminal of this type that says it has them ($COLORTERM);
// nullptr: its own entry has to do.
const char* direct_colour_entry(const char* term);

}  // namespace sworn::player
