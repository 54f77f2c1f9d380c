// SPDX-License-Identifier: Apache-2.0
// Screen: erasing, inserting, deleting, scrolling. In the deferred wrap the cursor stands behind
// the last column, so what would erase or shift cells from the cursor on does nothing (gcc and grep
// end lines so).
#include "player/vt/screen.hpp"

#include <algorithm>

namespace sworn::vt {

// The attribute that protects a cell from this kind of erasure, or 0.
std::uint16_t Screen::spared(Erase how) const {
  const bool iso = modes_.has(Mode::protect_iso);
  return (how == Erase::selective) != iso ? k_protect : std::uint16_t{0};
}

void Screen::erase_cells(int row, int from, int to, Erase how) {
  const std::uint16_t protection = spared(how);
  while (from < to) {
    int stop = to;
    if (protection != 0) {
      const auto protects = [&](int col) {
        return (grid().cell(row, col).attributes & protection) != 0;
      };
      while (from < to && protects(from)) {
        ++from;
      }
      stop = from;
      while (stop < to && !protects(stop)) {
        ++stop;
      }
    }
    grid().erase(row, from, stop, blank(), now);
    from = stop;
  }
}

void Screen::erase_rows(int from, int to, Erase how) {
  for (int row = from; row < to; ++row) {
    erase_cells(row, 0, cols(), how);
  }
}

// Before the screen is cleared: what is on it can still be read. What scrolled off before does not
// come back when the window grows, as tmux has it.
void Screen::announce_clear() {
  if (hooks != nullptr) {
    hooks->on_cleared();
  }
  grid().clear_recall();
}

void Screen::erase_display(Part part, Erase how) {
  const auto [row, col, pending_wrap] = position_;
  switch (part) {
    case Part::after:
      if (row == 0 && col == 0 && how == Erase::normal) {
        announce_clear();
      }
      erase_line(part, how);
      erase_rows(row + 1, rows(), how);
      break;
    case Part::before:
      erase_rows(0, row, how);
      erase_line(part, how);
      break;
    case Part::all:
      if (how == Erase::normal) {
        announce_clear();
      }
      erase_rows(0, rows(), how);
      break;
  }
}

void Screen::erase_scrollback() {
  if (hooks != nullptr) {
    hooks->on_cleared();
  }
  primary_.clear_recall();
}

void Screen::erase_line(Part part, Erase how) {
  const auto [row, col, pending_wrap] = position_;
  switch (part) {
    case Part::after:
      if (!pending_wrap) {
        erase_cells(row, col, cols(), how);
      }
      break;
    case Part::before:
      erase_cells(row, 0, col + 1, how);
      break;
    case Part::all:
      erase_cells(row, 0, cols(), how);
      break;
  }
}

void Screen::erase_characters(int count) {
  if (!position_.pending_wrap) {
    erase_cells(position_.row, position_.col, std::min(position_.col + count, cols()),
                Erase::normal);
  }
}

// Moves cells [from, to) right (by > 0) or left (by < 0); what leaves is lost, what opens is blank.
void Screen::shift_cells(int row, int from, int to, int by) {
  const int count = std::min(by < 0 ? -by : by, to - from);
  Cell* cells = grid().line(row);
  const auto split = [&](int col) {  // no wide character may straddle this border
    if (col > 0 && col < cols() && (cells[col].attributes & k_continuation) != 0) {
      for (Cell* half : {cells + col - 1, cells + col}) {
        *half = Cell{.glyph = U' ', .fg = half->fg, .bg = half->bg};
      }
    }
  };
  split(from);
  split(to);
  if (by > 0) {
    split(to - count);
    std::copy_backward(cells + from, cells + to - count, cells + to);
    std::fill(cells + from, cells + from + count, blank());
  } else {
    split(from + count);
    std::copy(cells + from + count, cells + to, cells + from);
    std::fill(cells + to - count, cells + to, blank());
  }
  RowInfo& line = grid().info(row);
  line.stamp = now;
  line.wrapped = line.wrapped && to != cols();
}

void Screen::insert_characters(int count) {
  if (!position_.pending_wrap && inside_side_margins()) {
    shift_cells(position_.row, position_.col, margins_.right, count);
  }
}

void Screen::delete_characters(int count) {
  if (!position_.pending_wrap && inside_side_margins()) {
    shift_cells(position_.row, position_.col, margins_.right, -count);
  }
}

// Rows [top, bottom) are about to move: what was one long line across their borders no longer is.
void Screen::break_wrap(int top, int bottom) {
  if (top > 0) {
    grid().info(top - 1).wrapped = false;
  }
  grid().info(bottom - 1).wrapped = false;
}

void Screen::scroll_region_up(int top, int bottom, int count, Leaving leaving) {
  count = std::min(count, bottom - top);
  if (!full_width()) {
    copy_block(
        {.top = top + count, .left = margins_.left, .bottom = bottom, .right = margins_.right}, top,
        margins_.left);
    for (int row = bottom - count; row < bottom; ++row) {
      grid().erase(row, margins_.left, margins_.right, blank(), now);
    }
    return;
  }
  const bool leaves = leaving == Leaving::scrolled && !on_alternate_;
  for (int row = top; leaves && hooks != nullptr && row < top + count; ++row) {
    const RowInfo& line = primary_.info(row);
    hooks->on_row_scrolled_off(primary_.view(row), line.wrapped, line.id);
  }
  grid().scroll_up(top, bottom, count, blank(), now,
                   leaves && top == 0 ? Grid::Keep::recall : Grid::Keep::drop);
}

void Screen::scroll_region_down(int top, int bottom, int count) {
  count = std::min(count, bottom - top);
  if (!full_width()) {
    copy_block(
        {.top = top, .left = margins_.left, .bottom = bottom - count, .right = margins_.right},
        top + count, margins_.left);
    for (int row = top; row < top + count; ++row) {
      grid().erase(row, margins_.left, margins_.right, blank(), now);
    }
    return;
  }
  grid().scroll_down(top, bottom, count, blank(), now);
  break_wrap(top, bottom);
}

void Screen::insert_lines(int count) {
  if (inside_margins()) {
    scroll_region_down(position_.row, margins_.bottom, count);
    place(position_.row, margins_.left);  // as DEC, xterm and VTE; tmux leaves the cursor alone
  }
}

void Screen::delete_lines(int count) {
  if (inside_margins()) {
    break_wrap(position_.row, margins_.bottom);
    scroll_region_up(position_.row, margins_.bottom, count, Leaving::deleted);
    place(position_.row, margins_.left);
  }
}

void Screen::scroll_up(int count) {
  break_wrap(margins_.top, margins_.bottom);
  scroll_region_up(margins_.top, margins_.bottom, count, Leaving::scrolled);
}

void Screen::scroll_down(int count) {
  scroll_region_down(margins_.top, margins_.bottom, count);
}

void Screen::shift_region(int from, int by) {
  for (int row = margins_.top; row < margins_.bottom; ++row) {
    shift_cells(row, from, margins_.right, by);
  }
}

void Screen::scroll_left(int count) {
  if (inside_margins()) {
    shift_region(margins_.left, -count);
  }
}

void Screen::scroll_right(int count) {
  if (inside_margins()) {
    shift_region(margins_.left, count);
  }
}

void Screen::insert_columns(int count) {
  if (inside_margins()) {
    shift_region(position_.col, count);
  }
}

void Screen::delete_columns(int count) {
  if (inside_margins()) {
    shift_region(position_.col, -count);
  }
}

void Screen::alignment_pattern() {
  reset_margins();
  place(0, 0);
  for (int row = 0; row < rows(); ++row) {
    grid().erase(row, 0, cols(), Cell{.glyph = U'E'}, now);
  }
}

}  // namespace sworn::vt
