// SPDX-License-Identifier: Apache-2.0
// An append-only file that keeps blocks of the disk in hand beyond its end, so that a session can
// always be sealed and closed on a full disk. Where no more can be had, low() says so while there
// is still enough left. append() and sync() as AppendFile; low() from any thread.
#pragma once

#include "base/file.hpp"

#include <atomic>
#include <cstdint>

namespace sworn::recorder {

class ReservedFile final : public AppendFile {
 public:
  // More than both halves of the tail, incompressible, and the end of the file.
  static constexpr std::uint64_t k_reserve_bytes = 3U << 20U;
  static constexpr std::uint64_t k_step_bytes = 2U << 20U;

  // `fd` is open for appending at its end and outlives this object. Fails where not even the first
  // reserve is to be had.
  static Result<std::unique_ptr<ReservedFile>> create(int fd);

  Result<void> append(ByteView data) override;
  Result<void> sync() override;

  [[nodiscard]] bool low() const { return low_.load(std::memory_order_relaxed); }
  // Gives back what was not used; the file is complete.
  void release();

 private:
  explicit ReservedFile(int fd) : fd_(fd) {}
  void extend();

  int fd_;
  std::uint64_t size_ = 0;
  std::uint64_t reserved_to_ = 0;
  bool supported_ = true;  // by the file system
  std::atomic<bool> low_{false};
};

}  // namespace sworn::recorder
