// SPDX-License-Identifier: Apache-2.0
// Searches many recordings, several at a time: what `sworn search` does. Indexes that are not there
// yet are made on the way.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/clock_map.hpp"
#include "player/matcher.hpp"
#include "player/search.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sworn::player {

struct FileSearch {
  std::shared_ptr<const Matcher> matcher;
  SearchScope scope = SearchScope::all;
  std::vector<std::string> log_files;
  std::size_t max_hits = SIZE_MAX;  // of each file
  bool use_cache = true;
  unsigned threads = 1;
  // (file, done, total) while an index is being made; from several threads, never two at a time.
  std::function<void(const std::string& path, std::uint64_t done, std::uint64_t total)> progress;
};

struct FileResult {
  std::string path;
  std::string session;  // hex of the file id
  MonoTime first;       // of the recording
  format::ClockMap clock;
  SearchResult found;
};

// Calls `use` for each file as soon as it is done, never two at a time: in whatever order. The
// second argument is what went wrong with a file.
using UseFileResult = std::function<void(const std::string& path, const Result<FileResult>&)>;
void search_files(const std::vector<std::string>& paths, const FileSearch& search,
                  const UseFileResult& use);

// Session files in a directory and below, sorted; a path that is no directory stands for itself.
// Links are not followed.
Result<std::vector<std::string>> session_files(const std::string& path);

}  // namespace sworn::player
