// SPDX-License-Identifier: Apache-2.0
#include "player/blob_store.hpp"

#include "base/crc32c.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

namespace sworn::player {
namespace {

Result<void> write_at(int fd, ByteView data, std::uint64_t offset) {
  while (!data.empty()) {
    const auto n = ::pwrite(fd, data.data(), data.size(), static_cast<off_t>(offset));
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail_sys(errno, "cannot write derived data");
    }
    data = data.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<Bytes> read_at(int fd, std::size_t size, std::uint64_t offset) {
  Bytes data(size);
  std::size_t done = 0;
  while (done < size) {
    const auto n = ::pread(fd, data.data() + done, size - done, static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) {
        continue;
      }
      return fail_sys(errno, "cannot read derived data");
    }
    if (n == 0) {
      return fail(Errc::truncated, "derived data was cut off");
    }
    done += static_cast<std::size_t>(n);
  }
  return data;
}

}  // namespace

std::shared_ptr<BlobStore> BlobStore::temporary(const std::string& directory,
                                                std::uint64_t reserved) {
  auto store = std::make_shared<BlobStore>();
  if (!directory.empty()) {
    store->fd_ = Fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  }
  store->end_ = store->fd_.valid() ? reserved : 0;
  return store;
}

std::shared_ptr<BlobStore> BlobStore::of_file(Fd fd, std::uint64_t end) {
  auto store = std::make_shared<BlobStore>();
  store->fd_ = std::move(fd);
  store->end_ = end;
  store->frozen_ = true;
  return store;
}

Result<BlobRef> BlobStore::append(ByteView data) {
  if (frozen_ || data.size() > k_max_blob) {
    return fail(Errc::bad_usage, "nothing can be added to this derived data");
  }
  BlobRef ref;
  ref.size = static_cast<std::uint32_t>(data.size());
  ref.crc = crc32c(data);
  const std::lock_guard lock(mutex_);
  if (end_ + data.size() > (fd_.valid() ? k_file_budget : k_memory_budget)) {
    return fail(Errc::exhausted, "there is no room for more derived data");
  }
  if (fd_.valid()) {
    ref.offset = end_;
    TRY(write_at(fd_.get(), data, end_));
  } else {
    ref.offset = blobs_.size();
    blobs_.push_back(std::make_shared<const Bytes>(data.begin(), data.end()));
  }
  end_ += data.size();
  return ref;
}

Result<Bytes> BlobStore::read(const BlobRef& ref) const {
  if (ref.size > k_max_blob) {
    return fail(Errc::corrupt, "a piece of derived data states no sensible size");
  }
  Bytes data;
  if (fd_.valid()) {
    TRY_ASSIGN(data, read_at(fd_.get(), ref.size, ref.offset));
  } else {
    std::shared_ptr<const Bytes> blob;
    {
      const std::lock_guard lock(mutex_);
      if (ref.offset >= blobs_.size()) {
        return fail(Errc::corrupt, "a piece of derived data is missing");
      }
      blob = blobs_[static_cast<std::size_t>(ref.offset)];
    }
    data = *blob;
  }
  if (data.size() != ref.size || crc32c(data) != ref.crc) {
    return fail(Errc::corrupt, "a piece of derived data is damaged");
  }
  return data;
}

std::uint64_t BlobStore::end() const {
  const std::lock_guard lock(mutex_);
  return end_;
}

}  // namespace sworn::player
