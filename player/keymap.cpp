// SPDX-License-Identifier: Apache-2.0
#include "player/keymap.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace sworn::player {
namespace {

using enum Action;

constexpr auto k_table = std::to_array<KeyRow>({
    {play_pause, Scope::any, HelpGroup::playing, "Space p", "play or pause"},
    {slower, Scope::any, HelpGroup::playing, "{ -", "half the speed (least: 0.25x)"},
    {faster, Scope::any, HelpGroup::playing, "} +", "double the speed (most: 64x)"},
    {normal_speed, Scope::any, HelpGroup::playing, "Backspace", "normal speed"},
    {toggle_idle_skip, Scope::any, HelpGroup::playing, "i", "shorten silences on or off"},
    {set_idle_limit, Scope::any, HelpGroup::playing, "I", "ask how long a silence may last"},
    {follow, Scope::any, HelpGroup::playing, "F", "stay at the end of a live session"},

    {back_5s, Scope::any, HelpGroup::moving, "Left h", "5 seconds back"},
    {forward_5s, Scope::any, HelpGroup::moving, "Right l", "5 seconds on"},
    {back_1s, Scope::any, HelpGroup::moving, "Shift+Left", "1 second back"},
    {forward_1s, Scope::any, HelpGroup::moving, "Shift+Right", "1 second on"},
    {back_1min, Scope::screen, HelpGroup::moving, "Up Alt+Left Ctrl+Left", "1 minute back"},
    {forward_1min, Scope::screen, HelpGroup::moving, "Down Alt+Right Ctrl+Right", "1 minute on"},
    {back_1min, Scope::list, HelpGroup::moving, "Alt+Left Ctrl+Left", ""},
    {forward_1min, Scope::list, HelpGroup::moving, "Alt+Right Ctrl+Right", ""},
    {back_10min, Scope::screen, HelpGroup::moving, "PgUp", "10 minutes back"},
    {forward_10min, Scope::screen, HelpGroup::moving, "PgDn", "10 minutes on"},
    {previous_event, Scope::any, HelpGroup::moving, ",", "previous output event"},
    {next_event, Scope::any, HelpGroup::moving, ".", "next output event"},
    {previous_change, Scope::any, HelpGroup::moving, "<", "previous change of the screen"},
    {next_change, Scope::any, HelpGroup::moving, ">", "next change of the screen"},
    {previous_command, Scope::any, HelpGroup::moving, "[", "previous command"},
    {next_command, Scope::any, HelpGroup::moving, "]", "next command"},
    {previous_log, Scope::any, HelpGroup::moving, "(", "previous log line"},
    {next_log, Scope::any, HelpGroup::moving, ")", "next log line"},
    {next_trouble, Scope::any, HelpGroup::moving, "e",
     "next trouble: failure, gap, alert, divergence, error line"},
    {previous_trouble, Scope::any, HelpGroup::moving, "E", "previous trouble"},
    {percent, Scope::any, HelpGroup::moving, "0 1 2 3 4 5 6 7 8 9", "0 to 90 % of the recording"},
    {go_start, Scope::any, HelpGroup::moving, "g Home", "start"},
    {go_end, Scope::any, HelpGroup::moving, "G End", "end"},
    {prompt_goto, Scope::any, HelpGroup::moving, ":",
     "go to +90, -2:00, 1:02:03, 14:07:33, a date and time, cmd 12, event 40112, 37%"},
    {undo, Scope::any, HelpGroup::moving, "u Ctrl+O", "back to where the last jump began"},
    {redo, Scope::any, HelpGroup::moving, "U", "redo the jump"},

    {search_forward, Scope::any, HelpGroup::searching, "/",
     "search; Tab changes where, Enter goes there"},
    {search_backward, Scope::any, HelpGroup::searching, "?", "search backwards"},
    {next_match, Scope::any, HelpGroup::searching, "n", "next match"},
    {previous_match, Scope::any, HelpGroup::searching, "N", "previous match"},
    {search_word, Scope::any, HelpGroup::searching, "*", "search the word under the cursor"},

    {next_focus, Scope::any, HelpGroup::panes, "Tab", "next pane"},
    {previous_focus, Scope::any, HelpGroup::panes, "Shift+Tab", "previous pane"},
    {list_up, Scope::list, HelpGroup::panes, "Up k", "list: up"},
    {list_down, Scope::list, HelpGroup::panes, "Down j", "list: down"},
    {list_page_up, Scope::list, HelpGroup::panes, "PgUp", "list: a page up"},
    {list_page_down, Scope::list, HelpGroup::panes, "PgDn", "list: a page down"},
    {activate, Scope::any, HelpGroup::panes, "Enter", "list: move the playhead to the item"},
    {filter, Scope::any, HelpGroup::panes, "f",
     "list: show some items only: text, \\vregex, is:failed exit:1 took:10 cwd:/etc;"},
    {filter, Scope::any, HelpGroup::panes, "",
     "  of log lines is:error is:warning is:session source:auth"},
    {toggle_commands, Scope::any, HelpGroup::panes, "C", "commands on or off"},
    {toggle_logs, Scope::any, HelpGroup::panes, "L", "log lines on or off"},
    {toggle_keystrokes, Scope::any, HelpGroup::panes, "K", "keystrokes on or off"},
    {toggle_timeline, Scope::any, HelpGroup::panes, "T", "timeline on or off"},
    {timeline_in, Scope::timeline, HelpGroup::panes, "+", "timeline: show a shorter stretch"},
    {timeline_out, Scope::timeline, HelpGroup::panes, "-", "timeline: show a longer stretch"},
    {split, Scope::any, HelpGroup::panes, "W", "lists beside or below the screen"},
    {zoom, Scope::any, HelpGroup::panes, "z", "the recorded screen alone; again: everything"},
    {pan_left, Scope::any, HelpGroup::panes, "Alt+h",
     "pan a screen that is larger than its pane: left"},
    {pan_right, Scope::any, HelpGroup::panes, "Alt+l", "pan: right"},
    {pan_up, Scope::any, HelpGroup::panes, "Alt+k Shift+Up", "pan: up"},
    {pan_down, Scope::any, HelpGroup::panes, "Alt+j Shift+Down", "pan: down"},
    {pan_mode, Scope::any, HelpGroup::panes, "P", "Shift+arrows pan, or seek as usual"},
    {recentre, Scope::any, HelpGroup::panes, "=", "let the view follow the cursor again"},

    {set_bookmark, Scope::any, HelpGroup::notes, "m", "set a bookmark (then a letter or digit)"},
    {go_bookmark, Scope::any, HelpGroup::notes, "'", "go to a bookmark (then its letter)"},
    {list_bookmarks, Scope::any, HelpGroup::notes, "M", "list bookmarks and notes"},
    {add_note, Scope::any, HelpGroup::notes, "a", "write a note at this moment"},

    {select_cells, Scope::any, HelpGroup::copying, "v",
     "mark cells; arrows or hjkl extend, Escape ends"},
    {select_lines, Scope::any, HelpGroup::copying, "V", "mark whole lines"},
    {copy, Scope::any, HelpGroup::copying, "y",
     "copy what is marked to a file; else: how to open at this moment"},
    {clip_begin, Scope::any, HelpGroup::copying, "b", "a clip begins here"},
    {clip_end, Scope::any, HelpGroup::copying, "B", "a clip ends here"},
    {export_clip, Scope::any, HelpGroup::copying, "x",
     "export the clip, or everything: .cast .txt .jsonl .html .svg"},

    {reveal, Scope::any, HelpGroup::other, "R",
     "reveal concealed and same-colour text, and characters without a shape"},
    {row_history, Scope::any, HelpGroup::other, "S", "what stood in this row of the screen before"},
    {inspect_cell, Scope::any, HelpGroup::other, "c",
     "what is under the cursor: code points, colours, link"},
    {programs, Scope::any, HelpGroup::other, "r", "the programs that this command started"},
    {findings, Scope::any, HelpGroup::other, "d", "what does not add up: divergences"},
    {clock_mode, Scope::any, HelpGroup::other, "t", "clock: UTC, recorded host, viewer, elapsed"},
    {details, Scope::any, HelpGroup::other, "s", "session details and integrity"},
    {toggle_mouse, Scope::any, HelpGroup::other, "F2", "mouse on or off"},
    {help, Scope::any, HelpGroup::other, "F1", "this help"},
    {back, Scope::any, HelpGroup::other, "q Escape", "leave a window, then the player (q)"},
    {quit, Scope::any, HelpGroup::other, "Q", "leave the player at once"},
});

constexpr auto k_names = std::to_array<std::pair<KeyCode, std::string_view>>({
    {KeyCode::up, "Up"},
    {KeyCode::down, "Down"},
    {KeyCode::left, "Left"},
    {KeyCode::right, "Right"},
    {KeyCode::home, "Home"},
    {KeyCode::end, "End"},
    {KeyCode::page_up, "PgUp"},
    {KeyCode::page_down, "PgDn"},
    {KeyCode::backspace, "Backspace"},
    {KeyCode::delete_forward, "Delete"},
    {KeyCode::enter, "Enter"},
    {KeyCode::escape, "Escape"},
    {KeyCode::tab, "Tab"},
    {KeyCode::back_tab, "Shift+Tab"},
    {KeyCode::f1, "F1"},
    {KeyCode::f2, "F2"},
    {KeyCode::f5, "F5"},
    {KeyCode::click, "Click"},
    {KeyCode::wheel_up, "WheelUp"},
    {KeyCode::wheel_down, "WheelDown"},
});

// Calls `use` for each blank-separated word.
template <typename F>
void each_word(std::string_view words, F use) {
  while (!words.empty()) {
    const auto end = words.find(' ');
    const auto word = words.substr(0, end);
    if (!word.empty()) {
      use(word);
    }
    words = end == std::string_view::npos ? std::string_view{} : words.substr(end + 1);
  }
}

}  // namespace

std::string_view title_of(HelpGroup group) {
  switch (group) {
    case HelpGroup::playing:
      return "Playing";
    case HelpGroup::moving:
      return "Moving";
    case HelpGroup::searching:
      return "Searching";
    case HelpGroup::panes:
      return "Panes";
    case HelpGroup::notes:
      return "Bookmarks and notes";
    case HelpGroup::copying:
      return "Copies";
    case HelpGroup::other:
      return "Other";
  }
  return "";
}

std::span<const KeyRow> key_table() {
  return k_table;
}

std::string name_of(const Key& key) {
  std::string name;
  if (key.code == KeyCode::character) {
    if (key.c == U' ') {
      name = "Space";
    } else {
      append_utf8(name, key.c);
    }
  } else {
    for (const auto& [code, text] : k_names) {
      if (code == key.code) {
        name = text;
      }
    }
  }
  if (key.shift) {
    name.insert(0, "Shift+");
  }
  if (key.alt) {
    name.insert(0, "Alt+");
  }
  if (key.ctrl) {
    name.insert(0, "Ctrl+");
  }
  return name;
}

std::optional<Key> parse_key(std::string_view name) {
  Key key;
  if (name == "Shift+Tab") {
    key.code = KeyCode::back_tab;
    return key;
  }
  const auto strip = [&name](std::string_view prefix) {
    const bool there = name.size() > prefix.size() && name.starts_with(prefix);
    if (there) {
      name.remove_prefix(prefix.size());
    }
    return there;
  };
  key.ctrl = strip("Ctrl+");
  key.alt = strip("Alt+");
  key.shift = strip("Shift+");
  if (name == "Space") {
    key.c = U' ';
    return key;
  }
  for (const auto& [code, text] : k_names) {
    if (text == name) {
      key.code = code;
      return key;
    }
  }
  if (name.empty()) {
    return std::nullopt;
  }
  const auto step = decode_utf8(name);
  if (!step.valid || step.length != name.size()) {
    return std::nullopt;
  }
  key.c = step.code_point;
  return key;
}

bool same_key(const Key& a, const Key& b) {
  // Shift is part of a character already.
  return a.code == b.code && a.alt == b.alt && a.ctrl == b.ctrl &&
         (a.code == KeyCode::character ? a.c == b.c : a.shift == b.shift);
}

std::optional<Action> lookup(const Key& key, Scope focus) {
  const auto find = [&key](Scope scope) -> std::optional<Action> {
    for (const auto& row : k_table) {
      bool hit = false;
      if (row.scope == scope) {
        each_word(row.keys, [&](std::string_view word) {
          const auto wanted = parse_key(word);
          hit = hit || (wanted && same_key(*wanted, key));
        });
      }
      if (hit) {
        return row.action;
      }
    }
    return std::nullopt;
  };
  const auto own = find(focus);
  return own || focus == Scope::any ? own : find(Scope::any);
}

std::string keys_of(Action action) {
  std::string keys;
  for (const auto& row : k_table) {
    if (row.action == action && !row.help.empty()) {
      each_word(row.keys, [&keys](std::string_view word) {
        keys += keys.empty() ? "" : " ";
        keys += word;
      });
    }
  }
  return keys;
}

std::vector<std::string> help_lines() {
  std::vector<std::string> lines;
  std::optional<HelpGroup> group;
  for (const auto& row : k_table) {
    if (row.help.empty()) {
      continue;
    }
    if (!group || *group != row.group) {
      if (group) {
        lines.emplace_back();
      }
      lines.emplace_back(title_of(row.group));
      group = row.group;
    }
    const auto keys = row.action == Action::percent ? std::string_view("0 .. 9") : row.keys;
    lines.push_back(fmt::format("  {:<22}  {}", keys, row.help));
  }
  return lines;
}

}  // namespace sworn::player
