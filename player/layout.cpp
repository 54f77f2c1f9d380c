// SPDX-License-Identifier: Apache-2.0
#include "player/layout.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

constexpr int k_least_side_cols = 32;
constexpr int k_least_below_rows = 6;

// Takes `rows` from the bottom of `body`.
Rect cut_bottom(Rect& body, int rows) {
  rows = std::clamp(rows, 0, body.rows);
  body.rows -= rows;
  return {body.row + body.rows, body.col, rows, body.cols};
}

Rect cut_right(Rect& body, int cols) {
  cols = std::clamp(cols, 0, body.cols);
  body.cols -= cols;
  return {body.row, body.col + body.cols, body.rows, cols};
}

// Notes take the foot of a column that is high enough.
void place_notes(const LayoutInput& input, Layout& layout, Rect& column) {
  constexpr int k_least_column = 20;
  if (input.notes > 0 && column.rows >= k_least_column) {
    const auto wanted = static_cast<int>(std::min<std::size_t>(input.notes, 6)) + 1;
    layout.notes = cut_bottom(column, std::min(wanted, column.rows / 4));
  }
}

void place_beside(const LayoutInput& input, Layout& layout, Rect& body, int cols, bool commands,
                  bool logs) {
  Rect column = cut_right(body, cols);
  layout.divider_col = body.cols - 1;
  body.cols -= 1;
  place_notes(input, layout, column);
  if (logs && commands) {
    layout.logs = cut_bottom(column, column.rows / 2);
    layout.commands = column;
  } else {
    (logs ? layout.logs : layout.commands) = column;
  }
}

void place_below(Layout& layout, Rect& body, int rows, bool commands, bool logs) {
  if (logs && commands) {
    layout.logs = cut_bottom(body, rows - rows / 2);
    layout.commands = cut_bottom(body, rows / 2);
  } else {
    (logs ? layout.logs : layout.commands) = cut_bottom(body, rows);
  }
}

void place_lists(const LayoutInput& input, Layout& layout, Rect& body) {
  const int spare_cols = body.cols - input.recorded.cols - 1;
  const int spare_rows = body.rows - input.recorded.rows;
  const bool side = spare_cols >= k_least_side_cols;
  const bool below = spare_rows >= k_least_below_rows;
  const auto wanted = [](Shown shown, bool room) {
    return shown == Shown::on || (shown == Shown::by_size && room);
  };
  bool logs = wanted(input.logs, below || side);
  bool commands = wanted(input.commands, side || (below && !logs));
  if (!logs && !commands) {
    return;
  }
  if (input.split == Split::right && body.cols >= 2 * k_least_side_cols) {
    place_beside(input, layout, body, std::max(spare_cols, body.cols * 2 / 5), commands, logs);
    return;
  }
  // Without room beside or below the recorded screen, the lists take a share of it.
  const int share = std::max(4, body.rows * 2 / 5);
  if (input.split == Split::below || (!side && !below)) {
    if (logs && commands && body.rows < 26) {
      commands = false;  // one list at a time on a small terminal
    }
    place_below(layout, body, std::max(spare_rows, share), commands, logs);
    return;
  }
  if (side) {
    if (logs && below) {
      layout.logs = cut_bottom(body, spare_rows);
      logs = false;
    }
    if (logs || commands) {
      place_beside(input, layout, body, spare_cols, commands, logs);
    }
    return;
  }
  place_below(layout, body, spare_rows, commands, logs);
}

}  // namespace

Layout make_layout(const LayoutInput& input) {
  Layout layout;
  const int cols = input.terminal.cols;
  const int rows = input.terminal.rows;
  if (cols < k_least_cols || rows < k_least_rows) {
    layout.too_small = true;
    return layout;
  }
  Rect body{0, 0, rows, cols};
  if (input.zoom) {
    if (input.prompt) {
      layout.prompt = cut_bottom(body, 1);
    }
    layout.screen = body;
    return layout;
  }
  layout.header = {0, 0, 1, cols};
  body.row = 1;
  body.rows -= 1;
  if (rows >= 30) {
    layout.hints = cut_bottom(body, 1);
  }
  if (input.prompt) {
    layout.prompt = cut_bottom(body, 1);
  }
  layout.status = cut_bottom(body, 1);
  if (input.timeline) {
    layout.timeline = cut_bottom(body, 2);
  }
  if (input.keystrokes) {
    layout.keystrokes = cut_bottom(body, 1);
  }
  place_lists(input, layout, body);
  layout.screen = body;
  return layout;
}

}  // namespace sworn::player
