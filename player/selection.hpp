// SPDX-License-Identifier: Apache-2.0
// A part of the recorded screen that the viewer marks for copying: cells from one place to another,
// or whole lines. Pure.
#pragma once

#include "player/frame.hpp"
#include "player/vt/terminal.hpp"

#include <string>

namespace sworn::player {

struct Selection {
  Frame::Position anchor;
  Frame::Position head;  // moves
  bool lines = false;

  // By reading order, both ends included.
  [[nodiscard]] bool contains(int row, int col) const;
  void move(int rows, int cols, TermSize screen);
};

// Rows that continue in the next are joined; blanks at the ends of rows are left out. UTF-8,
// unsanitised.
std::string text_of(const vt::Terminal& terminal, const Selection& selection);

// The word that the cell is part of: letters, digits and what paths and options are made of.
std::string word_at(const vt::Terminal& terminal, Frame::Position at);

}  // namespace sworn::player
