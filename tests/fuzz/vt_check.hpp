// SPDX-License-Identifier: Apache-2.0
// What holds for a terminal whatever it was fed; a breach ends the program.
#pragma once

#include "player/vt/terminal.hpp"

#include <cstdlib>
#include <string>

namespace sworn::test {

inline void must(bool holds) {
  if (!holds) {
    std::abort();
  }
}

inline void check_row(const vt::Terminal& terminal, int row) {
  const auto cells = terminal.row(row);
  must(cells.size() == terminal.size().cols);
  bool open = false;
  std::string text;
  for (const auto& cell : cells) {
    const bool wide = (cell.attributes & vt::k_wide) != 0;
    const bool half = (cell.attributes & vt::k_continuation) != 0;
    must(!(wide && half) && half == open);
    open = wide;
    text.clear();
    terminal.append_cell_text(text, cell);
    must(half ? text.empty() : !text.empty() && text.size() <= 32);
    must(text.empty() || static_cast<unsigned char>(text[0]) >= 0x20);
    must(cell.link == 0 || !terminal.link(cell.link).empty());
  }
  must(!open);
}

inline void check_terminal(const vt::Terminal& terminal) {
  const auto size = terminal.size();
  const auto cursor = terminal.cursor();
  must(size.cols >= 1 && size.rows >= 1);
  must(cursor.row >= 0 && cursor.row < size.rows && cursor.col >= 0 && cursor.col < size.cols);
  must(cursor.shape >= 0 && cursor.shape <= 6);
  must(terminal.title().size() <= 1024);
  for (int row = 0; row < size.rows; ++row) {
    check_row(terminal, row);
  }
}

}  // namespace sworn::test
