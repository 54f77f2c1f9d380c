// SPDX-License-Identifier: Apache-2.0
// Time and places: what the keys that move do, and what a tick takes in.
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

namespace sworn::player {
namespace {

constexpr std::int64_t k_second = 1'000'000;
constexpr std::int64_t k_tick_us = 33'000;
constexpr std::int64_t k_message_us = 5 * k_second;
// How long a search for the next change of the picture may keep the player busy.
constexpr std::int64_t k_patience_us = 2 * k_second;

format::ClockMap clock_without_events(const SessionInfo& info) {
  format::ClockMap clock;
  if (info.started.us != 0) {
    clock.add(info.started_mono, info.started);
  }
  return clock;
}

}  // namespace

Model::Model(ModelParts parts)
    : clock_(*parts.clock),
      replay_(std::move(parts.replay)),
      index_(std::move(parts.index)),
      info_(std::move(parts.info)),
      notes_(std::move(parts.notes)),
      author_(std::move(parts.author)),
      integrity_source_(std::move(parts.integrity)),
      log_source_(std::move(parts.logs)),
      run_search_(std::move(parts.run_search)),
      ascii_(parts.ascii),
      facts_(index_->facts()),
      fallback_clock_(clock_without_events(info_)),
      playback_(clock_, replay_->source().first_time(), replay_->source().last_time()) {
  take_background();
  go_to_time(playback_.first());
}

void Model::say(std::string text, BadgeLevel level) {
  message_ = std::move(text);
  message_level_ = level;
  message_until_ = {clock_.mono().us + k_message_us};
}

void Model::fail_with(const Error& error) {
  say(describe(error), BadgeLevel::bad);
}

const format::ClockMap& Model::clock_map() const {
  return facts_->clock.empty() ? fallback_clock_ : facts_->clock;
}

WallTime Model::wall_of(MonoTime t) const {
  const auto& map = clock_map();
  return map.empty() ? WallTime{t.us} : map.to_wall(t);
}

std::string Model::clock_text(MonoTime t, int digits) const {
  if (clock_mode_ == ClockMode::elapsed || clock_map().empty()) {
    return "+" + format_duration(t.us - playback_.first().us, digits);
  }
  const auto wall = wall_of(t);
  if (clock_mode_ == ClockMode::utc) {
    return format_rfc3339(wall, digits).substr(11);
  }
  const auto seconds = static_cast<std::time_t>(wall.us / k_second);
  std::tm tm{};
  std::array<char, 16> zone{};
  if (::localtime_r(&seconds, &tm) == nullptr ||
      std::strftime(zone.data(), zone.size(), "%Z", &tm) == 0) {
    return format_rfc3339(wall, digits).substr(11);
  }
  const auto fraction = format_rfc3339(wall, digits).substr(19);
  return fmt::format("{:02}:{:02}:{:02}{} {}", tm.tm_hour, tm.tm_min, tm.tm_sec,
                     fraction.substr(0, fraction.size() - 1), zone.data());
}

std::string Model::date_text(MonoTime t) const {
  if (clock_mode_ == ClockMode::elapsed || clock_map().empty()) {
    return {};
  }
  const auto wall = wall_of(t);
  if (clock_mode_ == ClockMode::utc) {
    return format_rfc3339(wall, 0).substr(0, 10);
  }
  const auto seconds = static_cast<std::time_t>(wall.us / k_second);
  std::tm tm{};
  if (::localtime_r(&seconds, &tm) == nullptr) {
    return {};
  }
  return fmt::format("{:04}-{:02}-{:02}", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
}

PlaceContext Model::context() const {
  return {replay_->source().first_time(),   playback_.last(), playback_.now(),
          replay_->source().end_position(), &clock_map(),     &facts_->commands};
}

Playhead Model::here() const {
  return {playback_.now(), replay_->position()};
}

std::int64_t Model::next_wake_us() const {
  if (playback_.state() != PlayState::paused && !pending_) {
    return playback_.state() == PlayState::following ? 2 * k_tick_us : k_tick_us;
  }
  if (replay_->source().live()) {
    return 200'000;
  }
  return message_.empty() ? -1 : std::max<std::int64_t>(0, message_until_.us - clock_.mono().us);
}

void Model::take_background() {
  progress_ = index_->progress();
  auto facts = index_->facts();
  const bool new_facts = facts != facts_;
  facts_ = std::move(facts);
  if (integrity_source_) {
    integrity_ = integrity_source_();
  }
  if (log_source_) {
    logs_ = log_source_();
  }
  // The index thread watches a live recording; the cursor here follows only when there is something
  // new.
  if (progress_.total > replay_->source().end_position() ||
      (replay_->source().live() && progress_.complete && !progress_.live)) {
    if (auto refreshed = replay_->refresh(); !refreshed) {
      fail_with(refreshed.error());
    }
  }
  playback_.set_bounds(replay_->source().first_time(), replay_->source().last_time(),
                       replay_->source().live());
  if (new_facts && playback_.idle_limit()) {
    playback_.set_idle(playback_.idle_limit(), facts_->idle);
  }
}

void Model::tick() {
  take_background();
  if (!message_.empty() && clock_.mono() >= message_until_) {
    message_.clear();
  }
  if (pending_) {
    try_pending();
  } else if (playback_.state() != PlayState::paused) {
    const auto before = playback_.now();
    const auto t = playback_.tick();
    if (auto sought = replay_->seek_time(t); !sought) {
      playback_.pause();
      fail_with(sought.error());
    }
    if (t != before) {
      arrive();
    }
  }
  if (search_ != nullptr && !search_taken_ && search_->finished()) {
    take_search_result();
  }
  update_lists();
}

void Model::try_pending() {
  const auto pending = *pending_;
  if (pending.wait_for_facts) {
    if (auto place = resolve(pending.spec, context())) {
      pending_.reset();
      go_to(*place);
    } else if (progress_.complete) {
      pending_.reset();
      fail_with(place.error());
    }
    return;
  }
  if (!replay_->far_from_keyframes(pending.place.t)) {
    pending_.reset();
    go_to(pending.place);
  }
}

Result<void> Model::open_at(const PlaceSpec& spec) {
  auto place = resolve(spec, context());
  if (place) {
    go_to(*place);
    return {};
  }
  if (!progress_.complete && place.error().code == Errc::not_found) {
    pending_ = PendingSeek{{}, true, spec};
    return {};
  }
  fail_with(place.error());
  return tl::make_unexpected(place.error());
}

void Model::open_search(std::shared_ptr<const Matcher> matcher) {
  start_search(std::move(matcher), false);
}

void Model::arrive() {
  command_list_.follows = true;
  log_list_.follows = true;
  inspect_at_.reset();
}

void Model::go_to(const Place& place) {
  if (place.by_position) {
    go_to_position(place.position);
  } else {
    go_to_time(place.t);
  }
}

void Model::go_to_time(MonoTime t) {
  t = std::clamp(t, playback_.first(), playback_.last());
  if (replay_->far_from_keyframes(t) && t > playback_.now()) {
    Place place;
    place.t = t;
    pending_ = PendingSeek{place, false, {}};
    return;
  }
  pending_.reset();
  if (auto sought = replay_->seek_time(t); !sought) {
    fail_with(sought.error());
    return;
  }
  playback_.go_to(t);
  arrive();
}

void Model::go_to_position(std::uint64_t position) {
  pending_.reset();
  if (auto sought = replay_->seek_position(position); !sought) {
    fail_with(sought.error());
    return;
  }
  playback_.go_to(replay_->time());
  arrive();
}

void Model::seek_by(std::int64_t us) {
  jumps_.leave(here());
  go_to_time({playback_.now().us + us});
}

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
  struct Trouble {
    Playhead place;
    std::string text;
  };
  std::vector<Trouble> found;
  for (const auto& command : facts_->commands) {
    if (command.failed()) {
      found.push_back({{command.end, command.end_event + 1},
                       fmt::format("exit {}: {}", *command.exit_status, command.text)});
    }
  }
  for (const auto& mark : facts_->marks) {
    if (mark.kind == MarkKind::gap || mark.kind == MarkKind::alert) {
      found.push_back({{mark.t, mark.event + 1}, mark.text});
    }
  }
  if (logs_ != nullptr) {
    for (const auto& item : logs_->items) {
      if (item.severity != LogSeverity::normal) {
        found.push_back({{item.t, 0}, item.text});
      }
    }
  }
  const auto now = playback_.now();
  const Trouble* best = nullptr;
  for (const auto& trouble : found) {
    const bool candidate =
        direction > 0 ? trouble.place.t > now ||
                            (trouble.place.t == now && trouble.place.position > replay_->position())
                      : trouble.place.t < now;
    const bool nearer = best == nullptr || (direction > 0 ? trouble.place.t < best->place.t
                                                          : trouble.place.t > best->place.t);
    if (candidate && nearer) {
      best = &trouble;
    }
  }
  if (best == nullptr) {
    say(direction > 0 ? "no later trouble" : "no earlier trouble");
    return;
  }
  jumps_.leave(here());
  if (best->place.position != 0) {
    go_to_position(best->place.position);
  } else {
    go_to_time(best->place.t);
  }
  say(best->text, BadgeLevel::warning);
}

void Model::go_back(std::optional<Playhead> place) {
  if (!place) {
    say("no jump to go to");
    return;
  }
  go_to_position(place->position);
  playback_.go_to(place->t);
}

void Model::set_idle_limit(std::int64_t us) {
  idle_limit_us_ = std::max<std::int64_t>(1'000, us);
  playback_.set_idle(idle_limit_us_, facts_->idle);
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
      go_to_match(search_backward_ ? -1 : 1, true);
      break;
    case Action::previous_match:
      go_to_match(search_backward_ ? 1 : -1, true);
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
    case Action::filter:
      open_prompt(PromptKind::filter, focused_list().filter);
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
    case Action::next_focus:
      cycle_focus(1);
      break;
    case Action::previous_focus:
      cycle_focus(-1);
      break;
    case Action::zoom:
      zoom_ = !zoom_;
      focus_ = Focus::screen;
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
      say(reveal_ ? "concealed and same-colour text is revealed"
                  : "text as the program coloured it");
      break;
    case Action::clock_mode:
      clock_mode_ = clock_mode_ == ClockMode::elapsed
                        ? ClockMode::utc
                        : static_cast<ClockMode>(static_cast<int>(clock_mode_) + 1);
      break;
    case Action::details:
      open_popup(Popup::details);
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

void Model::open_popup(Popup popup) {
  popup_ = popup_ == popup ? Popup::none : popup;
  popup_top_ = 0;
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
    matcher_.reset();
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
  if (key.code == KeyCode::enter || action == Action::back) {
    popup_ = Popup::none;
    return true;
  }
  const auto page = static_cast<std::size_t>(std::max(1, size_.rows / 2));
  if (action == Action::list_down || key.code == KeyCode::wheel_down) {
    ++popup_top_;
  } else if (action == Action::list_up || key.code == KeyCode::wheel_up) {
    popup_top_ -= popup_top_ > 0 ? 1U : 0U;
  } else if (action == Action::list_page_down || action == Action::play_pause) {
    popup_top_ += page;
  } else if (action == Action::list_page_up) {
    popup_top_ -= std::min(popup_top_, page);
  } else {
    popup_ = Popup::none;
    return false;  // any other key does what it does
  }
  return true;
}

void Model::handle(const Key& key) {
  if (prompt_ != PromptKind::none) {
    handle_prompt(key);
  } else if (!handle_popup(key)) {
    if (key.code == KeyCode::click || key.code == KeyCode::wheel_up ||
        key.code == KeyCode::wheel_down) {
      click(key);
    } else if (const auto action =
                   lookup(key, focus_ == Focus::screen ? Scope::screen : Scope::list)) {
      run(*action, key);
    }
  }
  update_lists();
}

}  // namespace sworn::player
