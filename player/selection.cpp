// SPDX-License-Identifier: Apache-2.0
#include "player/selection.hpp"

#include "player/row_text.hpp"

#include <algorithm>
#include <utility>

namespace sworn::player {
namespace {

bool before(const Frame::Position& a, const Frame::Position& b) {
  return a.row != b.row ? a.row < b.row : a.col < b.col;
}

std::pair<Frame::Position, Frame::Position> in_order(const Selection& selection) {
  return before(selection.head, selection.anchor) ? std::pair(selection.head, selection.anchor)
                                                  : std::pair(selection.anchor, selection.head);
}

bool is_word(const vt::Cell& cell) {
  const auto c = cell.glyph;
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0xA0 ||
         (c != 0 && c < 0x80 &&
          std::string_view("_-./~@%+").find(static_cast<char>(c)) != std::string_view::npos) ||
         (cell.attributes & vt::k_continuation) != 0;
}

}  // namespace

bool Selection::contains(int row, int col) const {
  const auto [from, to] = in_order(*this);
  if (row < from.row || row > to.row) {
    return false;
  }
  return lines || ((row > from.row || col >= from.col) && (row < to.row || col <= to.col));
}

void Selection::move(int rows, int cols, TermSize screen) {
  head.row = std::clamp(head.row + rows, 0, std::max(0, screen.rows - 1));
  head.col = std::clamp(head.col + cols, 0, std::max(0, screen.cols - 1));
}

std::string text_of(const vt::Terminal& terminal, const Selection& selection) {
  const auto [from, to] = in_order(selection);
  const auto size = terminal.size();
  std::string text;
  for (int row = std::max(0, from.row); row <= to.row && row < size.rows; ++row) {
    const auto cells = terminal.row(row);
    const int begin = selection.lines || row > from.row ? 0 : std::min<int>(from.col, size.cols);
    const int end =
        selection.lines || row < to.row ? size.cols : std::min<int>(to.col + 1, size.cols);
    std::string line;
    append_cells(line, terminal,
                 cells.subspan(static_cast<std::size_t>(begin),
                               static_cast<std::size_t>(std::max(0, end - begin))));
    const bool continues = row < to.row && terminal.row_wrapped(row);
    if (!continues) {
      trim_blanks(line);
      line += '\n';
    }
    text += line;
  }
  return text;
}

std::string word_at(const vt::Terminal& terminal, Frame::Position at) {
  const auto size = terminal.size();
  if (at.row < 0 || at.row >= size.rows || at.col < 0 || at.col >= size.cols) {
    return {};
  }
  const auto cells = terminal.row(at.row);
  const auto word = [&cells](int col) { return is_word(cells[static_cast<std::size_t>(col)]); };
  int begin = at.col;
  while (begin > 0 && !word(begin)) {
    --begin;  // a cursor stands behind what was typed
  }
  if (!word(begin)) {
    return {};
  }
  int end = begin + 1;
  while (begin > 0 && word(begin - 1)) {
    --begin;
  }
  while (end < size.cols && word(end)) {
    ++end;
  }
  std::string text;
  append_cells(
      text, terminal,
      cells.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)));
  return text;
}

}  // namespace sworn::player
