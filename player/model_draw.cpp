// SPDX-License-Identifier: Apache-2.0
// From state to a frame: header, timeline, status, prompt, and who draws the rest. Every text goes
// through Frame::put().
#include "base/printable.hpp"
#include "player/draw_text.hpp"
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {
namespace {

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
  add(area.cols >= 140 ? info_.from : std::string());
  add(date_text(playback_.now()));
  if (area.cols >= 140) {
    add(fmt::format("{} .. {}", clock_text(playback_.first(), 0), clock_text(playback_.last(), 0)));
  }
  add(info_.program);
  add(crop_text());
  if (const auto& title = replay_->terminal().title(); !title.empty() && area.cols > 100) {
    add("\"" + printable(title, 60) + "\"");
  }
  frame.put(area.row, 0, end - 1, text, styles::k_bar);
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

int Model::percent_indexed() const {
  return progress_.total == 0 ? 0 : static_cast<int>(progress_.done * 100 / progress_.total);
}

void Model::draw_timeline(Frame& frame) {
  const auto& area = layout_.timeline;
  timeline_.update({playback_.first(), playback_.last(), playback_.now(), &playback_.idle(),
                    playback_.idle_limit(), facts_, logs_, audit_, &notes_.all(), area.cols});
  const auto& columns = timeline_.columns();
  const int playhead = std::clamp(timeline_.column_of(playback_.now()), 0, area.cols - 1);
  const int known = progress_.complete ? area.cols : timeline_.column_of(facts_->last);
  constexpr std::string_view k_ascii = "_.:-=+*#";
  for (int col = 0; col < area.cols; ++col) {
    const auto& column = columns[static_cast<std::size_t>(col)];
    Style style = column.input ? Style{palette(6), {}, 0} : styles::k_plain;
    std::string sign;
    if (col > known) {
      sign = ".";
      style = styles::k_dim;
    } else if (ascii_) {
      sign = k_ascii[static_cast<std::size_t>(column.level)];
    } else {
      append_utf8(sign, static_cast<char32_t>(0x2581 + column.level));
    }
    if (column.level == 0) {
      style.attributes |= vt::k_dim;
    }
    if (focus_ == Focus::timeline) {
      style.attributes |= vt::k_bold;
    }
    frame.put(area.row, area.col + col, 1, sign, style);
    frame.put(area.row + 1, area.col + col, 1, std::string(1, column.mark), column.mark_style);
  }
  for (const auto& label : timeline_.labels()) {
    frame.put(area.row + 1, area.col + label.col, area.cols - label.col, label.text, styles::k_dim);
  }
  if (timeline_.zoom() > 1) {
    frame.put_right(area.row + 1, area.col + area.cols, area.cols / 2,
                    fmt::format(" {} .. {} ({}x) ", clock_text(timeline_.shown_from(), 0),
                                clock_text(timeline_.shown_to(), 0), timeline_.zoom()),
                    styles::k_dim);
  } else if (focus_ == Focus::timeline) {
    frame.put_right(area.row + 1, area.col + area.cols, area.cols / 2, " + shows less time ",
                    styles::k_dim);
  }
  frame.restyle({area.row, area.col + playhead, 1, 1}, vt::k_inverse | vt::k_bold);
  if (columns[static_cast<std::size_t>(playhead)].mark == ' ') {
    frame.put(area.row + 1, area.col + playhead, 1, "^", styles::k_bold);
  } else {
    frame.restyle({area.row + 1, area.col + playhead, 1, 1}, vt::k_inverse);
  }
}

std::vector<std::string> Model::status_parts() const {
  const auto now = playback_.now();
  const bool wide = layout_.status.cols >= 110;
  std::vector<std::string> parts;
  parts.push_back(
      fmt::format("{} {}", state_text(playback_.state(), ascii_), speed_text(playback_.speed())));
  if (pending_) {
    parts.push_back(fmt::format("going there: index {} %", percent_indexed()));
  }
  const auto date = wide ? date_text(now) + " " : std::string{};
  parts.push_back(date + clock_text(now, 3));
  const auto length = playback_.last().us - playback_.first().us;
  if (clock_mode_ == ClockMode::elapsed) {
    parts.push_back(fmt::format("/ {}", format_duration(length, 0)));
  } else {
    parts.push_back(fmt::format("+{} / {}", format_duration(now.us - playback_.first().us, 1),
                                format_duration(length, 0)));
  }
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
  if (clip_begin_ || clip_end_) {
    parts.emplace_back("clip marked");
  }
  if (!progress_.error.empty()) {
    parts.push_back("index: " + progress_.error);
  } else if (!progress_.complete) {
    parts.push_back(fmt::format("index {} %", percent_indexed()));
  } else if (wide) {
    parts.emplace_back("index 100 %");
  }
  if (reveal_) {
    parts.emplace_back("REVEAL");
  }
  return parts;
}

void Model::draw_status(Frame& frame) {
  const auto& area = layout_.status;
  frame.fill(area, styles::k_plain);
  if (!message_.empty() && layout_.hints.empty()) {
    frame.put(area.row, 1, area.cols - 1, message_, style_of(message_level_));
    return;
  }
  const auto parts = status_parts();
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
  if (searching_prompt()) {
    help = search_help();
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
  LayoutInput input{size,
                    replay_->terminal().size(),
                    show_commands_,
                    show_logs_,
                    notes_.all().size(),
                    split_,
                    show_keystrokes_,
                    show_timeline_,
                    prompt_ != PromptKind::none,
                    zoom_};
  if (show_logs_ == Shown::by_size && logs_ == nullptr) {
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
      (focus_ == Focus::logs && layout_.logs.empty()) ||
      (focus_ == Focus::timeline && layout_.timeline.empty())) {
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
  with(layout_.notes, &Model::draw_notes);
  with(layout_.keystrokes, &Model::draw_keystrokes);
  with(layout_.timeline, &Model::draw_timeline);
  with(layout_.status, &Model::draw_status);
  with(layout_.hints, &Model::draw_hints);
  if (zoom_) {
    draw_zoom_edge(frame);
  }
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
