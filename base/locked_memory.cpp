// SPDX-License-Identifier: Apache-2.0
#include "base/locked_memory.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <string.h>  // explicit_bzero
#include <sys/mman.h>

namespace sworn {

Result<LockedMemory> LockedMemory::create(std::size_t bytes) {
  void* place = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) {
    return fail_sys(errno, "cannot get memory for secrets");
  }
  LockedMemory out;
  out.bytes_ = {static_cast<std::byte*>(place), bytes};
  // MLOCK_ONFAULT: a page that was never touched need not be there.
  out.locked_ = ::mlock2(place, bytes, MLOCK_ONFAULT) == 0;
  ::madvise(place, bytes, MADV_DONTDUMP);
  ::madvise(place, bytes, MADV_WIPEONFORK);
  return out;
}

LockedMemory::LockedMemory(LockedMemory&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), locked_(other.locked_) {}

void LockedMemory::discard(std::size_t touched) {
  if (bytes_.empty()) {
    return;
  }
  ::explicit_bzero(bytes_.data(), std::min(touched, bytes_.size()));
  if (locked_) {
    ::munlock(bytes_.data(), bytes_.size());
  }
  ::madvise(bytes_.data(), bytes_.size(), MADV_DONTNEED);
  if (locked_) {
    locked_ = ::mlock2(bytes_.data(), bytes_.size(), MLOCK_ONFAULT) == 0;
  }
}

LockedMemory::~LockedMemory() {
  if (!bytes_.empty()) {
    ::explicit_bzero(bytes_.data(), bytes_.size());
    ::munmap(bytes_.data(), bytes_.size());
  }
}

}  // namespace sworn
