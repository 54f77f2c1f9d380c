// SPDX-License-Identifier: Apache-2.0
// Columns of a code point, from a frozen copy of glibc 2.36's wcwidth(): programs on the recorded
// hosts place their text by it, and a recording must look the same whatever C library plays it.
#pragma once

#include <array>
#include <cstdint>

namespace sworn::vt {

inline constexpr unsigned k_width_pages = 109;
extern const std::array<std::uint8_t, 0x1100> k_width_index;
extern const std::array<std::uint8_t, k_width_pages * 64> k_width_pages_data;

// 0, 1 or 2. `code_point` < 0x110000.
inline int width_of(char32_t code_point) {
  const unsigned page = k_width_index[code_point >> 8U];
  const unsigned byte = k_width_pages_data[page * 64U + ((code_point & 0xFFU) >> 2U)];
  return static_cast<int>((byte >> (2U * (code_point & 3U))) & 3U);
}

}  // namespace sworn::vt
