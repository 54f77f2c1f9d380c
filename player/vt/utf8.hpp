// SPDX-License-Identifier: Apache-2.0
// UTF-8 in and out. The decoder takes one byte at a time and can stop anywhere, because a read may
// end inside a character. Broken input gives one U+FFFD for each maximal part that could have begun
// a character.
#pragma once

#include <cstdint>
#include <string>

namespace sworn::vt {

inline constexpr char32_t k_replacement = 0xFFFD;

inline void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | (c >> 6U));
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | (c >> 12U));
    put(0x80 | ((c >> 6U) & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | (c >> 18U));
    put(0x80 | ((c >> 12U) & 0x3F));
    put(0x80 | ((c >> 6U) & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

enum class Utf8Step : std::uint8_t {
  more,     // the character needs further bytes
  done,     // value() is complete
  invalid,  // this byte can begin nothing: U+FFFD
  broken,   // what came before is U+FFFD, and this byte must be looked at again
};

class Utf8Decoder {
 public:
  [[nodiscard]] bool pending() const { return need_ != 0; }
  [[nodiscard]] char32_t value() const { return value_; }
  void reset() { *this = Utf8Decoder(); }

  // `byte` >= 0x80 when nothing is pending.
  Utf8Step step(std::uint8_t byte) { return need_ == 0 ? first(byte) : next(byte); }

  // For snapshots: one number that says everything; set_state() refuses what step() cannot have
  // produced.
  [[nodiscard]] std::uint64_t state() const {
    return need_ == 0 ? 0
                      : value_ | std::uint64_t{need_} << 24U | std::uint64_t{low_} << 32U |
                            std::uint64_t{high_} << 40U;
  }
  [[nodiscard]] bool set_state(std::uint64_t state) {
    reset();
    if (state == 0) {
      return true;
    }
    value_ = state & 0xFFFFFFU;
    need_ = (state >> 24U) & 0xFFU;
    low_ = (state >> 32U) & 0xFFU;
    high_ = (state >> 40U) & 0xFFU;
    const bool fits = need_ >= 1 && need_ <= 3 && value_ <= (0x10FFFFU >> (6U * need_));
    return state >> 48U == 0 && fits && low_ >= 0x80 && high_ <= 0xBF && low_ < high_;
  }

 private:
  Utf8Step first(std::uint8_t byte) {
    low_ = 0x80;
    high_ = 0xBF;
    if (byte >= 0xC2 && byte <= 0xDF) {
      return begin(byte & 0x1FU, 1);
    }
    if (byte >= 0xE0 && byte <= 0xEF) {
      low_ = byte == 0xE0 ? 0xA0 : 0x80;   // no overlong forms
      high_ = byte == 0xED ? 0x9F : 0xBF;  // no surrogates
      return begin(byte & 0x0FU, 2);
    }
    if (byte >= 0xF0 && byte <= 0xF4) {
      low_ = byte == 0xF0 ? 0x90 : 0x80;
      high_ = byte == 0xF4 ? 0x8F : 0xBF;  // nothing above U+10FFFF
      return begin(byte & 0x07U, 3);
    }
    return Utf8Step::invalid;
  }
  Utf8Step begin(std::uint32_t bits, std::uint8_t need) {
    value_ = bits;
    need_ = need;
    return Utf8Step::more;
  }
  Utf8Step next(std::uint8_t byte) {
    if (byte < low_ || byte > high_) {
      need_ = 0;
      return Utf8Step::broken;
    }
    value_ = (value_ << 6U) | (byte & 0x3FU);
    low_ = 0x80;
    high_ = 0xBF;
    --need_;
    return need_ == 0 ? Utf8Step::done : Utf8Step::more;
  }

  std::uint32_t value_ = 0;
  std::uint8_t need_ = 0;
  std::uint8_t low_ = 0x80;
  std::uint8_t high_ = 0xBF;
};

}  // namespace sworn::vt
