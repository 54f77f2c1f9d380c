// SPDX-License-Identifier: Apache-2.0
#include "player/search.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

bool room(SearchResult& result) {
  if (result.hits.size() < SearchRun::k_max_hits) {
    return true;
  }
  result.truncated = true;
  return false;
}

}  // namespace

std::string_view name_of(SearchScope scope) {
  switch (scope) {
    case SearchScope::all:
      return "all";
    case SearchScope::screen:
      return "screen";
    case SearchScope::commands:
      return "commands";
    case SearchScope::logs:
      return "logs";
    case SearchScope::notes:
      return "notes";
  }
  return "";
}

SearchScope next_scope(SearchScope scope) {
  return scope == SearchScope::notes ? SearchScope::all
                                     : static_cast<SearchScope>(static_cast<int>(scope) + 1);
}

void SearchRun::search_screen(SearchResult& result) const {
  const auto searched = query_.text->search(
      *query_.matcher,
      [&result](const TextHit& hit) {
        if (!room(result)) {
          return false;
        }
        result.hits.push_back({{hit.t_from, hit.from}, hit.to, SearchScope::screen, hit.text});
        return true;
      },
      [this] { return cancelled_.load(); });
  if (!searched) {
    result.error = describe(searched.error());
  }
  // Two rows that continue each other are found together: one place is enough.
  std::sort(result.hits.begin(), result.hits.end(), [](const SearchHit& a, const SearchHit& b) {
    return a.place.position < b.place.position;
  });
}

void SearchRun::search_commands(SearchResult& result) const {
  for (const auto& command : query_.facts->commands) {
    if (!query_.matcher->find(command.text)) {
      continue;
    }
    if (!room(result)) {
      return;
    }
    result.hits.push_back(
        {{command.begin, command.begin_event + 1}, 0, SearchScope::commands, command.text});
  }
}

void SearchRun::search_logs(SearchResult& result) const {
  if (query_.logs == nullptr) {
    return;
  }
  for (const auto& item : query_.logs->items) {
    if (!query_.matcher->find(item.text)) {
      continue;
    }
    if (!room(result)) {
      return;
    }
    result.hits.push_back({{item.t, 0}, 0, SearchScope::logs, item.text});
  }
}

void SearchRun::search_notes(SearchResult& result) const {
  for (const auto& note : query_.notes) {
    if (query_.matcher->find(note.text) && room(result)) {
      result.hits.push_back({{note.t, note.position}, 0, SearchScope::notes, note.text});
    }
  }
}

void SearchRun::work() {
  SearchResult result;
  const auto wants = [this](SearchScope scope) {
    return query_.scope == SearchScope::all || query_.scope == scope;
  };
  if (wants(SearchScope::screen)) {
    search_screen(result);
  }
  if (wants(SearchScope::commands)) {
    search_commands(result);
  }
  if (wants(SearchScope::logs)) {
    search_logs(result);
  }
  if (wants(SearchScope::notes)) {
    search_notes(result);
  }
  std::stable_sort(result.hits.begin(), result.hits.end(),
                   [](const SearchHit& a, const SearchHit& b) { return a.place.t < b.place.t; });
  result.finished = true;
  const std::lock_guard lock(mutex_);
  result_ = std::move(result);
}

bool SearchRun::finished() const {
  const std::lock_guard lock(mutex_);
  return result_.finished;
}

SearchResult SearchRun::take() {
  const std::lock_guard lock(mutex_);
  return result_;
}

void run_search_inline(const std::shared_ptr<SearchRun>& run) {
  run->work();
}

}  // namespace sworn::player
