// SPDX-License-Identifier: Apache-2.0
// From state to a frame: header, recorded screen, lists, status. Every text goes through
// Frame::put().
#include "base/printable.hpp"
#include "player/keystrokes.hpp"
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sworn::player {
namespace {

constexpr std::uint16_t k_drawable =
    vt::k_bold | vt::k_dim | vt::k_italic | vt::k_underline_mask | vt::k_inverse;

// "3 days", "51.7s": short enough for a column.
std::string short_duration(std::int64_t us) {
  const double seconds = static_cast<double>(us) / 1e6;
  if (seconds < 100) {
    return fmt::format("{:.2f}s", seconds);
  }
  if (seconds < 6000) {
    return fmt::format("{:.0f}m{:02.0f}s", std::floor(seconds / 60), std::fmod(seconds, 60));
  }
  return fmt::format("{:.0f}h{:02.0f}m", std::floor(seconds / 3600), std::fmod(seconds / 60, 60));
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

std::string state_text(PlayState state, bool ascii) {
  switch (state) {
    case PlayState::paused:
      return ascii ? "||" : "\u23F8";
    case PlayState::playing:
      return ascii ? "> " : "\u25B6";
    case PlayState::following:
      return "F ";
  }
  return {};
}

std::string speed_text(double speed) {
  return fmt::format("{:g}x", speed);
}

}  // namespace

Badge Model::badge() const {
  auto badge = badge_of(integrity_, clock_text(integrity_.verified_to, 0));
  return badge;
}

void Model::draw_header(Frame& frame) {
  const auto& area = layout_.header;
  frame.fill(area, styles::k_bar);
  const auto shown = badge();
  int end = area.cols;
  if (!shown.text.empty()) {
    auto style = style_of(shown.level);
    if (shown.level != BadgeLevel::bad) {
      style.attributes |= vt::k_inverse;
    }
    end = frame.put_right(area.row, area.cols - 1, area.cols / 2, " " + shown.text + " ", style);
  }
  const auto recorded = replay_->terminal().size();
  std::string text;
  const auto add = [&text](const std::string& part, std::string_view before = " ") {
    if (!part.empty()) {
      text += before;
      text += part;
    }
  };
  add(info_.host);
  add(info_.user);
  add(info_.tty);
  add(date_text(playback_.now()));
  add(info_.program);
  add(fmt::format("[{}x{}]", recorded.cols, recorded.rows));
  if (const auto& title = replay_->terminal().title(); !title.empty() && area.cols > 100) {
    add("\"" + printable(title, 60) + "\"");
  }
  frame.put(area.row, 0, end - 1, text, styles::k_bar);
}

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
  while (const auto match = matcher_->find(text, from)) {
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
      const auto style = style_of_cell(cell, terminal.reverse_video(), reveal_);
      if ((cell.attributes & vt::k_continuation) != 0) {
        if (x == 0) {
          frame.put(area.row + y, area.col, 1, "<", {style.fg, style.bg, vt::k_dim});
        }
        continue;
      }
      frame.put_cell(area.row + y, area.col + x, terminal, cell, style, x + 1 < cols);
    }
    if (matcher_ != nullptr) {
      highlight_matches(frame, at.row + y, area.row + y, at.col, area);
    }
  }
  const auto cursor = terminal.cursor();
  const int row = cursor.row - at.row;
  const int col = cursor.col - at.col;
  if (cursor.visible && row >= 0 && row < rows && col >= 0 && col < cols) {
    frame.cursor = Frame::Position{area.row + row, area.col + col};
  }
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

void Model::draw_title(Frame& frame, const Rect& pane, const std::string& left,
                       const std::string& right, bool focused) {
  const auto style = focused ? styles::k_bold : styles::k_dim;
  for (int col = 0; col < pane.cols; ++col) {
    frame.put(pane.row, pane.col + col, 1, ascii_ ? "-" : "\u2500", style);
  }
  int end = pane.col + pane.cols - 1;
  if (!right.empty()) {
    end = frame.put_right(pane.row, end, pane.cols / 2, " " + right + " ", style);
  }
  frame.put(pane.row, pane.col + 1, end - pane.col - 2, " " + left + " ",
            focused ? styles::k_selected : style);
}

void Model::draw_commands(Frame& frame) {
  const auto& pane = layout_.commands;
  const auto& items = facts_->commands;
  const bool focused = focus_ == Focus::commands;
  std::string title = fmt::format("commands ({})", items.size());
  if (!command_list_.filter.empty()) {
    title = fmt::format("commands ({} of {}: {})", command_list_.shown.size(), items.size(),
                        command_list_.filter);
  }
  draw_title(frame, pane, title, pane.cols >= 60 ? "exit   took" : "exit", focused);
  const auto current = current_command();
  const auto top = top_of(command_list_, pane);
  for (int line = 0; line + 1 < pane.rows; ++line) {
    const auto at = top + static_cast<std::size_t>(line);
    if (at >= command_list_.shown.size()) {
      if (line == 0) {
        frame.put(pane.row + 1, pane.col + 2, pane.cols - 2,
                  items.empty() ? "no commands are on record" : "no command passes the filter",
                  styles::k_dim);
      }
      break;
    }
    const auto index = command_list_.shown[at];
    const auto& item = items[index];
    const int row = pane.row + 1 + line;
    Style style = styles::k_plain;
    if (current && index == *current) {
      style = styles::k_bold;
    } else if (!current || index > *current) {
      style = styles::k_dim;
    }
    if (focused && at == command_list_.selected) {
      style.attributes |= vt::k_inverse;
      frame.fill({row, pane.col, 1, pane.cols}, style);
    }
    int end = pane.col + pane.cols;
    const bool done = item.end_event != 0 && item.end_event < replay_->position();
    if (pane.cols >= 60) {
      end = frame.put_right(row, end - 1, 10,
                            done ? short_duration(item.end.us - item.begin.us) : "", style);
      end = std::min(end, pane.col + pane.cols - 9);
    }
    std::string exit = "-";
    if (done) {
      exit = item.exit_status ? fmt::format("{}", *item.exit_status) : "?";
    }
    Style exit_style = style;
    if (done && item.failed()) {
      exit_style.fg = palette(1);
      exit_style.attributes |= vt::k_bold;
    }
    frame.put_right(row, end - 1, 5, exit, exit_style);
    end -= 5;
    const auto number =
        fmt::format("{}{:>3} ", current && index == *current ? ">" : " ", index + 1);
    const auto time = pane.cols >= 45 ? clock_text(item.begin, 0).substr(0, 8) + " " : "";
    frame.put(row, pane.col, end - pane.col,
              number + time + (item.text.empty() ? "(no text on record)" : item.text), style);
  }
}

void Model::draw_logs(Frame& frame) {
  const auto& pane = layout_.logs;
  const bool focused = focus_ == Focus::logs;
  const std::size_t count = logs_ == nullptr ? 0 : logs_->items.size();
  const auto current = current_log();
  std::string title = "log";
  if (logs_ != nullptr && !logs_->title.empty()) {
    title += ": " + logs_->title;
  }
  if (!log_list_.filter.empty()) {
    title += fmt::format(" ({} match {})", log_list_.shown.size(), log_list_.filter);
  }
  draw_title(frame, pane, title,
             fmt::format("{} {}/{}", log_list_.follows ? "follows" : "scrolled",
                         current ? *current + 1 : 0, count),
             focused);
  const auto top = top_of(log_list_, pane);
  for (int line = 0; line + 1 < pane.rows; ++line) {
    const auto at = top + static_cast<std::size_t>(line);
    if (at >= log_list_.shown.size()) {
      if (line == 0) {
        frame.put(pane.row + 1, pane.col + 2, pane.cols - 2,
                  count == 0 ? "no log lines: open with --log FILE" : "no line passes the filter",
                  styles::k_dim);
      }
      break;
    }
    const auto index = log_list_.shown[at];
    const auto& item = logs_->items[index];
    const int row = pane.row + 1 + line;
    const bool is_current = current && index == *current;
    Style style = is_current ? styles::k_bold
                             : (!current || index > *current ? styles::k_dim : styles::k_plain);
    if (item.severity == LogSeverity::error) {
      style.fg = palette(1);
    } else if (item.severity == LogSeverity::warning) {
      style.fg = palette(3);
    }
    if (focused && at == log_list_.selected) {
      style.attributes |= vt::k_inverse;
      frame.fill({row, pane.col, 1, pane.cols}, style);
    }
    const bool coarse = item.until.us - item.t.us >= 500'000;
    const auto mark = item.relation == LogRelation::this_session ? "*" : " ";
    frame.put(
        row, pane.col, pane.cols,
        fmt::format("{}{}{} {:<5} {}", is_current ? ">" : " ", mark,
                    clock_text(item.t, coarse ? 0 : 3), printable(item.source, 12), item.text),
        style);
  }
}

void Model::draw_keystrokes(Frame& frame) {
  const auto& pane = layout_.keystrokes;
  const auto inputs = replay_->inputs_before(replay_->position(), 64);
  std::string text;
  if (inputs) {
    for (const auto& event : *inputs) {
      text += event.kind == format::EventKind::input_hidden ? std::string(" <hidden> ")
                                                            : keystroke_text(event.data);
    }
  }
  if (text.empty()) {
    text = "none on record before this moment";
  }
  const auto label = std::string_view(" keys: ");
  const int used = frame.put(pane.row, pane.col, pane.cols, label, styles::k_dim);
  const int width = text_width(text);
  const int room = pane.cols - used;
  if (width > room) {
    // The last ones count.
    text.erase(0, std::min(text.size(), static_cast<std::size_t>(width - room)));
    while (!text.empty() && (static_cast<unsigned char>(text.front()) & 0xC0U) == 0x80U) {
      text.erase(0, 1);
    }
  }
  frame.put(pane.row, pane.col + used, room, text, styles::k_key);
}

void Model::draw_status(Frame& frame) {
  const auto& area = layout_.status;
  const auto now = playback_.now();
  const bool wide = area.cols >= 110;
  frame.fill(area, styles::k_plain);
  if (!message_.empty() && layout_.hints.empty()) {
    frame.put(area.row, 1, area.cols - 1, message_, style_of(message_level_));
    return;
  }
  std::vector<std::string> parts;
  parts.push_back(
      fmt::format("{} {}", state_text(playback_.state(), ascii_), speed_text(playback_.speed())));
  if (pending_) {
    parts.push_back(fmt::format("going there: index {} %", percent_indexed()));
  }
  const auto date = wide ? date_text(now) + " " : std::string{};
  parts.push_back(date + clock_text(now, 3));
  const auto length = playback_.last().us - playback_.first().us;
  parts.push_back(fmt::format("+{} / {}", format_duration(now.us - playback_.first().us, 1),
                              format_duration(length, 0)));
  if (wide) {
    parts.push_back(
        fmt::format("event {}/{}", replay_->position(), replay_->source().end_position()));
  }
  if (const auto current = current_command()) {
    const auto& item = facts_->commands[*current];
    std::string text = fmt::format("cmd {}/{}", *current + 1, facts_->commands.size());
    if (item.end_event != 0 && item.end_event < replay_->position()) {
      text += fmt::format(" exit {} {}", item.exit_status ? std::to_string(*item.exit_status) : "?",
                          short_duration(item.end.us - item.begin.us));
    }
    parts.push_back(text);
  }
  if (const auto limit = playback_.idle_limit()) {
    parts.push_back(fmt::format("skip>{:g}s", static_cast<double>(*limit) / 1e6));
  }
  if (const auto* const gap = playback_.skipped_gap()) {
    parts.push_back(fmt::format("(idle {})", short_duration(gap->to.us - gap->from.us)));
  }
  if (!progress_.complete) {
    parts.push_back(fmt::format("index {} %", percent_indexed()));
  }
  if (!progress_.error.empty()) {
    parts.push_back("index: " + progress_.error);
  }
  int col = 1;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const int width = text_width(parts[i]);
    if (i > 1 && col + width > area.cols) {
      break;
    }
    col += frame.put(area.row, col, area.cols - col, parts[i],
                     i == 0 ? styles::k_bold : styles::k_plain);
    col += area.cols >= 100 ? 3 : 2;
  }
}

void Model::draw_prompt(Frame& frame) {
  const auto& area = layout_.prompt;
  frame.fill(area, styles::k_plain);
  int col = frame.put(area.row, 0, area.cols, prompt_label(), styles::k_bold);
  const auto before = editor_.before_cursor();
  std::string help;
  if (prompt_ == PromptKind::search_forward || prompt_ == PromptKind::search_backward) {
    help = fmt::format("in: {}  Tab changes  Enter goes", name_of(scope_));
  }
  const int help_width = help.empty() ? 0 : text_width(help) + 2;
  const int room = std::max(10, area.cols - col - help_width - 1);
  auto text = editor_.text();
  int cursor = text_width(before);
  while (cursor >= room && !text.empty()) {
    // Show the part around the cursor.
    const auto step = decode_utf8(text);
    cursor -= std::max(0, text_width(std::string_view(text).substr(0, step.length)));
    text.erase(0, step.length);
  }
  frame.put(area.row, col, room, text, styles::k_plain);
  if (!help.empty() && area.cols >= 60) {
    frame.put_right(area.row, area.cols, help_width, help, styles::k_dim);
  }
  col += cursor;
  frame.cursor = Frame::Position{area.row, std::min(col, area.cols - 1)};
}

void Model::draw_hints(Frame& frame) {
  const auto& area = layout_.hints;
  if (!message_.empty()) {
    frame.put(area.row, 1, area.cols - 1, message_, style_of(message_level_));
    return;
  }
  struct Hint {
    std::string_view key;
    std::string_view text;
  };
  constexpr std::array<Hint, 13> k_hints{{{"Space", "play"},
                                          {"\u2190 \u2192", "5s"},
                                          {"[ ]", "command"},
                                          {"( )", "log"},
                                          {", .", "event"},
                                          {"/", "search"},
                                          {"n N", "next"},
                                          {"e", "trouble"},
                                          {"m", "mark"},
                                          {"Tab", "pane"},
                                          {"z", "zoom"},
                                          {"F1", "help"},
                                          {"q", "quit"}}};
  int col = 1;
  for (const auto& hint : k_hints) {
    const auto key = ascii_ && hint.text == "5s" ? std::string_view("Left Right") : hint.key;
    const int width = text_width(key) + 1 + text_width(hint.text);
    if (col + width >= area.cols) {
      return;
    }
    col += frame.put(area.row, col, area.cols - col, key, styles::k_key) + 1;
    col += frame.put(area.row, col, area.cols - col, hint.text, styles::k_dim) + 2;
  }
}

Frame Model::frame(TermSize size) {
  size_ = size;
  Frame frame(size);
  LayoutInput input{
      size,           replay_->terminal().size(),  show_commands_, show_logs_, show_keystrokes_,
      show_timeline_, prompt_ != PromptKind::none, zoom_};
  if (show_logs_ == Shown::by_size && (logs_ == nullptr || logs_->items.empty())) {
    input.logs = Shown::off;
  }
  layout_ = make_layout(input);
  if (layout_.too_small) {
    frame.put(0, 0, size.cols,
              fmt::format("{}x{} is too small: {}x{} at least", size.cols, size.rows, k_least_cols,
                          k_least_rows),
              styles::k_plain);
    frame.put(1, 0, size.cols, "q quits", styles::k_dim);
    return frame;
  }
  if ((focus_ == Focus::commands && layout_.commands.empty()) ||
      (focus_ == Focus::logs && layout_.logs.empty())) {
    focus_ = Focus::screen;
  }
  draw_screen(frame);
  const auto with = [&frame, this](const Rect& area, void (Model::*draw)(Frame&)) {
    if (!area.empty()) {
      (this->*draw)(frame);
    }
  };
  with(layout_.header, &Model::draw_header);
  with(layout_.commands, &Model::draw_commands);
  with(layout_.logs, &Model::draw_logs);
  with(layout_.keystrokes, &Model::draw_keystrokes);
  with(layout_.timeline, &Model::draw_timeline);
  with(layout_.status, &Model::draw_status);
  with(layout_.hints, &Model::draw_hints);
  if (popup_ != Popup::none) {
    frame.cursor.reset();
    draw_popup(frame);
  }
  with(layout_.prompt, &Model::draw_prompt);
  if (focus_ != Focus::screen && prompt_ == PromptKind::none) {
    frame.cursor.reset();
  }
  return frame;
}

}  // namespace sworn::player
