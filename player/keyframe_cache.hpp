// SPDX-License-Identifier: Apache-2.0
// Keyframes on disk, so that a long recording opens at once the next time. The side file is
// disposable and never trusted: bounded loader, checksum, and a key that binds it to exactly this
// file as it is now (device, inode, size, times of change) and to this emulator. It holds screens:
// mode 0600, in the user's own cache.
#pragma once

#include "format/session_header.hpp"
#include "player/keyframes.hpp"

#include <cstdint>
#include <string>

namespace sworn::player {

struct CacheKey {
  format::FileId file_id{};
  std::uint64_t size = 0;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const CacheKey&, const CacheKey&) = default;
};
// Of an open file.
Result<CacheKey> cache_key(int fd, const format::FileId& file_id);

// $XDG_CACHE_HOME/sworn, else ~/.cache/sworn; empty where neither is known.
std::string cache_directory();
std::string cache_path(const std::string& directory, const format::FileId& file_id);

// Replaces the side file in one step. Removes the oldest ones where all together exceed 1 GiB.
Result<void> save_keyframes(const std::string& path, const CacheKey& key,
                            const KeyframeIndex& keyframes);
// Fills an empty index; on any error the index stays empty.
Result<void> load_keyframes(const std::string& path, const CacheKey& key, KeyframeIndex& keyframes);

Bytes encode_keyframes(const CacheKey& key, const KeyframeIndex& keyframes);
Result<void> decode_keyframes(ByteView data, const CacheKey& key, KeyframeIndex& keyframes);

}  // namespace sworn::player
