// SPDX-License-Identifier: Apache-2.0
// The lists beside the recorded screen: commands, log lines, notes, keys.
#include "audit/logs/log_timestamp.hpp"
#include "base/printable.hpp"
#include "player/draw_text.hpp"
#include "player/keystrokes.hpp"
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {
namespace {

constexpr std::size_t k_source_width = 12;

// The line without the time at its beginning: that stands in a column of its own.
std::string_view without_time(std::string_view line) {
  const auto time = audit::logs::parse_line_time(line, {});
  if (!time || time->begin > 1 || time->end >= line.size()) {
    return line;
  }
  const auto rest = line.substr(time->end);
  const auto begin = rest.find_first_not_of(" \t:,]");
  return begin == std::string_view::npos ? line : rest.substr(begin);
}

std::string no_log_text(const LogBook* logs, std::size_t count) {
  if (logs == nullptr) {
    return "no log lines: open with --log FILE";
  }
  if (!logs->trouble.empty()) {
    return logs->trouble;
  }
  if (logs->reading) {
    return "reading the log files ...";
  }
  return count == 0 ? "no line of these files lies within the session"
                    : "no line passes the filter";
}

}  // namespace

void Model::draw_commands(Frame& frame) {
  const auto& pane = layout_.commands;
  const auto& items = facts_->commands;
  const bool focused = focus_ == Focus::commands;
  std::string title = fmt::format("commands ({})", items.size());
  if (!command_list_.filter.empty()) {
    title = fmt::format("commands ({} of {}: {})", command_list_.shown.size(), items.size(),
                        command_list_.filter.text());
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
    title += fmt::format(" ({} match {})", log_list_.shown.size(), log_list_.filter.text());
  }
  draw_title(frame, pane, title,
             fmt::format("{} {}/{}", log_list_.follows ? "follows" : "scrolled",
                         current ? *current + 1 : 0, count),
             focused);
  const auto top = top_of(log_list_, pane);
  std::size_t source_width = 1;
  for (std::size_t at = top;
       at < log_list_.shown.size() && at < top + static_cast<std::size_t>(pane.rows); ++at) {
    source_width = std::max(
        source_width, printable(logs_->items[log_list_.shown[at]].source, k_source_width).size());
  }
  for (int line = 0; line + 1 < pane.rows; ++line) {
    const auto at = top + static_cast<std::size_t>(line);
    if (at >= log_list_.shown.size()) {
      if (line == 0) {
        frame.put(pane.row + 1, pane.col + 2, pane.cols - 2, no_log_text(logs_.get(), count),
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
    const auto* const mark = item.relation == LogRelation::this_session ? "*" : " ";
    frame.put(
        row, pane.col, pane.cols,
        fmt::format("{}{}{} {:<{}} {}", is_current ? ">" : " ", mark,
                    clock_text(item.t, item.wall, coarse ? 0 : 3),
                    printable(item.source, k_source_width), source_width, without_time(item.text)),
        style);
  }
}

void Model::draw_notes(Frame& frame) {
  const auto& pane = layout_.notes;
  const auto& notes = notes_.all();
  draw_title(frame, pane, fmt::format("notes ({})", notes.size()), "M lists", false);
  // Those around the playhead.
  const auto now = playback_.now();
  const auto later = std::partition_point(notes.begin(), notes.end(),
                                          [now](const Note& note) { return note.t <= now; });
  const auto rows = static_cast<std::size_t>(std::max(1, pane.rows - 1));
  const auto current = static_cast<std::size_t>(later - notes.begin());
  const std::size_t top =
      notes.size() <= rows ? 0
                           : std::min(current - std::min(current, rows / 2), notes.size() - rows);
  for (std::size_t line = 0; line < rows && top + line < notes.size(); ++line) {
    const auto& note = notes[top + line];
    frame.put(pane.row + 1 + static_cast<int>(line), pane.col, pane.cols,
              fmt::format(" {} {} {}", note.id.empty() ? "*" : note.id, clock_text(note.t, 0),
                          note.text.empty() ? "(bookmark)" : note.text),
              note.t <= now ? styles::k_plain : styles::k_dim);
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

}  // namespace sworn::player
