// SPDX-License-Identifier: Apache-2.0
// Screen: the rectangular area functions of the VT420.
#include "player/vt/screen.hpp"
#include "player/vt/width.hpp"

#include <algorithm>

namespace sworn::vt {

Rectangle Screen::rectangle(const std::array<int, 4>& given) const {
  const bool origin = modes_.has(Mode::origin);
  const Margins whole = {.top = 0, .bottom = rows(), .left = 0, .right = cols()};
  const Margins& limits = origin ? margins_ : whole;
  const auto [top, left, bottom, right] = given;
  Rectangle area;
  area.top = std::min(limits.top + std::max(top, 1) - 1, limits.bottom);
  area.left = std::min(limits.left + std::max(left, 1) - 1, limits.right);
  area.bottom = bottom <= 0 ? limits.bottom : std::min(limits.top + bottom, limits.bottom);
  area.right = right <= 0 ? limits.right : std::min(limits.left + right, limits.right);
  area.bottom = std::max(area.bottom, area.top);
  return area;
}

void Screen::fill_rectangle(const Rectangle& area, char32_t c) {
  if (width_of(c) != 1) {
    return;
  }
  Cell cell = pen;
  cell.glyph = c;
  for (int row = area.top; row < area.bottom; ++row) {
    grid().erase(row, area.left, area.right, cell, now);
  }
}

void Screen::erase_rectangle(const Rectangle& area, Erase how) {
  for (int row = area.top; row < area.bottom; ++row) {
    erase_cells(row, area.left, area.right, how);
  }
}

void Screen::copy_rectangle(const Rectangle& area, int top, int left) {
  const bool origin = modes_.has(Mode::origin);
  const int row = top + (origin ? margins_.top : 0);
  const int col = left + (origin ? margins_.left : 0);
  const int last_row = origin ? margins_.bottom : rows();
  const int last_col = origin ? margins_.right : cols();
  Rectangle fitting = area;
  fitting.bottom = std::min(area.bottom, area.top + std::max(last_row - row, 0));
  fitting.right = std::min(area.right, area.left + std::max(last_col - col, 0));
  copy_block(fitting, row, col);
}

// The target lies inside the screen and may overlap the source.
void Screen::copy_block(const Rectangle& area, int top, int left) {
  const int height = area.bottom - area.top;
  const int width = area.right - area.left;
  if (height <= 0 || width <= 0) {
    return;
  }
  copy_buffer_.resize(static_cast<std::size_t>(width));
  for (int i = 0; i < height; ++i) {
    const int step =
        top > area.top ? height - 1 - i : i;  // as memmove: never read what was written
    const auto source =
        grid()
            .view(area.top + step)
            .subspan(static_cast<std::size_t>(area.left), static_cast<std::size_t>(width));
    std::copy(source.begin(), source.end(), copy_buffer_.begin());
    for (Cell* edge : {&copy_buffer_.front(), &copy_buffer_.back()}) {
      const std::uint16_t half = edge == &copy_buffer_.front() ? k_continuation : k_wide;
      if ((edge->attributes & half) != 0) {  // half of a wide character outside the area
        *edge = Cell{.glyph = U' ', .fg = edge->fg, .bg = edge->bg};
      }
    }
    grid().cut_wide(top + step, left, left + width);
    Cell* cells = grid().prepare(top + step, left, left + width);
    std::copy(copy_buffer_.begin(), copy_buffer_.end(), cells + left);
    RowInfo& line = grid().info(top + step);
    line.stamp = now;
    line.wrapped = line.wrapped && left + width != cols();
  }
}

void Screen::change_attributes(const Rectangle& area, const AttributeChange& change) {
  const bool stream = !modes_.has(Mode::change_rectangle);
  for (int row = area.top; row < area.bottom; ++row) {
    const int from = stream && row > area.top ? 0 : area.left;
    const int to = stream && row < area.bottom - 1 ? cols() : area.right;
    Cell* cells = grid().line(row);
    for (int col = from; col < to; ++col) {
      std::uint16_t& bits = cells[col].attributes;
      bits = static_cast<std::uint16_t>(((bits & ~change.clear) | change.set) ^ change.flip);
    }
    touch(row);
  }
}

}  // namespace sworn::vt
