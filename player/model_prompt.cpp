// SPDX-License-Identifier: Apache-2.0
// Prompts, searching and notes.
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {

void Model::open_prompt(PromptKind kind, std::string_view text) {
  prompt_ = kind;
  editor_.start(text);
  message_.clear();
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
      return focus_ == Focus::logs ? "filter log lines: " : "filter commands: ";
    case PromptKind::idle_limit:
      return "silences last at most (seconds): ";
    case PromptKind::note:
      return "note: ";
    case PromptKind::bookmark_key:
      return "bookmark (letter or digit): ";
    case PromptKind::go_bookmark_key:
      return "go to bookmark: ";
  }
  return {};
}

void Model::handle_prompt(const Key& key) {
  if (key.code == KeyCode::escape || (key.ctrl && (key.c == U'C' || key.c == U'G'))) {
    prompt_ = PromptKind::none;
    return;
  }
  if (prompt_ == PromptKind::bookmark_key || prompt_ == PromptKind::go_bookmark_key) {
    const bool usable =
        key.code == KeyCode::character && !key.ctrl && !key.alt && key.c > U' ' && key.c < 0x7F;
    if (!usable) {
      prompt_ = PromptKind::none;
      return;
    }
    const std::string name(1, static_cast<char>(key.c));
    if (prompt_ == PromptKind::bookmark_key) {
      set_bookmark(name, {});
    } else if (const auto* const note = notes_.bookmark(name)) {
      jumps_.leave(here());
      go_to_position(note->position);
    } else {
      say(fmt::format("there is no bookmark {}", name));
    }
    prompt_ = PromptKind::none;
    return;
  }
  const bool searching =
      prompt_ == PromptKind::search_forward || prompt_ == PromptKind::search_backward;
  if (key.code == KeyCode::enter) {
    submit_prompt();
  } else if (key.code == KeyCode::tab && searching) {
    scope_ = next_scope(scope_);
  } else if (key.code == KeyCode::backspace && editor_.text().empty()) {
    prompt_ = PromptKind::none;
  } else {
    editor_.handle(key);
  }
}

void Model::submit_prompt() {
  const auto kind = prompt_;
  const auto text = editor_.text();
  prompt_ = PromptKind::none;
  editor_.remember();
  switch (kind) {
    case PromptKind::go_to: {
      if (text == "q" || text == "quit") {
        quit_ = true;
        return;
      }
      if (text == "help") {
        open_popup(Popup::help);
        return;
      }
      if (text.empty()) {
        return;
      }
      auto spec = parse_place(text);
      auto place =
          spec ? resolve(*spec, context()) : Result<Place>(tl::make_unexpected(spec.error()));
      if (!place) {
        fail_with(place.error());
        return;
      }
      jumps_.leave(here());
      go_to(*place);
      say(place->meaning);
      return;
    }
    case PromptKind::search_forward:
    case PromptKind::search_backward: {
      const bool backward = kind == PromptKind::search_backward;
      if (text.empty()) {
        search_backward_ = backward;
        go_to_match(backward ? -1 : 1, true);
        return;
      }
      auto matcher = Matcher::compile_typed(text);
      if (!matcher) {
        fail_with(matcher.error());
        return;
      }
      start_search(*std::move(matcher), backward);
      return;
    }
    case PromptKind::filter:
      apply_filter(text);
      return;
    case PromptKind::idle_limit:
      if (const auto limit = parse_duration(text); limit && *limit > 0) {
        idle_limit_us_ = *limit;
        playback_.set_idle(idle_limit_us_, facts_->idle);
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

void Model::apply_filter(const std::string& text) {
  auto& list = focused_list();
  list.filter = text;
  list.matcher.reset();
  list.built_of = nullptr;
  if (!text.empty()) {
    auto matcher = Matcher::compile_typed(text);
    if (!matcher) {
      list.filter.clear();
      fail_with(matcher.error());
      return;
    }
    list.matcher = *std::move(matcher);
  }
  list.follows = true;
}

void Model::start_search(std::shared_ptr<const Matcher> matcher, bool backward) {
  if (search_ != nullptr) {
    search_->cancel();
  }
  matcher_ = matcher;
  search_backward_ = backward;
  search_taken_ = false;
  result_known_ = false;
  results_ = {};
  search_ = std::make_shared<SearchRun>(
      SearchQuery{std::move(matcher), scope_, index_->text(), facts_, logs_, notes_.all()});
  run_search_(search_);
  if (search_->finished()) {
    take_search_result();
  } else {
    say("searching ...");
  }
}

void Model::take_search_result() {
  search_taken_ = true;
  results_ = search_->take();
  if (!results_.error.empty()) {
    say(results_.error, BadgeLevel::bad);
    return;
  }
  go_to_match(search_backward_ ? -1 : 1, false);
}

// `strictly`: a match that is in view already does not count.
void Model::go_to_match(int direction, bool strictly) {
  const auto& hits = results_.hits;
  if (matcher_ == nullptr) {
    say("nothing was searched yet: / searches");
    return;
  }
  if (hits.empty()) {
    say(fmt::format("no match for {}{}", matcher_->pattern(),
                    progress_.complete ? "" : " in the part that is indexed so far"),
        BadgeLevel::warning);
    return;
  }
  const auto now = playback_.now();
  const auto position = replay_->position();
  const auto later = [&](const SearchHit& hit) {
    return hit.place.position != 0 ? hit.place.position > position : hit.place.t > now;
  };
  const auto same = [&](const SearchHit& hit) {
    return hit.place.position != 0 ? hit.place.position == position : hit.place.t == now;
  };
  std::optional<std::size_t> target;
  if (direction > 0) {
    for (std::size_t i = 0; i < hits.size() && !target; ++i) {
      // What stands on the screen right now was found, even if it was complete before.
      const bool in_view =
          !strictly && hits[i].place.position <= position && hits[i].until > position;
      if (later(hits[i]) || (!strictly && same(hits[i])) || in_view ||
          (strictly && same(hits[i]) && i > result_ && result_known_)) {
        target = i;
      }
    }
  } else {
    for (std::size_t i = hits.size(); i > 0 && !target; --i) {
      const auto& hit = hits[i - 1];
      if ((!later(hit) && !same(hit)) ||
          (strictly && same(hit) && i - 1 < result_ && result_known_)) {
        target = i - 1;
      }
    }
  }
  const bool wrapped = !target;
  result_ = target.value_or(direction > 0 ? 0 : hits.size() - 1);
  result_known_ = true;
  const auto& hit = hits[result_];
  jumps_.leave(here());
  const bool in_view = hit.place.position != 0 && hit.place.position <= position &&
                       hit.until > position && !strictly;
  if (in_view) {
    // Stay: the reader looks at it.
  } else if (hit.place.position != 0) {
    go_to_position(hit.place.position);
  } else {
    go_to_time(hit.place.t);
  }
  playback_.pause();
  say(fmt::format("match {}/{}{} ({}){}: {}", result_ + 1, hits.size(),
                  results_.truncated ? "+" : "", name_of(hit.scope),
                  wrapped ? " from the other end" : "", hit.text));
}

}  // namespace sworn::player
