// SPDX-License-Identifier: Apache-2.0
// Memory for secrets (what was typed, events of an encrypted session): locked (never in swap), left
// out of core dumps, empty in children, wiped at the end. Locking may be refused by the resource
// limits; the rest holds in any case.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <span>

namespace sworn {

class LockedMemory {
 public:
  static Result<LockedMemory> create(std::size_t bytes);
  LockedMemory(LockedMemory&& other) noexcept;
  LockedMemory& operator=(LockedMemory&&) = delete;
  LockedMemory(const LockedMemory&) = delete;
  LockedMemory& operator=(const LockedMemory&) = delete;
  ~LockedMemory();

  [[nodiscard]] std::span<std::byte> bytes() const { return bytes_; }
  [[nodiscard]] bool locked() const { return locked_; }
  // Wipes the first `touched` bytes and gives all pages back; what is written later gets fresh
  // ones.
  void discard(std::size_t touched);

 private:
  LockedMemory() = default;
  std::span<std::byte> bytes_;
  bool locked_ = false;
};

}  // namespace sworn
