// SPDX-License-Identifier: Apache-2.0
#include "recorder/reserved_file.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace sworn::recorder {

Result<std::unique_ptr<ReservedFile>> ReservedFile::create(int fd) {
  auto out = std::unique_ptr<ReservedFile>(new ReservedFile(fd));
  out->extend();
  if (out->low()) {
    return fail_sys(ENOSPC, "cannot reserve space for the end of the session");
  }
  return out;
}

void ReservedFile::extend() {
  if (!supported_ || low() || reserved_to_ >= size_ + k_reserve_bytes) {
    return;
  }
  const std::uint64_t wanted = size_ + k_reserve_bytes + k_step_bytes;
  int rc = 0;
  do {
    rc = ::fallocate(fd_, FALLOC_FL_KEEP_SIZE, static_cast<off_t>(reserved_to_),
                     static_cast<off_t>(wanted - reserved_to_));
  } while (rc != 0 && errno == EINTR);
  if (rc == 0) {
    reserved_to_ = wanted;
  } else if (errno == EOPNOTSUPP || errno == ENOSYS) {
    supported_ = false;  // then the tail alone holds what could not be written
  } else {
    low_.store(true, std::memory_order_relaxed);
  }
}

Result<void> ReservedFile::append(ByteView data) {
  TRY(write_all(fd_, data));
  size_ += data.size();
  extend();
  return {};
}

Result<void> ReservedFile::sync() {
  if (::fdatasync(fd_) != 0) {
    return fail_sys(errno, "fdatasync");
  }
  return {};
}

void ReservedFile::release() {
  // Not a change of what was written: the size stays, only blocks behind it go. Where that fails
  // they stay.
  [[maybe_unused]] const int rc = ::ftruncate(fd_, static_cast<off_t>(size_));
}

}  // namespace sworn::recorder
