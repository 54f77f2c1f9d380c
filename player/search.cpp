// SPDX-License-Identifier: Apache-2.0
#include "player/search.hpp"

#include "player/raw_text.hpp"

#include <algorithm>
#include <array>

namespace sworn::player {
namespace {

constexpr std::array<std::string_view, 7> k_names{"all",  "screen", "input", "commands",
                                                  "logs", "notes",  "raw"};

bool earlier(const SearchHit& a, const SearchHit& b) {
  return a.place.t != b.place.t ? a.place.t < b.place.t : a.place.position < b.place.position;
}

}  // namespace

std::string_view name_of(SearchScope scope) {
  return k_names[static_cast<std::size_t>(scope) % k_names.size()];
}

std::optional<SearchScope> scope_of(std::string_view name) {
  const auto it = std::find(k_names.begin(), k_names.end(), name);
  return it == k_names.end() ? std::nullopt
                             : std::optional(static_cast<SearchScope>(it - k_names.begin()));
}

SearchScope next_scope(SearchScope scope) {
  return static_cast<SearchScope>((static_cast<std::size_t>(scope) + 1) % k_names.size());
}

bool SearchRun::add(std::vector<SearchHit>&& hits) {
  {
    const std::lock_guard lock(mutex_);
    for (auto& hit : hits) {
      if (result_.hits.size() >= query_.max_hits) {
        result_.truncated = true;
        return false;
      }
      result_.hits.push_back(std::move(hit));
    }
  }
  if (progress_) {
    progress_();
  }
  return !cancelled_;
}

bool SearchRun::add_one(SearchHit hit) {
  std::vector<SearchHit> one;
  one.push_back(std::move(hit));
  return add(std::move(one));
}

void SearchRun::fail_with(const Error& error) {
  const std::lock_guard lock(mutex_);
  result_.error = describe(error);
}

void SearchRun::search_index(const TextIndex& index, SearchScope scope) {
  const auto use = [this, scope](std::vector<TextHit>&& found) {
    std::vector<SearchHit> hits;
    hits.reserve(found.size());
    for (auto& hit : found) {
      hits.push_back({{hit.t_from, hit.from},
                      hit.since,
                      hit.to,
                      scope,
                      std::move(hit.text),
                      hit.offset,
                      hit.length});
    }
    return add(std::move(hits));
  };
  const auto searched =
      index.search(*query_.matcher, query_.order, use, [this] { return cancelled_.load(); });
  if (!searched) {
    fail_with(searched.error());
  }
}

void SearchRun::search_commands() {
  for (const auto& command : query_.facts->commands) {
    const auto match = query_.matcher->find(command.text);
    if (match && !add_one({{command.begin, command.begin_event + 1},
                           0,
                           0,
                           SearchScope::commands,
                           command.text,
                           match->offset,
                           match->length})) {
      return;
    }
  }
}

void SearchRun::search_logs() {
  if (query_.logs == nullptr) {
    return;
  }
  for (const auto& item : query_.logs->items) {
    const auto match = query_.matcher->find(item.text);
    if (match && !add_one({{item.t, 0},
                           0,
                           0,
                           SearchScope::logs,
                           std::string(item.text),
                           match->offset,
                           match->length})) {
      return;
    }
  }
}

void SearchRun::search_notes() {
  for (const auto& note : query_.notes) {
    const auto match = query_.matcher->find(note.text);
    if (match && !add_one({{note.t, note.position},
                           0,
                           0,
                           SearchScope::notes,
                           note.text,
                           match->offset,
                           match->length})) {
      return;
    }
  }
}

void SearchRun::search_raw() {
  if (!query_.open_source) {
    return;
  }
  const auto source = query_.open_source();
  if (!source) {
    fail_with(source.error());
    return;
  }
  RawText raw([this](const RawText::Line& line) {
    const auto match = query_.matcher->find(line.text);
    return !match || add_one({{line.t, line.position},
                              0,
                              0,
                              SearchScope::raw,
                              std::string(line.text),
                              match->offset,
                              match->length});
  });
  while (!cancelled_) {
    const auto event = (*source)->next();
    if (!event) {
      fail_with(event.error());
      return;
    }
    if (!*event) {
      raw.finish();
      return;
    }
    if (!raw.add(**event)) {
      return;
    }
  }
}

void SearchRun::work(const std::function<void()>& progress) {
  progress_ = progress;
  const auto wants = [this](SearchScope scope) {
    return query_.scope == scope || (query_.scope == SearchScope::all && scope != SearchScope::raw);
  };
  // What is quick comes first, so that its hits are never crowded out.
  if (wants(SearchScope::commands)) {
    search_commands();
  }
  if (wants(SearchScope::notes)) {
    search_notes();
  }
  if (wants(SearchScope::logs)) {
    search_logs();
  }
  if (wants(SearchScope::input)) {
    search_index(*query_.input, SearchScope::input);
  }
  if (wants(SearchScope::screen)) {
    search_index(*query_.text, SearchScope::screen);
  }
  if (wants(SearchScope::raw)) {
    search_raw();
  }
  {
    const std::lock_guard lock(mutex_);
    std::sort(result_.hits.begin(), result_.hits.end(), earlier);
    result_.finished = true;
  }
  if (progress_) {
    progress_();
  }
}

bool SearchRun::finished() const {
  const std::lock_guard lock(mutex_);
  return result_.finished;
}

std::size_t SearchRun::found() const {
  const std::lock_guard lock(mutex_);
  return result_.hits.size();
}

SearchResult SearchRun::take() {
  const std::lock_guard lock(mutex_);
  auto result = result_;
  if (!result.finished) {
    std::sort(result.hits.begin(), result.hits.end(), earlier);
  }
  return result;
}

void run_search_inline(const std::shared_ptr<SearchRun>& run) {
  run->work();
}

}  // namespace sworn::player
