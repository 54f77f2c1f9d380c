// SPDX-License-Identifier: Apache-2.0
// Searching: while the pattern is typed, and from match to match.
#include "player/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::player {
namespace {

// How long the nearest match is waited for, where others were found already.
constexpr std::int64_t k_patience_us = 300'000;

}  // namespace

bool Model::searching() const {
  return search_.run != nullptr && (!search_.results->finished || go_when_found_);
}

bool Model::searching_prompt() const {
  return prompt_ == PromptKind::search_forward || prompt_ == PromptKind::search_backward;
}

// What is typed so far is searched and highlighted; the playhead stays.
void Model::search_typed() {
  const auto text = editor_.text();
  if (text.empty()) {
    leave_search();
    return;
  }
  auto matcher = Matcher::compile_typed(text);
  if (!matcher) {
    return;  // an expression that is not complete yet
  }
  start_search(*std::move(matcher), scope_, prompt_ == PromptKind::search_backward);
}

// The search before the prompt was opened holds again.
void Model::leave_search() {
  if (search_.run != nullptr && search_.run != search_before_.run) {
    search_.run->cancel();
  }
  search_ = search_before_;
}

void Model::submit_search(const std::string& text, bool backward) {
  if (text.empty()) {
    search_.backward = backward;
    go_to_match(backward ? -1 : 1, true);
    return;
  }
  const bool underway = search_.run != nullptr && search_.run != search_before_.run &&
                        search_.run->query().scope == scope_ && search_.typed == text;
  if (!underway) {
    auto matcher = Matcher::compile_typed(text);
    if (!matcher) {
      leave_search();
      fail_with(matcher.error());
      return;
    }
    start_search(*std::move(matcher), scope_, backward);
  }
  go_when_found_ = true;
  search_patience_ = {clock_.mono().us + k_patience_us};
  take_search_result();
  if (go_when_found_) {
    say("searching ...");
  }
}

void Model::start_search(std::shared_ptr<const Matcher> matcher, SearchScope scope, bool backward) {
  if (search_.run != nullptr && search_.run != search_before_.run) {
    search_.run->cancel();
  }
  go_when_found_ = false;
  search_patience_ = {clock_.mono().us + k_patience_us};
  search_ = Search{};
  search_.matcher = matcher;
  search_.typed = editor_.text();
  search_.backward = backward;
  SearchQuery query;
  query.matcher = std::move(matcher);
  query.scope = scope;
  query.text = index_->text();
  query.input = index_->input();
  query.facts = facts_;
  query.logs = logs_;
  query.notes = notes_.all();
  query.open_source = open_source_;
  query.order = {replay_->position(), backward, search_threads_};
  search_.run = std::make_shared<SearchRun>(std::move(query));
  run_search_(search_.run);
}

void Model::take_search_result() {
  if (search_.run == nullptr) {
    return;
  }
  if (!search_.results->finished) {
    const bool finished = search_.run->finished();
    if (finished || search_.run->found() != search_.results->hits.size()) {
      search_.results = std::make_shared<const SearchResult>(search_.run->take());
    }
  }
  if (!go_when_found_) {
    return;
  }
  const auto& results = *search_.results;
  if (!results.error.empty()) {
    go_when_found_ = false;
    say(results.error, BadgeLevel::bad);
  } else if (results.finished || (!results.hits.empty() && clock_.mono() >= search_patience_)) {
    go_when_found_ = false;
    go_to_match(search_.backward ? -1 : 1, false);
  }
}

std::string Model::search_help() const {
  std::string count;
  if (search_.run != nullptr && search_.run != search_before_.run) {
    const auto& results = *search_.results;
    count = fmt::format("{}{} found  ", results.hits.size(),
                        results.truncated || !results.finished ? "+" : "");
  }
  return fmt::format("{}in: {}  Tab changes  Enter goes", count, name_of(scope_));
}

// `strictly`: a match that is in view already does not count.
void Model::go_to_match(int direction, bool strictly) {
  const auto& results = *search_.results;
  const auto& hits = results.hits;
  if (search_.matcher == nullptr) {
    say("nothing was searched yet: / searches");
    return;
  }
  if (hits.empty()) {
    say(fmt::format("no match for {}{}", search_.matcher->pattern(),
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
  // What stands on the screen right now was found, even if it was complete before.
  const auto in_view = [&](const SearchHit& hit) {
    return hit.place.position != 0 && hit.place.position <= position && hit.until > position;
  };
  std::optional<std::size_t> target;
  if (direction > 0) {
    for (std::size_t i = 0; i < hits.size() && !target; ++i) {
      if (later(hits[i]) || (!strictly && (same(hits[i]) || in_view(hits[i]))) ||
          (strictly && same(hits[i]) && i > search_.result && search_.result_known)) {
        target = i;
      }
    }
  } else {
    for (std::size_t i = hits.size(); i > 0 && !target; --i) {
      const auto& hit = hits[i - 1];
      if ((!later(hit) && !same(hit)) ||
          (strictly && same(hit) && i - 1 < search_.result && search_.result_known)) {
        target = i - 1;
      }
    }
  }
  const bool wrapped = !target;
  search_.result = target.value_or(direction > 0 ? 0 : hits.size() - 1);
  search_.result_known = true;
  search_.highlight = true;
  const auto hit = hits[search_.result];
  jumps_.leave(here());
  if (!strictly && in_view(hit)) {
    // Stay: the reader looks at it.
  } else if (hit.place.position != 0) {
    go_to_position(hit.place.position);
  } else {
    go_to_time(hit.place.t);
  }
  playback_.pause();
  say(fmt::format("match {}/{}{} ({}){}: {}", search_.result + 1, hits.size(),
                  results.truncated || !results.finished ? "+" : "", name_of(hit.scope),
                  wrapped ? " from the other end" : "", hit.text));
}

void Model::search_word() {
  const auto word = word_at(replay_->terminal(), cell_of_interest());
  if (word.empty()) {
    say("there is no word under the cursor: a click chooses another place");
    return;
  }
  auto matcher = Matcher::compile(word, PatternKind::text, CaseRule::exact);
  if (!matcher) {
    fail_with(matcher.error());
    return;
  }
  playback_.pause();
  start_search(*std::move(matcher), SearchScope::all, false);
  go_when_found_ = true;
  take_search_result();
}

}  // namespace sworn::player
