// SPDX-License-Identifier: Apache-2.0
// Where the panes go: pure geometry, no text. Below 40x10 there is no layout, only a polite
// refusal.
#pragma once

#include "base/term_size.hpp"
#include "player/frame.hpp"

#include <cstddef>
#include <cstdint>

namespace sworn::player {

inline constexpr int k_least_cols = 40;
inline constexpr int k_least_rows = 10;

// `by_size`: shown where there is room beside or below the whole recorded screen.
enum class Shown : std::uint8_t { off, on, by_size };

// Where lists go in preference; `automatic`: where there is room.
enum class Split : std::uint8_t { automatic, right, below };

struct LayoutInput {
  TermSize terminal;
  TermSize recorded;
  Shown commands = Shown::by_size;
  Shown logs = Shown::by_size;
  std::size_t notes = 0;  // how many there are to show
  Split split = Split::automatic;
  bool keystrokes = false;
  bool timeline = true;
  bool prompt = false;
  bool zoom = false;
};

// Panes that are not shown are empty. Lists have their title in their first row.
struct Layout {
  bool too_small = false;
  Rect header;
  Rect screen;
  Rect commands;
  Rect logs;
  Rect notes;
  Rect keystrokes;
  Rect timeline;
  Rect status;
  Rect prompt;
  Rect hints;
  int divider_col = -1;  // of the line between the screen and a pane on its right
};

Layout make_layout(const LayoutInput& input);

}  // namespace sworn::player
