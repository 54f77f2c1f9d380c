// SPDX-License-Identifier: Apache-2.0
// One table of keys: what they do and what the help says about them. The dispatcher, the F1 screen
// and the manual page are all made from it. Pure.
#pragma once

#include "player/view.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::player {

enum class Action : std::uint8_t {
  play_pause,
  back_5s,
  forward_5s,
  back_1s,
  forward_1s,
  back_1min,
  forward_1min,
  back_10min,
  forward_10min,
  percent,
  go_start,
  go_end,
  follow,
  undo,
  redo,
  previous_event,
  next_event,
  previous_change,
  next_change,
  previous_command,
  next_command,
  previous_log,
  next_log,
  next_trouble,
  previous_trouble,
  slower,
  faster,
  normal_speed,
  toggle_idle_skip,
  set_idle_limit,
  prompt_goto,
  search_forward,
  search_backward,
  next_match,
  previous_match,
  search_word,
  activate,
  list_up,
  list_down,
  list_page_up,
  list_page_down,
  set_bookmark,
  list_bookmarks,
  go_bookmark,
  add_note,
  select_cells,
  select_lines,
  copy,
  clip_begin,
  clip_end,
  export_clip,
  filter,
  toggle_commands,
  toggle_logs,
  toggle_keystrokes,
  toggle_timeline,
  timeline_in,
  timeline_out,
  split,
  next_focus,
  previous_focus,
  zoom,
  pan_left,
  pan_right,
  pan_up,
  pan_down,
  pan_mode,
  recentre,
  reveal,
  row_history,
  programs,
  findings,
  clock_mode,
  details,
  inspect_cell,
  toggle_mouse,
  help,
  back,
  quit,
};

// Where a binding holds: what has the focus. A binding of one place goes before one of any.
enum class Scope : std::uint8_t { any, screen, list, timeline };

enum class HelpGroup : std::uint8_t { playing, moving, searching, panes, notes, copying, other };
std::string_view title_of(HelpGroup group);

struct KeyRow {
  Action action;
  Scope scope;
  HelpGroup group;
  std::string_view keys;  // names as in name_of(Key), separated by blanks
  std::string_view help;  // empty: listed with the row before
};

std::span<const KeyRow> key_table();

std::optional<Key> parse_key(std::string_view name);
bool same_key(const Key& a, const Key& b);

// The action of a key where the focus is on a list, on the screen or on the timeline.
std::optional<Action> lookup(const Key& key, Scope focus);

// "Space, p" for an action: for hints and messages.
std::string keys_of(Action action);

// The whole table as lines of text, for F1.
std::vector<std::string> help_lines();

}  // namespace sworn::player
