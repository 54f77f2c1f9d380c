// SPDX-License-Identifier: Apache-2.0
// One search over everything that can be read in a recording: screen rows, commands, log lines,
// notes. Runs wherever the runner puts it; the result is taken when it is finished. Bounded number
// of hits.
#pragma once

#include "player/facts.hpp"
#include "player/log_book.hpp"
#include "player/matcher.hpp"
#include "player/notes.hpp"
#include "player/playback.hpp"
#include "player/text_index.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sworn::player {

enum class SearchScope : std::uint8_t { all, screen, commands, logs, notes };
std::string_view name_of(SearchScope scope);
SearchScope next_scope(SearchScope scope);

struct SearchHit {
  Playhead place;           // where to go: by position if it is not 0, else by time
  std::uint64_t until = 0;  // screen: position at which the text is gone
  SearchScope scope = SearchScope::screen;
  std::string text;  // the row, command, line or note; unsanitised
};

struct SearchResult {
  std::vector<SearchHit> hits;  // by time, then position
  bool truncated = false;       // there were more
  bool finished = false;
  std::string error;
};

struct SearchQuery {
  std::shared_ptr<const Matcher> matcher;
  SearchScope scope = SearchScope::all;
  std::shared_ptr<const TextIndex> text;
  std::shared_ptr<const Facts> facts;
  LogBookPtr logs;
  std::vector<Note> notes;
};

// Shared between who asked and who works. Thread-safe.
class SearchRun {
 public:
  static constexpr std::size_t k_max_hits = 20'000;

  explicit SearchRun(SearchQuery query) : query_(std::move(query)) {}
  void work();
  void cancel() { cancelled_ = true; }
  [[nodiscard]] bool finished() const;
  [[nodiscard]] SearchResult take();

 private:
  void search_screen(SearchResult& result) const;
  void search_commands(SearchResult& result) const;
  void search_logs(SearchResult& result) const;
  void search_notes(SearchResult& result) const;

  const SearchQuery query_;
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  SearchResult result_;
};

// Gets a run to work(): at once, or on another thread that then reports.
using SearchRunner = std::function<void(std::shared_ptr<SearchRun>)>;
void run_search_inline(const std::shared_ptr<SearchRun>& run);

}  // namespace sworn::player
