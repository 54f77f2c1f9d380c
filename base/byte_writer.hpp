// SPDX-License-Identifier: Apache-2.0
// Counterpart of ByteReader: appends little-endian numbers to a vector that the caller owns.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace sworn {

class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  ByteWriter& u8(std::uint8_t v) { return number(v, 1); }
  ByteWriter& u16(std::uint16_t v) { return number(v, 2); }
  ByteWriter& u32(std::uint32_t v) { return number(v, 4); }
  ByteWriter& u64(std::uint64_t v) { return number(v, 8); }
  ByteWriter& bytes(ByteView data) {
    append(out_, data);
    return *this;
  }
  ByteWriter& varint(std::uint64_t v) {
    while (v >= 0x80) {
      out_.push_back(static_cast<std::byte>((v & 0x7F) | 0x80));
      v >>= 7;
    }
    out_.push_back(static_cast<std::byte>(v));
    return *this;
  }
  ByteWriter& zigzag(std::int64_t v) {
    return varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63));
  }

 private:
  ByteWriter& number(std::uint64_t v, unsigned size) {
    for (unsigned i = 0; i < size; ++i) {
      out_.push_back(static_cast<std::byte>(v >> (8 * i)));
    }
    return *this;
  }
  Bytes& out_;
};

}  // namespace sworn
