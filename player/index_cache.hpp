// SPDX-License-Identifier: Apache-2.0
// The index on disk, so that a long recording opens at once the next time: keyframes, facts, text.
// The side file is disposable and never trusted: bounded loader, checksums, and a key that binds it
// to exactly this recording and to this emulator. It holds screens: mode 0600, in the user's own
// cache.
//
// A side file counts for the very file it was made of (device, inode, size, times of change). For a
// copy of it that ends in the same seal it counts only where the recording was verified when the
// side file was made: else a forged recording could leave its screens for the true one.
#pragma once

#include "base/file.hpp"
#include "format/session_header.hpp"
#include "player/indexer.hpp"
#include "player/recording.hpp"

#include <cstdint>
#include <string>

namespace sworn::player {

struct CacheKey {
  format::FileId file_id{};
  std::uint64_t size = 0;
  format::Digest ending{};  // SHA-256 of the end of the file: the final seal is in there
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const CacheKey&, const CacheKey&) = default;
};
Result<CacheKey> cache_key(const PosixReadFile& file, const format::FileId& file_id);

// $XDG_CACHE_HOME/sworn, else ~/.cache/sworn; empty where neither is known.
std::string cache_directory();

// Of one recording. Not thread-safe.
class IndexCache {
 public:
  // Neither uses nor leaves anything where it is not `wanted`, where there is no place for it,
  // while the session is live, or where it is encrypted: its text is then kept in memory only.
  IndexCache(const Recording& recording, bool wanted);

  [[nodiscard]] bool usable() const { return !path_.empty(); }
  [[nodiscard]] const std::string& path() const { return path_; }
  // Where the pieces of a new index go: behind the header of the side file to be.
  [[nodiscard]] std::shared_ptr<BlobStore> new_store() const;
  // Fills an empty state; on any error it stays empty.
  Result<void> load(IndexState& state) const;
  // Replaces the side file in one step, where the recording is still what it was. Removes the
  // oldest side files where all together exceed k_max_directory.
  Result<void> save(const IndexState& state, bool verified) const;

  static constexpr std::uint64_t k_max_directory = 16ULL << 30U;

 private:
  const Recording& recording_;
  std::string directory_;
  std::string path_;
  CacheKey key_;
};

// The table of contents of a side file, for its tests.
Bytes encode_contents(const CacheKey& key, bool verified, const IndexState& state);
Result<void> decode_contents(ByteView data, const CacheKey& key,
                             const std::shared_ptr<BlobStore>& blobs, IndexState& state);

}  // namespace sworn::player
