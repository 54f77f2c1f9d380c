// SPDX-License-Identifier: Apache-2.0
#include "recorder/locked_memory.hpp"

#include <cerrno>
#include <utility>

#include <string.h>  // explicit_bzero
#include <sys/mman.h>

namespace sworn::recorder {

Result<LockedMemory> LockedMemory::create(std::size_t bytes) {
  void* place = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) {
    return fail_sys(errno, "cannot get memory for what is typed");
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

LockedMemory::~LockedMemory() {
  if (!bytes_.empty()) {
    ::explicit_bzero(bytes_.data(), bytes_.size());
    ::munmap(bytes_.data(), bytes_.size());
  }
}

}  // namespace sworn::recorder
