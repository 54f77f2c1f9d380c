// SPDX-License-Identifier: Apache-2.0
// Bounded cursor over untrusted bytes: the only place where a length from a file is compared with
// what is left. Little-endian. Views point into the caller's buffer, which must outlive them. Not
// thread-safe.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>

namespace sworn {

class ByteReader {
 public:
  explicit ByteReader(ByteView data) : left_(data) {}

  [[nodiscard]] std::size_t left() const { return left_.size(); }
  [[nodiscard]] bool done() const { return left_.empty(); }

  Result<ByteView> take(std::size_t n) {
    if (n > left_.size()) {
      return fail(Errc::truncated, "a length reaches beyond the end of the data");
    }
    const auto head = left_.first(n);
    left_ = left_.subspan(n);
    return head;
  }

  Result<std::uint8_t> u8() { return number<std::uint8_t>(); }
  Result<std::uint16_t> u16() { return number<std::uint16_t>(); }
  Result<std::uint32_t> u32() { return number<std::uint32_t>(); }
  Result<std::uint64_t> u64() { return number<std::uint64_t>(); }

  // LEB128, at most 10 bytes; the tenth may carry one bit only.
  Result<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (left_.empty()) {
        return fail(Errc::truncated, "a number is cut off");
      }
      const auto byte = std::to_integer<std::uint64_t>(left_.front());
      left_ = left_.subspan(1);
      if (shift == 63 && byte > 1) {
        break;
      }
      value |= (byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) {
        return value;
      }
    }
    return fail(Errc::corrupt, "a number is longer than 64 bits");
  }

  Result<std::int64_t> zigzag() {
    TRY_ASSIGN(const auto raw, varint());
    return static_cast<std::int64_t>((raw >> 1) ^ (~(raw & 1) + 1));
  }

 private:
  template <typename T>
  Result<T> number() {
    TRY_ASSIGN(const auto bytes, take(sizeof(T)));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    }
    return static_cast<T>(value);
  }

  ByteView left_;
};

}  // namespace sworn
