// SPDX-License-Identifier: Apache-2.0
// What keys do: the popup first, then the prompt, then the table of keys.
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {
namespace {

constexpr std::int64_t k_second = 1'000'000;

bool is_arrow(const Key& key) {
  return key.code == KeyCode::up || key.code == KeyCode::down || key.code == KeyCode::left ||
         key.code == KeyCode::right;
}

// Rows and columns that a key moves by: arrows and vi's letters.
std::optional<Frame::Position> step_of(const Key& key) {
  const auto is = [&key](KeyCode code, char32_t c) {
    return key.code == code ||
           (key.code == KeyCode::character && key.c == c && !key.ctrl && !key.alt);
  };
  if (is(KeyCode::up, U'k')) {
    return Frame::Position{-1, 0};
  }
  if (is(KeyCode::down, U'j')) {
    return Frame::Position{1, 0};
  }
  if (is(KeyCode::left, U'h')) {
    return Frame::Position{0, -1};
  }
  if (is(KeyCode::right, U'l')) {
    return Frame::Position{0, 1};
  }
  return std::nullopt;
}

}  // namespace

// NOLINTNEXTLINE(readability-function-size): one line for each action of the key table.
void Model::run(Action action, const Key& key) {
  switch (action) {
    case Action::play_pause:
      playback_.toggle();
      break;
    case Action::back_5s:
      seek_by(-5 * k_second);
      break;
    case Action::forward_5s:
      seek_by(5 * k_second);
      break;
    case Action::back_1s:
      seek_by(-k_second);
      break;
    case Action::forward_1s:
      seek_by(k_second);
      break;
    case Action::back_1min:
      seek_by(-60 * k_second);
      break;
    case Action::forward_1min:
      seek_by(60 * k_second);
      break;
    case Action::back_10min:
      seek_by(-600 * k_second);
      break;
    case Action::forward_10min:
      seek_by(600 * k_second);
      break;
    case Action::percent: {
      const PlaceSpec spec{PlaceKind::percent, static_cast<std::int64_t>(key.c - U'0') * 1000};
      jumps_.leave(here());
      go_to(*resolve(spec, context()));
      break;
    }
    case Action::go_start:
      jumps_.leave(here());
      go_to_time(playback_.first());
      break;
    case Action::go_end:
      jumps_.leave(here());
      go_to_time(playback_.last());
      break;
    case Action::follow:
      jumps_.leave(here());
      go_to_time(playback_.last());
      playback_.follow();
      say(playback_.state() == PlayState::following ? "following the live session"
                                                    : "the session is not live: this is its end");
      break;
    case Action::undo:
      go_back(jumps_.undo(here()));
      break;
    case Action::redo:
      go_back(jumps_.redo(here()));
      break;
    case Action::previous_event:
      step_event(-1);
      break;
    case Action::next_event:
      step_event(1);
      break;
    case Action::previous_change:
      step_change(-1);
      break;
    case Action::next_change:
      step_change(1);
      break;
    case Action::previous_command:
      jump_command(-1);
      break;
    case Action::next_command:
      jump_command(1);
      break;
    case Action::previous_log:
      jump_log(-1);
      break;
    case Action::next_log:
      jump_log(1);
      break;
    case Action::next_trouble:
      jump_trouble(1);
      break;
    case Action::previous_trouble:
      jump_trouble(-1);
      break;
    case Action::slower:
      playback_.slower();
      break;
    case Action::faster:
      playback_.faster();
      break;
    case Action::normal_speed:
      playback_.set_speed(1);
      break;
    case Action::toggle_idle_skip:
      toggle_idle();
      break;
    case Action::set_idle_limit:
      open_prompt(PromptKind::idle_limit);
      break;
    case Action::prompt_goto:
      open_prompt(PromptKind::go_to);
      break;
    case Action::search_forward:
      open_prompt(PromptKind::search_forward);
      break;
    case Action::search_backward:
      open_prompt(PromptKind::search_backward);
      break;
    case Action::next_match:
      go_to_match(search_.backward ? -1 : 1, true);
      break;
    case Action::previous_match:
      go_to_match(search_.backward ? 1 : -1, true);
      break;
    case Action::search_word:
      search_word();
      break;
    case Action::activate:
      activate();
      break;
    case Action::list_up:
      move_in_list(-1);
      break;
    case Action::list_down:
      move_in_list(1);
      break;
    case Action::list_page_up:
      move_in_list(-page_of_list());
      break;
    case Action::list_page_down:
      move_in_list(page_of_list());
      break;
    case Action::set_bookmark:
      open_prompt(PromptKind::bookmark_key);
      break;
    case Action::go_bookmark:
      open_prompt(PromptKind::go_bookmark_key);
      break;
    case Action::list_bookmarks:
      open_popup(Popup::notes);
      break;
    case Action::add_note:
      playback_.pause();
      open_prompt(PromptKind::note);
      break;
    case Action::select_cells:
      start_selection(false);
      break;
    case Action::select_lines:
      start_selection(true);
      break;
    case Action::copy:
      copy();
      break;
    case Action::clip_begin:
      clip_begin_ = here();
      say("the clip begins at " + clock_text(clip_begin_->t, 3) + "; B ends it, x exports it");
      break;
    case Action::clip_end:
      clip_end_ = here();
      say("the clip ends at " + clock_text(clip_end_->t, 3) + "; x exports it");
      break;
    case Action::export_clip:
      playback_.pause();
      open_prompt(PromptKind::export_file, default_file(".cast"));
      break;
    case Action::filter:
      open_prompt(PromptKind::filter, list_to_filter().filter.text());
      break;
    case Action::toggle_commands:
      toggle(show_commands_, layout_.commands);
      break;
    case Action::toggle_logs:
      toggle(show_logs_, layout_.logs);
      break;
    case Action::toggle_keystrokes:
      show_keystrokes_ = !show_keystrokes_;
      break;
    case Action::toggle_timeline:
      show_timeline_ = !show_timeline_;
      break;
    case Action::timeline_in:
      timeline_.zoom_in();
      break;
    case Action::timeline_out:
      timeline_.zoom_out();
      break;
    case Action::split:
      split_ = split_ == Split::below ? Split::right : Split::below;
      say(split_ == Split::right ? "lists beside the screen" : "lists below the screen");
      break;
    case Action::pan_mode:
      pan_keys_ = !pan_keys_;
      say(pan_keys_ ? "Shift and arrows pan; = follows the cursor again"
                    : "Shift and arrows seek as usual");
      break;
    case Action::next_focus:
      cycle_focus(1);
      break;
    case Action::previous_focus:
      cycle_focus(-1);
      break;
    case Action::zoom:
      zoom_ = !zoom_;
      focus_ = Focus::screen;
      message_.clear();
      break;
    case Action::pan_left:
      pan(0, -1);
      break;
    case Action::pan_right:
      pan(0, 1);
      break;
    case Action::pan_up:
      pan(-1, 0);
      break;
    case Action::pan_down:
      pan(1, 0);
      break;
    case Action::recentre:
      pan_.reset();
      break;
    case Action::reveal:
      reveal_ = !reveal_;
      say(reveal_ ? "what is concealed, coloured like its ground or without a shape is revealed"
                  : "text as the program coloured it");
      break;
    case Action::clock_mode:
      next_clock();
      break;
    case Action::details:
      open_popup(Popup::details);
      break;
    case Action::row_history:
      show_row_history();
      break;
    case Action::programs:
      show_audit(Popup::programs);
      break;
    case Action::findings:
      show_audit(Popup::findings);
      break;
    case Action::inspect_cell:
      playback_.pause();
      open_popup(Popup::cell);
      break;
    case Action::toggle_mouse:
      mouse_ = !mouse_;
      say(mouse_ ? "mouse on (hold Shift to select text)" : "mouse off");
      break;
    case Action::help:
      open_popup(Popup::help);
      break;
    case Action::back:
      go_back_one_level(key);
      break;
    case Action::quit:
      quit_ = true;
      break;
  }
}

void Model::toggle_idle() {
  if (playback_.idle_limit()) {
    playback_.set_idle(std::nullopt, {});
    say("silences in full length");
    return;
  }
  playback_.set_idle(idle_limit_us_, facts_->idle);
  say(fmt::format("silences shortened to {} s", static_cast<double>(idle_limit_us_) / 1e6));
}

void Model::open_popup(Popup popup) {
  popup_ = popup_ == popup ? Popup::none : popup;
  popup_top_ = 0;
  popup_selected_ = 0;
}

// q and Escape leave the innermost thing; only q leaves the player.
void Model::go_back_one_level(const Key& key) {
  if (pending_) {
    pending_.reset();
  } else if (zoom_) {
    zoom_ = false;
  } else if (focus_ != Focus::screen && key.code == KeyCode::escape) {
    focus_ = Focus::screen;
  } else if (key.code == KeyCode::escape) {
    search_.highlight = false;
    inspect_at_.reset();
    message_.clear();
  } else {
    quit_ = true;
  }
}

bool Model::handle_popup(const Key& key) {
  if (popup_ == Popup::none) {
    return false;
  }
  const auto action = lookup(key, Scope::list);
  const auto content = popup_content();
  const bool selectable = std::any_of(content.begin(), content.end(),
                                      [](const PopupLine& line) { return line.position; });
  if (key.code == KeyCode::enter && selectable) {
    const auto position = content[std::min(popup_selected_, content.size() - 1)].position;
    popup_ = Popup::none;
    if (position) {
      jumps_.leave(here());
      go_to_position(*position);
    }
    return true;
  }
  if (key.code == KeyCode::enter || action == Action::back) {
    popup_ = Popup::none;
    return true;
  }
  const auto page = static_cast<std::ptrdiff_t>(std::max(1, size_.rows / 2));
  std::ptrdiff_t by = 0;
  if (action == Action::list_down || key.code == KeyCode::wheel_down) {
    by = 1;
  } else if (action == Action::list_up || key.code == KeyCode::wheel_up) {
    by = -1;
  } else if (action == Action::list_page_down || action == Action::play_pause) {
    by = page;
  } else if (action == Action::list_page_up) {
    by = -page;
  } else if (key.code == KeyCode::home || key.code == KeyCode::end) {
    by = static_cast<std::ptrdiff_t>(content.size()) * (key.code == KeyCode::home ? -1 : 1);
  } else {
    popup_ = Popup::none;
    return false;  // any other key does what it does
  }
  auto& at = selectable ? popup_selected_ : popup_top_;
  const auto last = std::max<std::ptrdiff_t>(0, static_cast<std::ptrdiff_t>(content.size()) - 1);
  at = static_cast<std::size_t>(
      std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(at) + by, 0, last));
  return true;
}

// While cells are being marked, arrows and hjkl move the end of the mark.
bool Model::handle_selection(const Key& key) {
  if (!selection_) {
    return false;
  }
  const auto screen = replay_->terminal().size();
  if (const auto step = step_of(key)) {
    selection_->move(step->row, step->col, screen);
    return true;
  }
  switch (key.code) {
    case KeyCode::home:
      selection_->move(0, -screen.cols, screen);
      return true;
    case KeyCode::end:
      selection_->move(0, screen.cols, screen);
      return true;
    case KeyCode::page_up:
      selection_->move(-screen.rows, 0, screen);
      return true;
    case KeyCode::page_down:
      selection_->move(screen.rows, 0, screen);
      return true;
    default:
      break;
  }
  if (lookup(key, Scope::screen) == Action::back) {
    selection_.reset();
    return true;
  }
  return false;
}

bool Model::handle_pan(const Key& key) {
  if (!pan_keys_ || !key.shift || !is_arrow(key)) {
    return false;
  }
  const auto step = step_of(key);
  pan(step->row, step->col);
  return true;
}

Scope Model::key_scope() const {
  switch (focus_) {
    case Focus::screen:
      return Scope::screen;
    case Focus::timeline:
      return Scope::timeline;
    case Focus::commands:
    case Focus::logs:
      return Scope::list;
  }
  return Scope::screen;
}

void Model::handle(const Key& key) {
  message_.clear();  // it was about the key before
  if (prompt_ != PromptKind::none) {
    handle_prompt(key);
  } else if (!handle_popup(key) && !handle_selection(key) && !handle_pan(key)) {
    if (key.code == KeyCode::click || key.code == KeyCode::wheel_up ||
        key.code == KeyCode::wheel_down) {
      click(key);
    } else if (const auto action = lookup(key, key_scope())) {
      run(*action, key);
    }
  }
  update_lists();
}

}  // namespace sworn::player
