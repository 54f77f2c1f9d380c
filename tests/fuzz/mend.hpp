// SPDX-License-Identifier: Apache-2.0
// Hostile bytes as a session file whose checksums fit: a fuzzer cannot guess a crc, an attacker
// computes it.
#pragma once

#include "base/crc32c.hpp"
#include "format/record.hpp"
#include "tests/support/mem_file.hpp"

#include <algorithm>
#include <cstring>

namespace sworn::fuzz {

// Mends preamble and every frame that follows the one before it. Bytes that cannot be a file stay
// as they are.
inline void mend(Bytes& data) {
  using namespace format;
  if (data.size() < k_preamble_bytes) {
    return;
  }
  const auto put = [&](std::size_t at, std::uint32_t crc) { std::memcpy(&data[at], &crc, 4); };
  FileId id{};
  std::copy_n(data.begin() + 16, id.size(), id.begin());
  put(12, crc32c(id, crc32c(ByteView(data).first(12))));
  std::size_t at = k_preamble_bytes;
  while (at + k_frame_bytes <= data.size()) {
    const auto frame = decode_frame(ByteView(data).subspan(at, k_frame_bytes));
    const std::size_t left = data.size() - at - k_frame_bytes;
    if (!frame || frame->body_bytes > left) {
      return;
    }
    const auto whole = ByteView(data).subspan(at, k_frame_bytes + frame->body_bytes);
    put(at + 16, crc32c(whole.subspan(k_frame_bytes), crc32c(whole.subspan(4, 12), crc32c(id))));
    at += whole.size();
  }
}

// The last byte says whether the attacker computed the checksums.
inline test::MemFile hostile_file(const std::uint8_t* bytes, std::size_t size) {
  test::MemFile file;
  if (size == 0) {
    return file;
  }
  file.data().resize(size - 1);
  if (size > 1) {
    std::memcpy(file.data().data(), bytes, size - 1);
  }
  if ((bytes[size - 1] & 1U) != 0) {
    mend(file.data());
  }
  return file;
}

}  // namespace sworn::fuzz
