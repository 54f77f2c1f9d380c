// SPDX-License-Identifier: Apache-2.0
// Base64 (RFC 4648) for bytes that must travel in JSON. Pure.
#pragma once

#include "base/bytes.hpp"

#include <string>

namespace sworn::player {

inline std::string base64(ByteView data) {
  constexpr std::string_view k_digits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    unsigned word = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      word = word << 8U | (i + k < data.size() ? std::to_integer<unsigned>(data[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      const bool filled = k <= data.size() - i;
      out += filled ? k_digits[word >> (18U - 6U * k) & 0x3FU] : '=';
    }
  }
  return out;
}

}  // namespace sworn::player
