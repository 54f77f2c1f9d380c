// SPDX-License-Identifier: Apache-2.0
#include "player/frame.hpp"

#include "base/printable.hpp"
#include "player/vt/width.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

constexpr char32_t k_replacement = 0xFFFD;

std::string escaped(std::string_view text) {
  // Enough for any line that a terminal of 4096 columns can show.
  constexpr std::size_t k_enough = 64 * 1024;
  return printable(text.substr(0, k_enough));
}

}  // namespace

bool is_showable(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
  const bool no_character = (c >= 0xD800 && c < 0xE000) || c > 0x10FFFF ||
                            (c & 0xFFFEU) == 0xFFFEU || (c >= 0xFDD0 && c <= 0xFDEF);
  const bool formatting = (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
                          (c >= 0x2060 && c <= 0x206F) || c == 0x061C || c == 0xFEFF ||
                          c == 0x00AD || c == 0x180E || (c >= 0xFFF9 && c <= 0xFFFB) ||
                          (c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0000 && c <= 0xE0FFF) ||
                          (c >= 0x1D173 && c <= 0x1D17A) || (c >= 0x13430 && c <= 0x1345F);
  return !control && !no_character && !formatting;
}

Frame::Frame(TermSize size)
    : size_(size), cells_(std::size_t{size.cols} * std::size_t{size.rows}) {}

FrameCell* Frame::cell(int row, int col) {
  if (row < 0 || col < 0 || row >= size_.rows || col >= size_.cols) {
    return nullptr;
  }
  return &cells_[static_cast<std::size_t>(row) * size_.cols + static_cast<std::size_t>(col)];
}

const FrameCell& Frame::at(int row, int col) const {
  static const FrameCell outside;
  if (row < 0 || col < 0 || row >= size_.rows || col >= size_.cols) {
    return outside;
  }
  return cells_[static_cast<std::size_t>(row) * size_.cols + static_cast<std::size_t>(col)];
}

void Frame::fill(const Rect& area, Style style, char32_t c) {
  for (int row = area.row; row < area.row + area.rows; ++row) {
    for (int col = area.col; col < area.col + area.cols; ++col) {
      if (auto* const target = cell(row, col)) {
        *target = FrameCell{};
        target->base = is_showable(c) ? c : k_replacement;
        target->style = style;
      }
    }
  }
}

void Frame::set_style(int row, int col, Style style) {
  if (auto* const target = cell(row, col)) {
    target->style = style;
  }
}

void Frame::restyle(const Rect& area, std::uint16_t add_attributes) {
  for (int row = area.row; row < area.row + area.rows; ++row) {
    for (int col = area.col; col < area.col + area.cols; ++col) {
      if (auto* const target = cell(row, col)) {
        target->style.attributes =
            static_cast<std::uint16_t>(target->style.attributes | add_attributes);
      }
    }
  }
}

int Frame::put(int row, int col, int cols, std::string_view text, Style style) {
  cols = std::min(cols, size_.cols - col);
  if (cols <= 0 || row < 0 || row >= size_.rows || col < 0) {
    return 0;
  }
  const auto clean = escaped(text);
  std::string_view left = clean;
  int used = 0;
  FrameCell* last = nullptr;
  while (!left.empty()) {
    const auto step = decode_utf8(left);
    left.remove_prefix(step.length);
    const char32_t c = step.valid && is_showable(step.code_point) ? step.code_point : k_replacement;
    const int width = c == k_replacement ? 1 : vt::width_of(c);
    if (width <= 0) {
      if (last != nullptr) {
        const auto free = std::find(last->marks.begin(), last->marks.end(), U'\0');
        if (free != last->marks.end()) {
          *free = c;
        }
      }
      continue;
    }
    if (used + width > cols) {
      // Something was cut: say so in the last column.
      if (auto* const target = cell(row, col + cols - 1)) {
        if (target->width == 0) {
          *cell(row, col + cols - 2) = FrameCell{.style = style};
        }
        *target = FrameCell{.base = U'>',
                            .style = {style.fg, style.bg,
                                      static_cast<std::uint16_t>(style.attributes | vt::k_dim)}};
      }
      return cols;
    }
    last = cell(row, col + used);
    *last = FrameCell{.base = c, .width = static_cast<std::uint8_t>(width), .style = style};
    if (width == 2) {
      *cell(row, col + used + 1) = FrameCell{.width = 0, .style = style};
    }
    used += width;
  }
  return used;
}

int Frame::put_right(int row, int end, int cols, std::string_view text, Style style) {
  const int width = std::min(text_width(text), cols);
  put(row, end - width, width, text, style);
  return end - width;
}

void Frame::put_cell(int row, int col, const vt::Terminal& terminal, const vt::Cell& source,
                     Style style, bool fits) {
  auto* const target = cell(row, col);
  if (target == nullptr) {
    return;
  }
  const bool wide = (source.attributes & vt::k_wide) != 0;
  *target = FrameCell{.style = style};
  if (wide && !fits) {
    target->base = U'>';
    target->style.attributes = static_cast<std::uint16_t>(style.attributes | vt::k_dim);
    return;
  }
  if (source.glyph < 0x80) {
    target->base = is_showable(source.glyph) ? char32_t{source.glyph} : U' ';
  } else {
    std::string text;
    terminal.append_cell_text(text, source);
    std::string_view left = text;
    std::size_t marks = 0;
    bool first = true;
    while (!left.empty()) {
      const auto step = decode_utf8(left);
      left.remove_prefix(step.length);
      const bool good = step.valid && is_showable(step.code_point);
      if (first) {
        target->base = good ? step.code_point : k_replacement;
        first = false;
      } else if (good && marks < FrameCell::k_marks && vt::width_of(step.code_point) == 0) {
        target->marks[marks++] = step.code_point;
      }
    }
  }
  if (wide) {
    target->width = 2;
    if (auto* const next = cell(row, col + 1)) {
      *next = FrameCell{.width = 0, .style = style};
    }
  }
}

void Frame::append_cell(std::string& out, int row, int col) const {
  const auto& source = at(row, col);
  if (source.width == 0) {
    return;
  }
  append_utf8(out, source.base);
  for (const auto mark : source.marks) {
    if (mark != 0) {
      append_utf8(out, mark);
    }
  }
}

std::string Frame::row_text(int row, int from, int to) const {
  std::string text;
  for (int col = from; col < to; ++col) {
    append_cell(text, row, col);
  }
  return text;
}

std::string Frame::row_text(int row) const {
  auto text = row_text(row, 0, size_.cols);
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

int text_width(std::string_view text) {
  const auto clean = escaped(text);
  std::string_view left = clean;
  int width = 0;
  while (!left.empty()) {
    const auto step = decode_utf8(left);
    left.remove_prefix(step.length);
    width += std::max(0, vt::width_of(step.code_point));
  }
  return width;
}

}  // namespace sworn::player
