// SPDX-License-Identifier: Apache-2.0
// One search over everything that can be read in a recording: what was shown and typed, commands,
// log lines, notes, and on demand the raw output without its escape sequences. Runs wherever the
// runner puts it; what was found so far can be taken at any time. Bounded number of hits.
#pragma once

#include "player/event_source.hpp"
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
#include <optional>
#include <string>
#include <vector>

namespace sworn::player {

// `all`: everything but raw.
enum class SearchScope : std::uint8_t { all, screen, input, commands, logs, notes, raw };
std::string_view name_of(SearchScope scope);
std::optional<SearchScope> scope_of(std::string_view name);
SearchScope next_scope(SearchScope scope);

struct SearchHit {
  Playhead place;           // where to go: by position if it is not 0, else by time
  std::uint64_t since = 0;  // screen: position from which the text, or its beginning, was seen
  std::uint64_t until = 0;  // screen: position at which the text is gone
  SearchScope scope = SearchScope::screen;
  std::string text;        // the row, command, line or note; unsanitised
  std::size_t offset = 0;  // of the match in it
  std::size_t length = 0;
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
  std::shared_ptr<const TextIndex> input;
  std::shared_ptr<const Facts> facts;
  LogBookPtr logs;
  std::vector<Note> notes;
  std::function<Result<std::unique_ptr<EventSource>>()> open_source;  // for the raw output
  TextIndex::Order order;
  std::size_t max_hits = 20'000;
};

// Shared between who asked and who works. Thread-safe.
class SearchRun {
 public:
  explicit SearchRun(SearchQuery query) : query_(std::move(query)) {}
  // `progress` is called, from this thread or others, when there is more to take.
  void work(const std::function<void()>& progress = {});
  void cancel() { cancelled_ = true; }
  [[nodiscard]] bool finished() const;
  [[nodiscard]] std::size_t found() const;
  [[nodiscard]] SearchResult take();
  [[nodiscard]] const SearchQuery& query() const { return query_; }

 private:
  // False where no more hits are wanted.
  bool add(std::vector<SearchHit>&& hits);
  bool add_one(SearchHit hit);
  void search_index(const TextIndex& index, SearchScope scope);
  void search_commands();
  void search_logs();
  void search_notes();
  void search_raw();
  void fail_with(const Error& error);

  const SearchQuery query_;
  std::function<void()> progress_;
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  SearchResult result_;
};

// Gets a run to work(): at once, or on another thread that then reports.
using SearchRunner = std::function<void(std::shared_ptr<SearchRun>)>;
void run_search_inline(const std::shared_ptr<SearchRun>& run);

}  // namespace sworn::player
