// SPDX-License-Identifier: Apache-2.0
// The whole index of one recording, from the cache or made anew: for commands that have no player.
#pragma once

#include "base/result.hpp"
#include "player/index_cache.hpp"
#include "player/indexer.hpp"
#include "player/recording.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sworn::player {

struct IndexRequest {
  bool use_cache = true;  // take it from there, and leave it there
  bool afresh = false;    // make it anew even where the cache has it
  bool verify = false;    // first; an index of a verified recording counts for its copies as well
  // (done, total), some ten times a second; "verifying" or "indexing".
  std::function<void(const std::string& what, std::uint64_t done, std::uint64_t total)> progress;
};

struct RecordingIndex {
  std::shared_ptr<IndexState> state;
  bool from_cache = false;
  bool verified = false;
  std::string kept_in;   // the side file; empty: nothing was kept
  std::string not_kept;  // why not, where it was wanted
  std::uint64_t side_bytes = 0;
};

Result<RecordingIndex> index_recording(const Recording& recording, const IndexRequest& request);

}  // namespace sworn::player
