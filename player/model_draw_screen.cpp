// SPDX-License-Identifier: Apache-2.0
// The recorded screen as the player shows it.
#include "base/printable.hpp"
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {
namespace {

constexpr std::uint16_t k_drawable =
    vt::k_bold | vt::k_dim | vt::k_italic | vt::k_underline_mask | vt::k_inverse;

// Does the cell hold characters that have no shape: bidi controls, zero-width ones?
bool has_shapeless(const vt::Terminal& terminal, const vt::Cell& cell) {
  if (cell.glyph < 0x80) {
    return false;
  }
  std::string text;
  terminal.append_cell_text(text, cell);
  std::string_view left = text;
  while (!left.empty()) {
    const auto step = decode_utf8(left);
    if (!is_showable(step.code_point)) {
      return true;
    }
    left.remove_prefix(step.length);
  }
  return false;
}

bool same_colour(const vt::Cell& cell) {
  return cell.fg == cell.bg && cell.fg.packed != 0;
}

Style style_of_cell(const vt::Cell& cell, bool reverse_screen, bool reveal) {
  Style style{cell.fg, cell.bg, static_cast<std::uint16_t>(cell.attributes & k_drawable)};
  if ((cell.attributes & vt::k_blink) != 0) {
    style.attributes |= vt::k_bold;  // nothing blinks during an investigation
  }
  if ((cell.attributes & (vt::k_strike | vt::k_overline)) != 0 &&
      (cell.attributes & vt::k_underline_mask) == 0) {
    style.attributes |= static_cast<std::uint16_t>(vt::Underline::single) << vt::k_underline_shift;
  }
  if (reverse_screen) {
    style.attributes ^= vt::k_inverse;
  }
  if ((cell.attributes & vt::k_conceal) != 0) {
    // Concealed is not hidden here: at least dim, in reveal mode for everybody to see.
    style.attributes |= reveal ? vt::k_inverse : vt::k_dim;
  }
  if (reveal && same_colour(cell)) {
    style.fg = {};
    style.bg = {};
    style.attributes |= vt::k_inverse;
  }
  return style;
}

}  // namespace

// Which cell of the recorded screen is in the upper left corner of the pane.
Frame::Position Model::crop(const Rect& area) const {
  const auto size = replay_->terminal().size();
  if (pan_) {
    return {std::clamp(pan_->row, 0, std::max(0, size.rows - area.rows)),
            std::clamp(pan_->col, 0, std::max(0, size.cols - area.cols))};
  }
  const auto cursor = replay_->terminal().cursor();
  Frame::Position at;
  if (size.rows > area.rows) {
    at.row = std::clamp(cursor.row - area.rows + 1, 0, size.rows - area.rows);
  }
  if (size.cols > area.cols && cursor.col >= area.cols) {
    // In steps of half a pane, so that typing does not make everything move with each key.
    const int half = std::max(1, area.cols / 2);
    at.col = std::clamp((cursor.col - area.cols) / half * half + half, 0, size.cols - area.cols);
  }
  return at;
}

std::string Model::crop_text() const {
  const auto size = replay_->terminal().size();
  const auto& area = layout_.screen;
  if (size.rows <= area.rows && size.cols <= area.cols) {
    return fmt::format("[{}x{}]", size.cols, size.rows);
  }
  const auto at = crop(area);
  auto text = fmt::format("[{}x{}", size.cols, size.rows);
  if (size.rows > area.rows) {
    text += fmt::format(" rows {}-{}", at.row + 1, at.row + area.rows);
  }
  if (size.cols > area.cols) {
    text += fmt::format(" columns {}-{}", at.col + 1, at.col + area.cols);
  }
  return text + "]";
}

void Model::highlight_matches(Frame& frame, int row, int view_row, int top_col, const Rect& area) {
  const auto& terminal = replay_->terminal();
  const auto cells = terminal.row(row);
  std::string text;
  std::vector<int> column_of_byte;
  for (std::size_t col = 0; col < cells.size(); ++col) {
    terminal.append_cell_text(text, cells[col]);
    column_of_byte.resize(text.size(), static_cast<int>(col));
  }
  std::size_t from = 0;
  while (const auto match = search_.matcher->find(text, from)) {
    if (match->length == 0) {
      return;
    }
    const int first = column_of_byte[match->offset] - top_col;
    const int last = column_of_byte[match->offset + match->length - 1] - top_col;
    const int begin = std::clamp(first, 0, area.cols);
    const int end = std::clamp(last + 1, 0, area.cols);
    for (int col = begin; col < end; ++col) {
      frame.set_style(view_row, area.col + col, styles::k_match);
    }
    from = match->offset + match->length;
  }
}

void Model::draw_screen_cells(Frame& frame, const Rect& area) {
  const auto& terminal = replay_->terminal();
  const auto size = terminal.size();
  const auto at = crop(area);
  const int rows = std::min(area.rows, size.rows - at.row);
  const int cols = std::min(area.cols, size.cols - at.col);
  for (int y = 0; y < rows; ++y) {
    const auto cells = terminal.row(at.row + y);
    for (int x = 0; x < cols; ++x) {
      const auto& cell = cells[static_cast<std::size_t>(at.col + x)];
      auto style = style_of_cell(cell, terminal.reverse_video(), reveal_);
      if (selection_ && selection_->contains(at.row + y, at.col + x)) {
        style = styles::k_marked;
      }
      if ((cell.attributes & vt::k_continuation) != 0) {
        if (x == 0) {
          frame.put(area.row + y, area.col, 1, "<", {style.fg, style.bg, vt::k_dim});
        }
        continue;
      }
      frame.put_cell(area.row + y, area.col + x, terminal, cell, style, x + 1 < cols);
      if (reveal_ && has_shapeless(terminal, cell)) {
        frame.put(area.row + y, area.col + x, 1, "?", styles::k_bad);
      }
    }
    if (search_.matcher != nullptr && search_.highlight) {
      highlight_matches(frame, at.row + y, area.row + y, at.col, area);
    }
  }
  const auto cursor = terminal.cursor();
  const int row = cursor.row - at.row;
  const int col = cursor.col - at.col;
  if (cursor.visible && row >= 0 && row < rows && col >= 0 && col < cols) {
    frame.cursor = Frame::Position{area.row + row, area.col + col};
  }
  if (selection_) {
    const int mark_row = selection_->head.row - at.row;
    const int mark_col = selection_->head.col - at.col;
    if (mark_row >= 0 && mark_row < rows && mark_col >= 0 && mark_col < cols) {
      frame.cursor = Frame::Position{area.row + mark_row, area.col + mark_col};
    }
  }
}

// Recorded text can imitate everything but this: without the panes around it, one cell at the edge
// is the player's own and has the colour of the badge.
void Model::draw_zoom_edge(Frame& frame) {
  const auto shown = badge();
  Style style = style_of(shown.level);
  style.attributes |= vt::k_inverse;
  if (shown.level == BadgeLevel::bad) {
    frame.put_right(0, layout_.screen.cols, 16, " " + shown.text + " ", styles::k_bad);
    return;
  }
  frame.put(0, layout_.screen.cols - 1, 1, "z", style);
}

void Model::draw_screen(Frame& frame) {
  const auto& area = layout_.screen;
  const auto size = replay_->terminal().size();
  // Where the recorded screen ends inside the pane.
  const int below = area.rows - size.rows;
  const int beside = area.cols - size.cols;
  if (below > 0) {
    for (int col = 0; col < std::min(area.cols, size.cols + (beside > 0 ? 1 : 0)); ++col) {
      frame.put(area.row + size.rows, area.col + col, 1,
                ascii_ ? (col == size.cols ? "+" : "-") : (col == size.cols ? "\u2518" : "\u2500"),
                styles::k_dim);
    }
  }
  if (beside > 0) {
    for (int row = 0; row < std::min(area.rows, int{size.rows}); ++row) {
      frame.put(area.row + row, area.col + size.cols, 1, ascii_ ? "|" : "\u2502", styles::k_dim);
    }
  }
  if (layout_.divider_col >= 0 && beside <= 0) {
    for (int row = 0; row < area.rows; ++row) {
      frame.put(area.row + row, layout_.divider_col, 1, ascii_ ? "|" : "\u2502", styles::k_dim);
    }
  }
  draw_screen_cells(frame, area);
}

}  // namespace sworn::player
