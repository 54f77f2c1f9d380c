// SPDX-License-Identifier: Apache-2.0
#include "player/search_files.hpp"

#include "player/index_recording.hpp"
#include "player/log_loader.hpp"
#include "player/notes.hpp"

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

namespace sworn::player {
namespace {

Result<FileResult> search_one(const std::string& path, const FileSearch& search, unsigned threads,
                              const IndexRequest& index_request) {
  TRY_ASSIGN(const auto recording, Recording::open(path));
  TRY_ASSIGN(const auto source, FileSource::open(*recording));
  FileResult result;
  result.path = path;
  result.session = format::to_hex(recording->header().file_id);
  result.first = source->first_time();
  TRY_ASSIGN(result.clock, source->reader().clock_map());
  if (result.clock.empty()) {
    result.clock.add(recording->header().started_mono, recording->header().started);
  }
  SearchQuery query;
  query.matcher = search.matcher;
  query.scope = search.scope;
  query.max_hits = search.max_hits;
  query.order.threads = threads;
  query.open_source = [&recording] { return recording->open_source(); };
  if (search.scope == SearchScope::raw || search.scope == SearchScope::notes ||
      search.scope == SearchScope::logs) {
    query.text = std::make_shared<TextIndex>();
    query.input = query.text;
    query.facts = std::make_shared<Facts>();
  } else {
    TRY_ASSIGN(const auto index, index_recording(*recording, index_request));
    query.text = index.state->text();
    query.input = index.state->input();
    query.facts = index.state->facts();
    if (const auto trouble = index.state->text()->trouble(); !trouble.empty()) {
      result.found.error = "not all of the screen text is searched: " + trouble;
    }
  }
  TRY_ASSIGN(query.logs, load_logs(*recording, search.log_files));
  query.notes = Notes::open(recording->path(), format::to_hex(recording->header().file_id)).all();
  SearchRun run(std::move(query));
  run.work();
  auto found = run.take();
  if (found.error.empty()) {
    found.error = std::move(result.found.error);
  }
  result.found = std::move(found);
  return result;
}

}  // namespace

void search_files(const std::vector<std::string>& paths, const FileSearch& search,
                  const UseFileResult& use) {
  std::mutex mutex;
  std::atomic<std::size_t> next{0};
  const auto workers = std::clamp<std::size_t>(paths.size(), 1, std::max(1U, search.threads));
  // One file gets all threads, many files get one each.
  const auto threads_each = std::max(1U, search.threads / static_cast<unsigned>(workers));
  const auto work = [&] {
    for (auto i = next++; i < paths.size(); i = next++) {
      const auto& path = paths[i];
      IndexRequest request;
      request.use_cache = search.use_cache;
      request.progress = [&](const std::string&, std::uint64_t done, std::uint64_t total) {
        if (search.progress) {
          const std::lock_guard lock(mutex);
          search.progress(path, done, total);
        }
      };
      const auto result = search_one(path, search, threads_each, request);
      const std::lock_guard lock(mutex);
      use(path, result);
    }
  };
  std::vector<std::thread> helpers;
  for (std::size_t i = 1; i < workers; ++i) {
    helpers.emplace_back(work);
  }
  work();
  for (auto& helper : helpers) {
    helper.join();
  }
}

Result<std::vector<std::string>> session_files(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    return std::vector<std::string>{path};
  }
  std::vector<std::string> found;
  fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, error);
  if (error) {
    return fail_sys(error.value(), "cannot read " + path);
  }
  for (const fs::recursive_directory_iterator end; it != end && !error; it.increment(error)) {
    const auto& entry = it->path();
    std::error_code ignored;
    const bool session = entry.extension() == ".sworn" ||
                         (entry.extension() == ".part" && entry.stem().extension() == ".sworn");
    if (session && fs::is_regular_file(it->symlink_status(ignored))) {
      found.push_back(entry.string());
    }
  }
  if (error) {
    return fail_sys(error.value(), "cannot read all of " + path);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace sworn::player
