// SPDX-License-Identifier: Apache-2.0
#include "player/index_recording.hpp"

#include "format/verify.hpp"

#include <sys/stat.h>

namespace sworn::player {
namespace {

std::uint64_t size_of(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? static_cast<std::uint64_t>(st.st_size) : 0;
}

Result<bool> verified(const Recording& recording, const IndexRequest& request) {
  TRY_ASSIGN(const auto report,
             format::verify(recording.file(), [&](std::uint64_t done, std::uint64_t total) {
               if (request.progress) {
                 request.progress("verifying", done, total);
               }
             }));
  return report.verdict == format::Verdict::self_consistent;
}

Result<void> walk(const Recording& recording, const std::shared_ptr<IndexState>& state,
                  const IndexRequest& request) {
  constexpr std::size_t k_batch = 16'384;
  TRY_ASSIGN(auto source, recording.open_source());
  const auto total = source->end_position();
  Indexer indexer(std::move(source), recording.setup(), state);
  std::uint64_t done = 0;
  while (true) {
    TRY_ASSIGN(const bool more, indexer.work(k_batch));
    if (!more) {
      break;
    }
    done += k_batch;
    if (request.progress) {
      request.progress("indexing", done, total);
    }
  }
  indexer.publish(true);
  return {};
}

}  // namespace

Result<RecordingIndex> index_recording(const Recording& recording, const IndexRequest& request) {
  const IndexCache cache(recording, request.use_cache);
  RecordingIndex index;
  index.state = std::make_shared<IndexState>(cache.new_store());
  if (!request.afresh && cache.load(*index.state) && index.state->from_cache()) {
    index.from_cache = true;
    index.kept_in = cache.path();
    index.side_bytes = size_of(cache.path());
    return index;
  }
  if (request.afresh) {
    index.state = std::make_shared<IndexState>(cache.new_store());
  }
  if (request.verify) {
    TRY_ASSIGN(index.verified, verified(recording, request));
  }
  TRY(walk(recording, index.state, request));
  if (!request.use_cache) {
    return index;
  }
  if (const auto saved = cache.save(*index.state, index.verified); saved) {
    index.kept_in = cache.path();
    index.side_bytes = size_of(cache.path());
  } else {
    index.not_kept = cache.usable()          ? describe(saved.error())
                     : recording.encrypted() ? "it is encrypted, and an index is not"
                                             : "the session is live, or there is no place for it";
  }
  return index;
}

}  // namespace sworn::player
