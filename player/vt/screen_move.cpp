// SPDX-License-Identifier: Apache-2.0
// Screen: where the cursor goes.
#include "player/vt/screen.hpp"

#include <algorithm>

namespace sworn::vt {

void Screen::carriage_return() {
  const bool to_margin = modes_.has(Mode::origin) || position_.col >= margins_.left;
  place(position_.row, to_margin ? margins_.left : 0);
}

// To the next row, scrolling at the bottom margin; false when nothing can move.
bool Screen::advance_row() {
  if (position_.row == margins_.bottom - 1) {
    if (!inside_side_margins()) {
      return false;
    }
    scroll_region_up(margins_.top, margins_.bottom, 1, Leaving::scrolled);
    return true;
  }
  if (position_.row < rows() - 1) {
    ++position_.row;
    return true;
  }
  return false;
}

void Screen::index() {
  if (position_.row == margins_.bottom - 1) {
    break_wrap(margins_.top, margins_.bottom);
  }
  (void)advance_row();
  position_.pending_wrap = false;
}

void Screen::line_feed() {
  index();
  if (modes_.has(Mode::newline)) {
    carriage_return();
  }
}

void Screen::next_line() {
  index();
  carriage_return();
}

void Screen::reverse_index() {
  position_.pending_wrap = false;
  if (position_.row == margins_.top) {
    if (inside_side_margins()) {
      scroll_region_down(margins_.top, margins_.bottom, 1);
    }
  } else if (position_.row > 0) {
    --position_.row;
  }
}

void Screen::cursor_up(int count) {
  const bool stop = position_.row >= margins_.top;
  place(std::max(position_.row - count, stop ? margins_.top : 0), position_.col);
}

void Screen::cursor_down(int count, Vertical bound) {
  const bool stop = bound == Vertical::region && position_.row < margins_.bottom;
  place(std::min(position_.row + count, (stop ? margins_.bottom : rows()) - 1), position_.col);
}

void Screen::cursor_right(int count) {
  place(position_.row, std::min(position_.col + count, text_end() - 1));
}

void Screen::backspace() {
  cursor_left(1);
}

void Screen::cursor_left(int count) {
  if (position_.pending_wrap && reverse_wraps()) {
    --count;  // the step back from behind the last column
  }
  position_.pending_wrap = false;
  count = std::min(count, rows() * cols());
  while (count > 0) {
    const int step = std::min(count, position_.col - leftmost());
    position_.col -= step;
    count -= step;
    if (count == 0 || !reverse_wraps()) {
      return;
    }
    --count;  // on to the end of the row before; before the first row comes the last
    const bool first = position_.row == (position_.row >= margins_.top ? margins_.top : 0);
    const int last_row = (position_.row < margins_.bottom ? margins_.bottom : rows()) - 1;
    const int last_col = (position_.col >= margins_.left ? margins_.right : cols()) - 1;
    place(first ? last_row : position_.row - 1, last_col);
  }
}

void Screen::tab_forward(int count) {
  const int last = text_end() - 1;
  for (; count > 0 && position_.col < last; --count) {
    place(position_.row, tabs_.next(position_.col, last));
  }
}

void Screen::tab_back(int count) {
  const int first = modes_.has(Mode::origin) ? margins_.left : 0;
  position_.pending_wrap = false;
  for (; count > 0 && position_.col > first; --count) {
    position_.col = tabs_.previous(position_.col, first);
  }
}

void Screen::move_to(int row, int col) {
  move_to_row(row);
  move_to_col(col);
}

void Screen::move_to_row(int row) {
  const bool origin = modes_.has(Mode::origin);
  const int top = origin ? margins_.top : 0;
  const int bottom = origin ? margins_.bottom : rows();
  place(std::clamp(row + top, top, bottom - 1), position_.col);
}

void Screen::move_to_col(int col) {
  const bool origin = modes_.has(Mode::origin);
  const int left = origin ? margins_.left : 0;
  const int right = origin ? margins_.right : cols();
  place(position_.row, std::clamp(col + left, left, right - 1));
}

void Screen::back_index() {
  position_.pending_wrap = false;
  if (position_.col != margins_.left) {
    position_.col = std::max(position_.col - 1, 0);
  } else if (inside_margins()) {
    insert_columns(1);
  }
}

void Screen::forward_index() {
  position_.pending_wrap = false;
  if (position_.col != margins_.right - 1) {
    position_.col = std::min(position_.col + 1, cols() - 1);
  } else if (inside_margins()) {
    scroll_left(1);
  }
}

}  // namespace sworn::vt
