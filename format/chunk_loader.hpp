// SPDX-License-Identifier: Apache-2.0
// Decodes chunks of one file, in any order; going on within a group costs one decompression,
// jumping costs the group up to there (at most 256 KiB raw). The events it gives live until the
// next load.
#pragma once

#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/record.hpp"
#include "format/session_reader.hpp"

#include <vector>

namespace sworn::format {

class ChunkLoader {
 public:
  // `opener`: of an encrypted session, null where no key opens it (Errc::locked then); outlives it.
  ChunkLoader(const ReadFile& file, const FileId& id, PayloadOpener* opener = nullptr)
      : file_(file), id_(id), opener_(opener) {}

  // `place` in `chunks`. Errc::corrupt where the record, its group or its columns do not hold, or
  // where it is not the chunk that the reference names.
  Result<void> load(const std::vector<ChunkRef>& chunks, std::size_t place);
  [[nodiscard]] const std::vector<EventView>& events() const { return events_; }
  void forget() { valid_ = stream_valid_ = false; }  // after a change of `chunks` but at its end
  [[nodiscard]] bool holds(std::size_t place) const { return valid_ && place_ == place; }

 private:
  Result<ChunkBody> fetch(const ChunkRef& ref);
  Result<void> step(const std::vector<ChunkRef>& chunks, std::size_t place);

  const ReadFile& file_;
  FileId id_;
  PayloadOpener* opener_;
  Decompressor decompressor_;
  Bytes record_;
  Bytes plain_;  // of the last encrypted chunk
  Bytes columns_;
  std::vector<EventView> events_;
  ChunkCore core_;
  std::size_t place_ = 0;
  std::size_t group_raw_ = 0;
  std::size_t dead_group_ = SIZE_MAX;  // the last group that turned out unreadable,
  std::size_t dead_place_ = 0;         // from this place on
  bool valid_ = false;                 // events_ belong to place_
  bool stream_valid_ = false;          // the decompressor stands behind place_
};

}  // namespace sworn::format
