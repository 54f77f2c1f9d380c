// SPDX-License-Identifier: Apache-2.0
// Cells as text: shared by the search index and the transcript. UTF-8, unsanitised.
#pragma once

#include "player/vt/terminal.hpp"

#include <span>
#include <string>

namespace sworn::player {

inline void trim_blanks(std::string& text) {
  text.erase(text.find_last_not_of(' ') + 1);
}

inline void append_cells(std::string& out, const vt::Terminal& terminal,
                         std::span<const vt::Cell> cells) {
  for (const auto& cell : cells) {
    if (cell.glyph < 0x80 && (cell.attributes & vt::k_continuation) == 0) {
      out.push_back(cell.glyph < 0x20 ? ' ' : static_cast<char>(cell.glyph));
    } else {
      terminal.append_cell_text(out, cell);
    }
  }
}

}  // namespace sworn::player
