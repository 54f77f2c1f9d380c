// SPDX-License-Identifier: Apache-2.0
#include "base/crc32c.hpp"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace sworn {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1U) != 0 ? value >> 1U ^ 0x82F63B78U : value >> 1U;
    }
    table[i] = value;
  }
  return table;
}
constexpr auto k_table = make_table();

std::uint32_t by_table(ByteView data, std::uint32_t state) {
  for (const auto byte : data) {
    state = state >> 8U ^ k_table[(state ^ std::to_integer<std::uint32_t>(byte)) & 0xFFU];
  }
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t by_instruction(ByteView data, std::uint32_t state) {
  std::uint64_t wide = state;
  while (data.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, data.data(), 8);
    wide = _mm_crc32_u64(wide, word);
    data = data.subspan(8);
  }
  auto narrow = static_cast<std::uint32_t>(wide);
  for (const auto byte : data) {
    narrow = _mm_crc32_u8(narrow, std::to_integer<std::uint8_t>(byte));
  }
  return narrow;
}
#endif

}  // namespace

std::uint32_t crc32c(ByteView data, std::uint32_t crc) {
  const std::uint32_t state = ~crc;
#if defined(__x86_64__)
  static const bool k_has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (k_has_instruction) {
    return ~by_instruction(data, state);
  }
#endif
  return ~by_table(data, state);
}

}  // namespace sworn
