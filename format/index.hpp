// SPDX-License-Identifier: Apache-2.0
// The index and footer behind the final seal: hints, derived and rebuildable, never evidence. A
// reader checks each entry against the chunk it names, and the whole against END. docs/format.md,
// "Index".
#pragma once

#include "base/bytes.hpp"
#include "base/file.hpp"
#include "format/chunk.hpp"
#include "format/session_reader.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace sworn::format {

class IndexBuilder {
 public:
  void add(std::uint64_t offset, const ChunkCore& core, bool begins_group, std::uint32_t raw_bytes);
  // INDEX and FOOTER records; `index_offset` is where the first byte will stand. Only the footer
  // where the index would exceed the record limit.
  [[nodiscard]] Bytes encode(const FileId& id, std::uint32_t seq, std::uint64_t index_offset,
                             std::uint64_t end_offset, std::uint64_t last_seal_offset) const;

 private:
  Bytes entries_;
  std::uint64_t n_ = 0;
  std::uint64_t last_offset_ = 0;
  std::int64_t last_time_ = 0;
};

struct IndexHint {
  std::vector<ChunkRef> chunks;
  std::uint64_t end_offset = 0;
  std::uint64_t last_seal_offset = 0;
  std::uint64_t index_offset = 0;
};
// From the end of a closed file; nullopt where there is none or it is damaged.
Result<std::optional<IndexHint>> read_index(const ReadFile& file, const FileId& id);

}  // namespace sworn::format
