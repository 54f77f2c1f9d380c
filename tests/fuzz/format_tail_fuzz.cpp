// SPDX-License-Identifier: Apache-2.0
// A tail file. Its checksums are mended where the last byte says so.
#include "base/crc32c.hpp"
#include "format/tail.hpp"
#include "format/tail_layout.hpp"

#include <cstdlib>
#include <cstring>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace {

using namespace sworn;
using namespace sworn::format;

void put(Bytes& data, std::size_t at, std::uint32_t value) {
  std::memcpy(data.data() + at, &value, 4);
}
std::uint32_t number(const Bytes& data, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, data.data() + at, 4);
  return value;
}

void mend(Bytes& data, const FileId& id) {
  if (data.size() < k_tail_page_bytes) {
    return;
  }
  put(data, 32, crc32c(ByteView(data).first(32)));
  const std::size_t half = number(data, 8);
  for (const std::size_t begin : {k_tail_page_bytes, k_tail_page_bytes + half}) {
    if (begin + k_tail_half_header_bytes > data.size()) {
      return;
    }
    put(data, begin + 16, crc32c(ByteView(data).subspan(begin, 16), crc32c(id)));
    std::size_t at = begin + k_tail_half_header_bytes;
    while (at + k_tail_entry_bytes <= data.size()) {
      const std::size_t length = number(data, at + 36);
      if (length > data.size() - at - k_tail_entry_bytes) {
        break;
      }
      const auto seed = crc32c(ByteView(data).subspan(begin, 8), crc32c(id));
      put(data, at + 4, crc32c(ByteView(data).subspan(at + 8, 32 + length), seed));
      at += (k_tail_entry_bytes + length + 7) & ~std::size_t{7};
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  Bytes data(size - 1);
  if (size > 1) {
    std::memcpy(data.data(), bytes, size - 1);
  }
  FileId id{};
  if (data.size() >= 32) {
    std::copy_n(data.begin() + 16, id.size(), id.begin());
  }
  if ((bytes[size - 1] & 1U) != 0) {
    mend(data, id);
  }
  static const int fd = ::memfd_create("tail", 0);
  if (fd < 0 || ::ftruncate(fd, 0) != 0 ||
      ::pwrite(fd, data.data(), data.size(), 0) != static_cast<ssize_t>(data.size())) {
    return 0;
  }
  const auto found = read_tail("/proc/self/fd/" + std::to_string(fd), id, 0);
  if (found) {
    for (std::size_t i = 0; i < found->events.size(); ++i) {
      if (found->events[i].number != i) {
        std::abort();
      }
    }
  }
  return 0;
}
