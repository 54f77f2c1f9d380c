// SPDX-License-Identifier: Apache-2.0
// Prompts, notes and copies.
#include "base/printable.hpp"
#include "player/model.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace sworn::player {

void Model::open_prompt(PromptKind kind, std::string_view text) {
  prompt_ = kind;
  editor_.start(text);
  message_.clear();
  search_before_ = search_;
}

std::string Model::prompt_label() const {
  switch (prompt_) {
    case PromptKind::none:
      return {};
    case PromptKind::go_to:
      return ":";
    case PromptKind::search_forward:
      return "/";
    case PromptKind::search_backward:
      return "?";
    case PromptKind::filter:
      return focus_ == Focus::logs ? "show log lines with: " : "show items with: ";
    case PromptKind::idle_limit:
      return "silences last at most (seconds): ";
    case PromptKind::note:
      return "note: ";
    case PromptKind::copy_file:
      return "copy to the new file: ";
    case PromptKind::export_file:
      return clip_begin_ || clip_end_ ? "export the clip to: " : "export everything to: ";
    case PromptKind::bookmark_key:
      return "bookmark (letter or digit): ";
    case PromptKind::go_bookmark_key:
      return "go to bookmark: ";
  }
  return {};
}

void Model::handle_bookmark_key(const Key& key) {
  const auto kind = prompt_;
  prompt_ = PromptKind::none;
  const bool usable =
      key.code == KeyCode::character && !key.ctrl && !key.alt && key.c > U' ' && key.c < 0x7F;
  if (!usable) {
    return;
  }
  const std::string name(1, static_cast<char>(key.c));
  if (kind == PromptKind::bookmark_key) {
    set_bookmark(name, {});
  } else if (const auto* const note = notes_.bookmark(name)) {
    jumps_.leave(here());
    go_to_position(note->position);
  } else {
    say(fmt::format("there is no bookmark {}", name));
  }
}

void Model::handle_prompt(const Key& key) {
  if (key.code == KeyCode::escape || (key.ctrl && (key.c == U'C' || key.c == U'G'))) {
    if (searching_prompt()) {
      leave_search();
    }
    prompt_ = PromptKind::none;
    return;
  }
  if (prompt_ == PromptKind::bookmark_key || prompt_ == PromptKind::go_bookmark_key) {
    handle_bookmark_key(key);
    return;
  }
  if (key.code == KeyCode::enter) {
    submit_prompt();
  } else if (key.code == KeyCode::tab && searching_prompt()) {
    scope_ = next_scope(scope_);
    search_typed();
  } else if (key.code == KeyCode::backspace && editor_.text().empty()) {
    prompt_ = PromptKind::none;
  } else if (editor_.handle(key) && searching_prompt()) {
    search_typed();
  }
}

void Model::submit_place(const std::string& text) {
  if (text.empty()) {
    return;
  }
  if (text == "q" || text == "quit") {
    quit_ = true;
    return;
  }
  if (text == "help") {
    open_popup(Popup::help);
    return;
  }
  if (text.starts_with("set ")) {
    submit_setting(std::string_view(text).substr(4));
    return;
  }
  if (text.starts_with("w ")) {
    export_clip(text.substr(2));
    return;
  }
  auto spec = parse_place(text);
  auto place = spec ? resolve(*spec, context()) : Result<Place>(tl::make_unexpected(spec.error()));
  if (!place) {
    fail_with(place.error());
    return;
  }
  jumps_.leave(here());
  go_to(*place);
  say(place->meaning);
}

void Model::submit_setting(std::string_view setting) {
  const auto space = setting.find(' ');
  const auto name = setting.substr(0, space);
  const auto value =
      space == std::string_view::npos ? std::string_view{} : setting.substr(space + 1);
  if (name == "speed") {
    char* end = nullptr;
    const std::string copy(value);
    const double speed = std::strtod(copy.c_str(), &end);
    if (!copy.empty() && *end == '\0' && speed >= 0.25 && speed <= 64) {
      playback_.set_speed(speed);
      return;
    }
    say("set speed takes a number from 0.25 to 64", BadgeLevel::warning);
  } else if (name == "idle" && value == "off") {
    playback_.set_idle(std::nullopt, {});
  } else if (name == "idle") {
    if (const auto limit = parse_duration(value); limit && *limit > 0) {
      set_idle_limit(*limit);
      return;
    }
    say("set idle takes a number of seconds, or off", BadgeLevel::warning);
  } else if (name == "clock") {
    if (!set_clock(value)) {
      say("set clock takes utc, host (where the recording tells its zone), viewer or elapsed",
          BadgeLevel::warning);
    }
  } else if (name == "mouse" && (value == "on" || value == "off")) {
    mouse_ = value == "on";
  } else {
    say("there is: set speed N, set idle N|off, set clock utc|host|viewer|elapsed, set mouse "
        "on|off",
        BadgeLevel::warning);
  }
}

void Model::submit_prompt() {
  const auto kind = prompt_;
  const auto text = editor_.text();
  prompt_ = PromptKind::none;
  editor_.remember();
  switch (kind) {
    case PromptKind::go_to:
      submit_place(text);
      return;
    case PromptKind::search_forward:
    case PromptKind::search_backward:
      submit_search(text, kind == PromptKind::search_backward);
      return;
    case PromptKind::filter:
      apply_filter(text);
      return;
    case PromptKind::idle_limit:
      if (const auto limit = parse_duration(text); limit && *limit > 0) {
        set_idle_limit(*limit);
        say(fmt::format("silences shortened to {} s", static_cast<double>(*limit) / 1e6));
      } else {
        say("a number of seconds, as in 2 or 0.5", BadgeLevel::warning);
      }
      return;
    case PromptKind::note:
      if (!text.empty()) {
        set_bookmark({}, text);
      }
      return;
    case PromptKind::copy_file:
      write_copy(text);
      return;
    case PromptKind::export_file:
      export_clip(text);
      return;
    case PromptKind::none:
    case PromptKind::bookmark_key:
    case PromptKind::go_bookmark_key:
      return;
  }
}

void Model::set_bookmark(const std::string& key, std::string text) {
  Note note;
  note.id = key;
  note.t = playback_.now();
  note.position = replay_->position();
  note.author = author_;
  note.created = clock_.wall();
  note.text = std::move(text);
  const auto what = key.empty() ? std::string("note") : "bookmark " + key;
  if (auto added = notes_.add(std::move(note)); !added) {
    say(fmt::format("{} is kept for this run only: {}", what, describe(added.error())),
        BadgeLevel::warning);
  } else {
    say(fmt::format("{} set{}", what,
                    notes_.written_to().empty() ? "" : ", in " + notes_.written_to()));
  }
}

// The focused one; without a focused list the one that is shown, commands rather than log lines.
Model::List& Model::list_to_filter() {
  const bool logs = focus_ == Focus::logs || (focus_ != Focus::commands &&
                                              layout_.commands.empty() && !layout_.logs.empty());
  return logs ? log_list_ : command_list_;
}

void Model::apply_filter(const std::string& text) {
  auto filter = ListFilter::parse(text);
  if (!filter) {
    fail_with(filter.error());
    return;
  }
  // What only one kind of items has says which list is meant, whatever has the focus.
  auto& list = filter->about_logs() && !filter->about_commands()   ? log_list_
               : filter->about_commands() && !filter->about_logs() ? command_list_
                                                                   : list_to_filter();
  list.filter = *std::move(filter);
  list.built_of = nullptr;
  list.follows = true;
}

// The end of the mark, the cell that was clicked on, or the one under the recorded cursor.
Frame::Position Model::cell_of_interest() const {
  if (selection_) {
    return selection_->head;
  }
  const auto cursor = replay_->terminal().cursor();
  return inspect_at_.value_or(Frame::Position{cursor.row, cursor.col});
}

void Model::start_selection(bool lines) {
  playback_.pause();
  if (selection_ && selection_->lines != lines) {
    selection_->lines = lines;
    return;
  }
  if (selection_) {
    selection_.reset();
    return;
  }
  focus_ = Focus::screen;
  const auto at = cell_of_interest();
  selection_ = Selection{at, at, lines};
  selection_->move(0, 0, replay_->terminal().size());
  say("arrows extend the mark, y copies it, Escape ends it");
}

std::string Model::default_file(std::string_view ending) const {
  auto stem = info_.file_name;
  for (const std::string_view known : {".part", ".sworn"}) {
    if (stem.ends_with(known)) {
      stem.resize(stem.size() - known.size());
    }
  }
  return fmt::format("{}-{}{}", stem, replay_->position(), ending);
}

std::string Model::open_here_command() const {
  const auto position = replay_->position();
  return fmt::format("sworn play {} {}", info_.file_name,
                     position == 0 ? "--at start" : fmt::format("--event {}", position - 1));
}

void Model::copy() {
  if (!selection_) {
    playback_.pause();
    say("this moment: " + open_here_command());
    return;
  }
  to_copy_ = text_of(replay_->terminal(), *selection_);
  open_prompt(PromptKind::copy_file, default_file(".txt"));
}

void Model::write_copy(const std::string& path) {
  if (!write_file_ || path.empty()) {
    say("nothing was copied", BadgeLevel::warning);
    return;
  }
  std::string text;
  std::string_view left = to_copy_;
  while (!left.empty()) {
    const auto end = left.find('\n');
    text += printable(left.substr(0, end)) + "\n";
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  }
  if (const auto written = write_file_(path, text); !written) {
    fail_with(written.error());
    return;
  }
  selection_.reset();
  say("copied to " + path);
}

void Model::export_clip(const std::string& path) {
  if (!export_clip_ || path.empty()) {
    say("nothing was exported", BadgeLevel::warning);
    return;
  }
  ClipRequest request;
  request.path = path;
  if (clip_begin_) {
    request.from = clip_begin_->position;
  }
  if (clip_end_) {
    request.to = clip_end_->position;
  }
  if (request.from && request.to && *request.to < *request.from) {
    say("the clip ends before it begins: b and B mark its ends", BadgeLevel::warning);
    return;
  }
  const auto exported = export_clip_(request);
  if (!exported) {
    fail_with(exported.error());
    return;
  }
  say(*exported);
}

}  // namespace sworn::player
