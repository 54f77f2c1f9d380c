// SPDX-License-Identifier: Apache-2.0
// The timeline and the windows that lie over the panes.
#include "base/printable.hpp"
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sworn::player {
namespace {

struct MarkShape {
  char sign = ' ';
  int rank = 0;  // the higher one wins a column
  Style style;
};

constexpr MarkShape k_command{'c', 1, {palette(6), {}, 0}};
constexpr MarkShape k_running{'c', 1, {palette(6), {}, vt::k_dim}};
constexpr MarkShape k_failed{'!', 5, styles::k_bad_text};
constexpr MarkShape k_log_error{'e', 3, {palette(1), {}, 0}};

MarkShape shape_of(MarkKind kind) {
  switch (kind) {
    case MarkKind::resize:
      return {'r', 2, styles::k_dim};
    case MarkKind::marker:
      return {'m', 4, styles::k_warn};
    case MarkKind::gap:
      return {'X', 8, styles::k_bad};
    case MarkKind::alert:
      return {'a', 7, styles::k_bad_text};
    case MarkKind::signal:
      return {'s', 2, styles::k_dim};
    case MarkKind::hidden_input:
      return {'h', 2, styles::k_dim};
    case MarkKind::exit:
      return {'.', 0, styles::k_dim};
  }
  return {};
}

// 0 for nothing, 1..7 on a logarithmic scale up to the busiest column.
int level_of(std::uint64_t bytes, std::uint64_t most) {
  if (bytes == 0 || most == 0) {
    return 0;
  }
  const double share =
      std::log2(static_cast<double>(bytes) + 1) / std::log2(static_cast<double>(most) + 1);
  return std::clamp(static_cast<int>(std::ceil(share * 7)), 1, 7);
}

}  // namespace

MonoTime Model::time_of_column(int col) const {
  const auto& idle = playback_.idle();
  const auto begin = idle.to_shown(playback_.first());
  const auto end = idle.to_shown(playback_.last());
  const double share = static_cast<double>(col) / std::max<double>(1, layout_.timeline.cols);
  return idle.to_recorded(begin +
                          static_cast<std::int64_t>(static_cast<double>(end - begin) * share));
}

int Model::column_of(MonoTime t) const {
  const auto& idle = playback_.idle();
  const auto begin = idle.to_shown(playback_.first());
  const auto end = idle.to_shown(playback_.last());
  if (end <= begin) {
    return 0;
  }
  const double share =
      static_cast<double>(idle.to_shown(t) - begin) / static_cast<double>(end - begin);
  return std::clamp(static_cast<int>(share * layout_.timeline.cols), 0, layout_.timeline.cols - 1);
}

void Model::draw_timeline(Frame& frame) {
  const auto& area = layout_.timeline;
  const auto cols = static_cast<std::size_t>(area.cols);
  std::vector<Activity::Bucket> buckets(cols);
  std::uint64_t most = 0;
  for (std::size_t col = 0; col < cols; ++col) {
    const auto from = time_of_column(static_cast<int>(col));
    auto to = time_of_column(static_cast<int>(col) + 1);
    if (col + 1 == cols) {
      to.us += 1;
    }
    buckets[col] = facts_->activity.sum(from, to);
    most = std::max(most, buckets[col].output_bytes);
  }
  const int playhead = column_of(playback_.now());
  const int known = progress_.complete ? area.cols : column_of(facts_->last);
  constexpr std::string_view k_ascii = "_.:-=+*#";
  for (int col = 0; col < area.cols; ++col) {
    const auto& bucket = buckets[static_cast<std::size_t>(col)];
    const int level = level_of(bucket.output_bytes, most);
    Style style = bucket.inputs > 0 ? Style{palette(6), {}, 0} : styles::k_plain;
    std::string sign;
    if (col > known) {
      sign = ".";
      style = styles::k_dim;
    } else if (ascii_) {
      sign = k_ascii[static_cast<std::size_t>(level)];
    } else {
      append_utf8(sign, static_cast<char32_t>(0x2581 + level));
    }
    if (level == 0) {
      style.attributes |= vt::k_dim;
    }
    frame.put(area.row, area.col + col, 1, sign, style);
  }
  std::vector<MarkShape> marks(cols);
  const auto put = [&](MonoTime t, const MarkShape& shape) {
    auto& present = marks[static_cast<std::size_t>(column_of(t))];
    if (present.sign == ' ' || shape.rank > present.rank) {
      present = shape;
    }
  };
  for (const auto& command : facts_->commands) {
    put(command.begin, command.end_event == 0 ? k_running : k_command);
    if (command.failed()) {
      put(command.end, k_failed);
    }
  }
  for (const auto& mark : facts_->marks) {
    put(mark.t, shape_of(mark.kind));
  }
  if (logs_ != nullptr) {
    for (const auto& item : logs_->items) {
      if (item.severity == LogSeverity::error && item.t >= playback_.first() &&
          item.t <= playback_.last()) {
        put(item.t, k_log_error);
      }
    }
  }
  for (const auto& note : notes_.all()) {
    put(note.t, {note.id.empty() ? '*' : note.id.front(), 6, styles::k_warn});
  }
  for (int col = 0; col < area.cols; ++col) {
    const auto& mark = marks[static_cast<std::size_t>(col)];
    frame.put(area.row + 1, area.col + col, 1, std::string(1, mark.sign), mark.style);
  }
  frame.restyle({area.row, area.col + playhead, 1, 1}, vt::k_inverse | vt::k_bold);
  if (marks[static_cast<std::size_t>(playhead)].sign == ' ') {
    frame.put(area.row + 1, area.col + playhead, 1, "^", styles::k_bold);
  } else {
    frame.restyle({area.row + 1, area.col + playhead, 1, 1}, vt::k_inverse);
  }
}

int Model::percent_indexed() const {
  return progress_.total == 0 ? 0 : static_cast<int>(progress_.done * 100 / progress_.total);
}

std::vector<std::string> Model::cell_lines() const {
  const auto& terminal = replay_->terminal();
  const auto cursor = terminal.cursor();
  const auto at = inspect_at_.value_or(Frame::Position{cursor.row, cursor.col});
  std::vector<std::string> lines;
  const auto size = terminal.size();
  if (at.row < 0 || at.col < 0 || at.row >= size.rows || at.col >= size.cols) {
    lines.emplace_back("outside the recorded screen");
    return lines;
  }
  const auto& cell = terminal.row(at.row)[static_cast<std::size_t>(at.col)];
  lines.push_back(fmt::format("row {}, column {} of {}x{}{}", at.row + 1, at.col + 1, size.cols,
                              size.rows, terminal.alternate_screen() ? ", alternate screen" : ""));
  std::string text;
  terminal.append_cell_text(text, cell);
  std::string points;
  std::string_view left = text;
  while (!left.empty()) {
    const auto step = decode_utf8(left);
    points += fmt::format("U+{:04X} ", static_cast<unsigned>(step.code_point));
    left.remove_prefix(step.length);
  }
  lines.push_back("code points  " + (cell.glyph == 0 ? std::string("never written") : points));
  const auto colour = [](vt::Color color) {
    switch (color.kind()) {
      case vt::ColorKind::none:
        return std::string("default");
      case vt::ColorKind::palette:
        return fmt::format("palette {}", color.value());
      case vt::ColorKind::rgb:
        return fmt::format("#{:06x}", color.value());
    }
    return std::string{};
  };
  lines.push_back(fmt::format("colours      {} on {}", colour(cell.fg), colour(cell.bg)));
  std::string attributes;
  const std::array<std::pair<std::uint16_t, std::string_view>, 9> names{
      {{vt::k_bold, "bold"},
       {vt::k_dim, "dim"},
       {vt::k_italic, "italic"},
       {vt::k_underline_mask, "underlined"},
       {vt::k_blink, "blinking"},
       {vt::k_inverse, "inverse"},
       {vt::k_conceal, "CONCEALED"},
       {vt::k_strike, "struck out"},
       {vt::k_wide, "two columns"}}};
  for (const auto& [bit, name] : names) {
    if ((cell.attributes & bit) != 0) {
      attributes += std::string(attributes.empty() ? "" : ", ") + std::string(name);
    }
  }
  lines.push_back("attributes   " + (attributes.empty() ? "none" : attributes));
  if (cell.link != 0) {
    lines.push_back("link         " + printable(terminal.link(cell.link), 400));
  }
  if (!terminal.title().empty()) {
    lines.push_back("window title " + printable(terminal.title(), 400));
  }
  return lines;
}

std::vector<std::string> Model::popup_lines() const {
  switch (popup_) {
    case Popup::none:
      return {};
    case Popup::help:
      return help_lines();
    case Popup::details: {
      auto lines = info_.details;
      lines.emplace_back();
      for (auto& line : integrity_lines(integrity_)) {
        lines.push_back(std::move(line));
      }
      lines.emplace_back();
      lines.push_back(fmt::format("events        {}, {} commands, {} bytes of output",
                                  facts_->events, facts_->commands.size(), facts_->output_bytes));
      lines.push_back(fmt::format("clock         {} steps of the recorded host's clock",
                                  facts_->clock.steps()));
      if (facts_->left_out > 0) {
        lines.push_back(fmt::format(
            "left out      {} items beyond the player's limits or unreadable", facts_->left_out));
      }
      if (index_->text()->over_budget()) {
        lines.emplace_back(
            "search        the text index is full: later screen text is not searched");
      }
      return lines;
    }
    case Popup::notes: {
      std::vector<std::string> lines;
      for (const auto& note : notes_.all()) {
        lines.push_back(fmt::format("{:<2} {} {}  {}{}", note.id.empty() ? "*" : note.id,
                                    clock_text(note.t, 0), printable(note.author, 20), note.text,
                                    note.text.empty() ? "(bookmark)" : ""));
      }
      if (lines.empty()) {
        lines.emplace_back("none yet: m sets a bookmark, a writes a note");
      }
      return lines;
    }
    case Popup::cell:
      return cell_lines();
  }
  return {};
}

void Model::draw_popup(Frame& frame) {
  const auto lines = popup_lines();
  int widest = 24;
  for (const auto& line : lines) {
    widest = std::max(widest, std::min(text_width(line), 200));
  }
  const int cols = std::min(widest + 4, size_.cols - 2);
  const int rows = std::min(static_cast<int>(lines.size()) + 2, size_.rows - 2);
  const Rect box{(size_.rows - rows) / 2, (size_.cols - cols) / 2, rows, cols};
  frame.fill(box, styles::k_plain);
  const std::size_t visible = static_cast<std::size_t>(std::max(1, rows - 2));
  popup_top_ = std::min(popup_top_, lines.size() > visible ? lines.size() - visible : 0);
  const auto piece = [this](std::string_view ascii, std::string_view fancy) {
    return ascii_ ? ascii : fancy;
  };
  for (int col = 1; col + 1 < cols; ++col) {
    frame.put(box.row, box.col + col, 1, piece("-", "\u2500"), styles::k_bold);
    frame.put(box.row + rows - 1, box.col + col, 1, piece("-", "\u2500"), styles::k_bold);
  }
  for (int row = 1; row + 1 < rows; ++row) {
    frame.put(box.row + row, box.col, 1, piece("|", "\u2502"), styles::k_bold);
    frame.put(box.row + row, box.col + cols - 1, 1, piece("|", "\u2502"), styles::k_bold);
    const auto index = popup_top_ + static_cast<std::size_t>(row - 1);
    if (index < lines.size()) {
      const bool heading =
          !lines[index].empty() && lines[index].front() != ' ' && popup_ == Popup::help;
      frame.put(box.row + row, box.col + 2, cols - 4, lines[index],
                heading ? styles::k_bold : styles::k_plain);
    }
  }
  frame.put(box.row, box.col, 1, piece("+", "\u250C"), styles::k_bold);
  frame.put(box.row, box.col + cols - 1, 1, piece("+", "\u2510"), styles::k_bold);
  frame.put(box.row + rows - 1, box.col, 1, piece("+", "\u2514"), styles::k_bold);
  frame.put(box.row + rows - 1, box.col + cols - 1, 1, piece("+", "\u2518"), styles::k_bold);
  const std::string more =
      lines.size() > visible
          ? fmt::format(" {}-{} of {}, arrows scroll, q closes ", popup_top_ + 1,
                        std::min(lines.size(), popup_top_ + visible), lines.size())
          : " q closes ";
  frame.put(box.row + rows - 1, box.col + 2, cols - 4, more, styles::k_dim);
}

}  // namespace sworn::player
