// SPDX-License-Identifier: Apache-2.0
// Numbers of the tail file (docs/format.md, "Tail"). Written to disk: never change or reuse one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sworn::format {

inline constexpr std::string_view k_tail_magic{"SWNTAIL0", 8};
inline constexpr std::size_t k_tail_head_bytes = 36;  // magic, half size, flags, file id, crc
inline constexpr std::uint32_t k_tail_encrypted = 0x01;
inline constexpr std::size_t k_tail_page_bytes = 4096;
inline constexpr std::size_t k_tail_half_header_bytes = 64;
inline constexpr std::size_t k_tail_entry_bytes = 40;
inline constexpr std::size_t k_tail_max_half_bytes = 64U << 20U;

}  // namespace sworn::format
