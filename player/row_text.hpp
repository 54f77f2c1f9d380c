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

// One cell after the other; most are plain ASCII, and there are very many of them.
inline void append_cells(std::string& out, const vt::Terminal& terminal,
                         std::span<const vt::Cell> cells) {
  const auto before = out.size();
  out.resize(before + cells.size());
  char* to = out.data() + before;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto& cell = cells[i];
    if (cell.glyph - 0x20U < 0x5FU) {
      *to++ = static_cast<char>(cell.glyph);
    } else if (cell.glyph < 0x20 && (cell.attributes & vt::k_continuation) == 0) {
      *to++ = ' ';
    } else {
      // The rest may be longer than its cells.
      out.resize(static_cast<std::size_t>(to - out.data()));
      for (const auto& other : cells.subspan(i)) {
        if (other.glyph < 0x80 && (other.attributes & vt::k_continuation) == 0) {
          out.push_back(other.glyph < 0x20 ? ' ' : static_cast<char>(other.glyph));
        } else {
          terminal.append_cell_text(out, other);
        }
      }
      return;
    }
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
}

// Without the blank cells at its end.
inline std::span<const vt::Cell> without_blanks(std::span<const vt::Cell> cells) {
  std::size_t size = cells.size();
  while (size > 0 && (cells[size - 1].glyph == 0 || cells[size - 1].glyph == U' ') &&
         (cells[size - 1].attributes & vt::k_continuation) == 0) {
    --size;
  }
  return cells.first(size);
}

}  // namespace sworn::player
