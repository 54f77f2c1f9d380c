// SPDX-License-Identifier: Apache-2.0
// From one thing of note to the next: events, changes, commands, log lines, trouble.
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {
namespace {

// How long a search through the picture's past or future may keep the player busy.
constexpr std::int64_t k_patience_us = 2'000'000;

}  // namespace

void Model::step_event(int direction) {
  playback_.pause();
  if (direction > 0) {
    while (true) {
      const auto kind = replay_->step();
      if (!kind) {
        fail_with(kind.error());
        return;
      }
      if (!*kind) {
        say("end of the recording");
        break;
      }
      if (is_visible(**kind)) {
        break;
      }
    }
    playback_.go_to(replay_->time());
    arrive();
    return;
  }
  const auto shown = replay_->last_visible_before(replay_->position());
  if (!shown || !*shown) {
    go_to_position(0);
    say("start of the recording");
    return;
  }
  const auto before = replay_->last_visible_before(**shown);
  go_to_position(before && *before ? **before + 1 : 0);
}

void Model::step_change(int direction) {
  playback_.pause();
  const auto from = here();
  const auto started = clock_.mono();
  const auto give_up = [&] { return clock_.mono().us - started.us > k_patience_us; };
  const auto change =
      direction > 0 ? replay_->next_change(give_up) : replay_->previous_change(give_up);
  if (!change) {
    fail_with(change.error());
    return;
  }
  if (!*change) {
    go_to_position(from.position);
    playback_.go_to(from.t);
    say(direction > 0 ? "no later change of the screen" : "no earlier change of the screen");
    return;
  }
  go_to_position(**change);
}

std::optional<std::size_t> Model::current_command() const {
  const auto& commands = facts_->commands;
  const auto it = std::partition_point(
      commands.begin(), commands.end(),
      [this](const CommandItem& item) { return item.begin_event < replay_->position(); });
  if (it == commands.begin()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(it - commands.begin()) - 1;
}

void Model::jump_command(int direction) {
  const auto& commands = facts_->commands;
  const auto current = current_command();
  std::size_t target = 0;
  if (direction > 0) {
    target = current ? *current + 1 : 0;
  } else {
    if (!current) {
      say("no earlier command");
      return;
    }
    const bool at_its_begin = commands[*current].begin_event + 1 == replay_->position();
    if (at_its_begin && *current == 0) {
      say("no earlier command");
      return;
    }
    target = at_its_begin ? *current - 1 : *current;
  }
  if (target >= commands.size()) {
    say(commands.empty() ? "the recording has no commands" : "no later command");
    return;
  }
  jumps_.leave(here());
  go_to_position(commands[target].begin_event + 1);
}

void Model::jump_log(int direction) {
  if (logs_ == nullptr || logs_->items.empty()) {
    say("no log lines: sworn play FILE --log LOGFILE");
    return;
  }
  const auto& items = logs_->items;
  const auto now = playback_.now();
  const auto after = std::partition_point(items.begin(), items.end(),
                                          [now](const LogItem& item) { return item.t <= now; });
  const auto from = std::partition_point(items.begin(), items.end(),
                                         [now](const LogItem& item) { return item.t < now; });
  if (direction > 0 ? after == items.end() : from == items.begin()) {
    say(direction > 0 ? "no later log line" : "no earlier log line");
    return;
  }
  jumps_.leave(here());
  go_to_time(direction > 0 ? after->t : std::prev(from)->t);
}

void Model::jump_trouble(int direction) {
  const auto now = playback_.now();
  const auto position = replay_->position();
  std::optional<Playhead> best;
  std::string best_text;
  const auto consider = [&](const Playhead& place, const auto& text) {
    const bool behind = place.t > now || (place.t == now && place.position > position);
    const bool candidate = direction > 0 ? behind : place.t < now;
    const bool nearer = !best || (direction > 0 ? place.t < best->t : place.t > best->t);
    if (candidate && nearer) {
      best = place;
      best_text = text();
    }
  };
  for (const auto& command : facts_->commands) {
    if (command.failed()) {
      consider({command.end, command.end_event + 1},
               [&] { return fmt::format("exit {}: {}", *command.exit_status, command.text); });
    }
  }
  for (const auto& mark : facts_->marks) {
    if (mark.kind == MarkKind::gap || mark.kind == MarkKind::alert) {
      consider({mark.t, mark.event + 1}, [&] { return mark.text; });
    }
  }
  if (audit_ != nullptr) {
    for (const auto& finding : audit_->findings) {
      if (finding.serious) {
        consider({finding.t, finding.position}, [&] { return finding.text; });
      }
    }
  }
  if (logs_ != nullptr) {
    const auto& items = logs_->items;
    auto it = std::partition_point(items.begin(), items.end(), [&](const LogItem& item) {
      return direction > 0 ? item.t <= now : item.t < now;
    });
    const auto calm = [](const LogItem& item) { return item.severity == LogSeverity::normal; };
    if (direction > 0) {
      it = std::find_if_not(it, items.end(), calm);
    } else {
      while (it != items.begin() && calm(*std::prev(it))) {
        --it;
      }
      it = it == items.begin() ? items.end() : std::prev(it);
    }
    if (it != items.end() && it->t >= playback_.first() && it->t <= playback_.last()) {
      consider({it->t, 0}, [&] { return std::string(it->source) + ": " + std::string(it->text); });
    }
  }
  if (!best) {
    say(direction > 0 ? "no later trouble" : "no earlier trouble");
    return;
  }
  jumps_.leave(here());
  if (best->position != 0) {
    go_to_position(best->position);
  } else {
    go_to_time(best->t);
  }
  say(best_text, BadgeLevel::warning);
}

// The selected one of the list, or the one that the playhead is in.
const CommandItem* Model::command_of_interest() const {
  const auto& commands = facts_->commands;
  if (focus_ == Focus::commands && command_list_.selected < command_list_.shown.size()) {
    return &commands[command_list_.shown[command_list_.selected]];
  }
  const auto current = current_command();
  return current ? &commands[*current] : nullptr;
}

void Model::show_audit(Popup popup) {
  if (request_audit_ && replay_->source().live()) {
    request_audit_();  // it has grown since
  }
  open_popup(popup);
}

void Model::show_row_history() {
  constexpr std::size_t k_most = 200;
  playback_.pause();
  const auto at = here();
  const int row = cell_of_interest().row;
  const auto started = clock_.mono();
  const auto moments = replay_->row_history(
      row, k_most, [&] { return clock_.mono().us - started.us > k_patience_us; });
  const auto inspected = inspect_at_;
  go_to_position(at.position);
  playback_.go_to(at.t);
  inspect_at_ = inspected;
  if (!moments) {
    fail_with(moments.error());
    return;
  }
  history_.clear();
  history_.push_back({fmt::format("row {} of the screen, latest first", row + 1), true, {}});
  for (auto it = moments->rbegin(); it != moments->rend(); ++it) {
    history_.push_back(
        {fmt::format("{}  {}", clock_text(it->t, 3), it->text.empty() ? "(blank)" : it->text),
         false, it->position});
  }
  open_popup(Popup::row_history);
}

}  // namespace sworn::player
