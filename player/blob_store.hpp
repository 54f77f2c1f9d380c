// SPDX-License-Identifier: Apache-2.0
// Where derived data that is too large for memory lies: pieces of bytes, written once, read at any
// time, each with a checksum. In a file, which may have no name and vanishes with the process, or
// in memory where there is no place for a file. One thread appends, any may read.
#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace sworn::player {

struct BlobRef {
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
  std::uint32_t crc = 0;
};

class BlobStore {
 public:
  static constexpr std::uint64_t k_memory_budget = 128U << 20U;
  static constexpr std::uint64_t k_file_budget = 8ULL << 30U;
  static constexpr std::uint32_t k_max_blob = 64U << 20U;

  // In memory.
  BlobStore() = default;
  // In a nameless file in `directory`, behind `reserved` bytes for whoever wants to give it a name;
  // in memory where that cannot be made.
  static std::shared_ptr<BlobStore> temporary(const std::string& directory, std::uint64_t reserved);
  // What is in a file already, up to `end`. Nothing can be appended.
  static std::shared_ptr<BlobStore> of_file(Fd fd, std::uint64_t end);

  // Errc::exhausted beyond the budget.
  Result<BlobRef> append(ByteView data);
  // Errc::corrupt where the bytes are not those that were appended.
  [[nodiscard]] Result<Bytes> read(const BlobRef& ref) const;

  [[nodiscard]] std::uint64_t end() const;
  [[nodiscard]] int fd() const { return fd_.get(); }  // -1: in memory

 private:
  Fd fd_;
  bool frozen_ = false;
  mutable std::mutex mutex_;
  std::uint64_t end_ = 0;
  std::vector<std::shared_ptr<const Bytes>> blobs_;  // in memory: `offset` is the index
};

}  // namespace sworn::player
