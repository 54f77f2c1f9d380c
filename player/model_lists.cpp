// SPDX-License-Identifier: Apache-2.0
// The lists of commands and log lines, the focus and the mouse.
#include "player/model.hpp"

#include <algorithm>

namespace sworn::player {

void Model::rebuild(List& list, std::size_t count, const void* collection,
                    const std::function<bool(std::size_t)>& accepts) {
  if (list.built_of != collection || list.built_from > count) {
    list.shown.clear();
    list.built_from = 0;
    list.built_of = collection;
  }
  for (; list.built_from < count; ++list.built_from) {
    if (accepts(list.built_from)) {
      list.shown.push_back(list.built_from);
    }
  }
  list.selected = list.shown.empty() ? 0 : std::min(list.selected, list.shown.size() - 1);
}

void Model::update_lists() {
  // Commands only ever grow at the end, so that the collection stays the same one.
  rebuild(command_list_, facts_->commands.size(), this,
          [this](std::size_t i) { return command_list_.filter.accepts(facts_->commands[i]); });
  const std::size_t log_count = logs_ == nullptr ? 0 : logs_->items.size();
  rebuild(log_list_, log_count, logs_.get(),
          [this](std::size_t i) { return log_list_.filter.accepts(logs_->items[i]); });
  // The item at or before `last` in the list; the first one where all are later.
  const auto select = [](List& list, std::optional<std::size_t> last) {
    if (!list.follows || list.shown.empty()) {
      return;
    }
    const auto it =
        last ? std::upper_bound(list.shown.begin(), list.shown.end(), *last) : list.shown.begin();
    list.selected =
        it == list.shown.begin() ? 0 : static_cast<std::size_t>(it - list.shown.begin()) - 1;
  };
  select(command_list_, current_command());
  select(log_list_, current_log());
}

std::optional<std::size_t> Model::current_log() const {
  if (logs_ == nullptr) {
    return std::nullopt;
  }
  const auto now = playback_.now();
  const auto it = std::partition_point(logs_->items.begin(), logs_->items.end(),
                                       [now](const LogItem& item) { return item.t <= now; });
  if (it == logs_->items.begin()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(it - logs_->items.begin()) - 1;
}

int Model::page_of_list() const {
  return std::max(1, (focus_ == Focus::logs ? layout_.logs.rows : layout_.commands.rows) - 2);
}

void Model::move_in_list(int by) {
  auto& list = focused_list();
  if (list.shown.empty()) {
    return;
  }
  const auto target = static_cast<std::int64_t>(list.selected) + by;
  list.selected = static_cast<std::size_t>(
      std::clamp<std::int64_t>(target, 0, static_cast<std::int64_t>(list.shown.size()) - 1));
  list.follows = false;
}

void Model::activate() {
  const auto& list = focused_list();
  if (focus_ == Focus::screen || focus_ == Focus::timeline) {
    // The lists go back to where the playhead is.
    arrive();
    return;
  }
  if (list.shown.empty()) {
    return;
  }
  const auto item = list.shown[list.selected];
  jumps_.leave(here());
  if (focus_ == Focus::commands) {
    go_to_position(facts_->commands[item].begin_event + 1);
  } else {
    go_to_time(logs_->items[item].t);
  }
}

void Model::pan(int rows, int cols) {
  constexpr int k_step_cols = 8;
  constexpr int k_step_rows = 2;
  const auto recorded = replay_->terminal().size();
  auto at = pan_ ? *pan_ : crop(layout_.screen);
  at.row =
      std::clamp(at.row + rows * k_step_rows, 0, std::max(0, recorded.rows - layout_.screen.rows));
  at.col =
      std::clamp(at.col + cols * k_step_cols, 0, std::max(0, recorded.cols - layout_.screen.cols));
  pan_ = at;
}

void Model::cycle_focus(int direction) {
  std::vector<Focus> panes{Focus::screen};
  if (!layout_.commands.empty()) {
    panes.push_back(Focus::commands);
  }
  if (!layout_.logs.empty()) {
    panes.push_back(Focus::logs);
  }
  if (!layout_.timeline.empty()) {
    panes.push_back(Focus::timeline);
  }
  const auto it = std::find(panes.begin(), panes.end(), focus_);
  const auto at = it == panes.end() ? 0 : it - panes.begin();
  const auto count = static_cast<std::ptrdiff_t>(panes.size());
  focus_ = panes[static_cast<std::size_t>((at + direction + count) % count)];
}

void Model::toggle(Shown& shown, const Rect& now) {
  const bool was_shown = !now.empty();
  shown = was_shown ? Shown::off : Shown::on;
  if (was_shown) {
    focus_ = Focus::screen;
    return;
  }
  // Where there is room for one list only, the one asked for last is shown.
  LayoutInput input{
      size_,  replay_->terminal().size(), show_commands_, show_logs_, notes_.all().size(),
      split_, show_keystrokes_,           show_timeline_, false,      false};
  const auto layout = make_layout(input);
  if (&shown == &show_commands_ && layout.commands.empty()) {
    show_logs_ = Shown::off;
  }
  if (&shown == &show_logs_ && layout.logs.empty()) {
    show_commands_ = Shown::off;
  }
}

void Model::click(const Key& key) {
  const auto inside = [&key](const Rect& area) {
    return key.row >= area.row && key.row < area.row + area.rows && key.col >= area.col &&
           key.col < area.col + area.cols;
  };
  const bool wheel = key.code != KeyCode::click;
  const int direction = key.code == KeyCode::wheel_down ? 1 : -1;
  const auto list = [&](Focus focus, const Rect& area, List& items) {
    focus_ = focus;
    if (wheel) {
      move_in_list(direction * 3);
    } else if (key.row > area.row) {
      const auto index = top_of(items, area) + static_cast<std::size_t>(key.row - area.row - 1);
      if (index < items.shown.size()) {
        items.selected = index;
        items.follows = false;
        activate();
      }
    }
  };
  if (inside(layout_.timeline)) {
    if (!wheel) {
      jumps_.leave(here());
      go_to_time(timeline_.time_of(key.col - layout_.timeline.col));
    } else if (direction < 0) {
      timeline_.zoom_in();
    } else {
      timeline_.zoom_out();
    }
  } else if (inside(layout_.commands)) {
    list(Focus::commands, layout_.commands, command_list_);
  } else if (inside(layout_.logs)) {
    list(Focus::logs, layout_.logs, log_list_);
  } else if (inside(layout_.screen)) {
    focus_ = Focus::screen;
    if (wheel) {
      seek_by(direction * 1'000'000LL);
    } else {
      const auto at = crop(layout_.screen);
      inspect_at_ = {key.row - layout_.screen.row + at.row, key.col - layout_.screen.col + at.col};
    }
  }
}

std::size_t Model::top_of(const List& list, const Rect& area) {
  const auto rows = static_cast<std::size_t>(std::max(1, area.rows - 1));
  if (list.shown.size() <= rows || list.selected < rows / 2) {
    return 0;
  }
  return std::min(list.selected - rows / 2, list.shown.size() - rows);
}

}  // namespace sworn::player
