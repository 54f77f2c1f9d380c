// SPDX-License-Identifier: Apache-2.0
#include "player/palette.hpp"

#include <array>
#include <cstdlib>
#include <limits>

namespace sworn::player {
namespace {

// xterm's defaults.
constexpr std::array<std::uint32_t, 16> k_basic{
    0x000000, 0xCD0000, 0x00CD00, 0xCDCD00, 0x0000EE, 0xCD00CD, 0x00CDCD, 0xE5E5E5,
    0x7F7F7F, 0xFF0000, 0x00FF00, 0xFFFF00, 0x5C5CFF, 0xFF00FF, 0x00FFFF, 0xFFFFFF};
constexpr std::array<std::uint32_t, 6> k_cube{0, 95, 135, 175, 215, 255};

std::int64_t distance(std::uint32_t a, std::uint32_t b) {
  std::int64_t sum = 0;
  for (unsigned shift = 0; shift <= 16; shift += 8) {
    const auto d = static_cast<std::int64_t>((a >> shift) & 0xFFU) -
                   static_cast<std::int64_t>((b >> shift) & 0xFFU);
    sum += d * d;
  }
  return sum;
}

int nearest_of(std::uint32_t rgb, std::uint32_t from, std::uint32_t to) {
  int best = static_cast<int>(from);
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  for (std::uint32_t i = from; i < to; ++i) {
    if (const auto d = distance(rgb, rgb_of_palette(i)); d < least) {
      least = d;
      best = static_cast<int>(i);
    }
  }
  return best;
}

}  // namespace

std::uint32_t rgb_of_palette(std::uint32_t index) {
  index &= 0xFFU;
  if (index < 16) {
    return k_basic[index];
  }
  if (index >= 232) {
    const std::uint32_t grey = 8 + (index - 232) * 10;
    return grey << 16U | grey << 8U | grey;
  }
  const std::uint32_t i = index - 16;
  return k_cube[i / 36] << 16U | k_cube[i / 6 % 6] << 8U | k_cube[i % 6];
}

int nearest_colour(vt::Color colour, ColourDepth depth) {
  if (colour.kind() == vt::ColorKind::none || depth == ColourDepth::none) {
    return -1;
  }
  if (depth == ColourDepth::direct) {
    // Numbers below 8 mean the viewer's own palette; black is not quite black then.
    constexpr std::uint32_t k_palette = 8;
    if (colour.kind() == vt::ColorKind::palette && (colour.value() & 0xFFU) < k_palette) {
      return static_cast<int>(colour.value() & 0xFFU);
    }
    const auto rgb =
        colour.kind() == vt::ColorKind::rgb ? colour.value() : rgb_of_palette(colour.value());
    return static_cast<int>(rgb < k_palette ? k_palette : rgb);
  }
  const std::uint32_t entries = depth == ColourDepth::c256  ? 256
                                : depth == ColourDepth::c16 ? 16
                                                            : 8;
  if (colour.kind() == vt::ColorKind::palette) {
    const auto index = colour.value() & 0xFFU;
    if (index < entries) {
      return static_cast<int>(index);
    }
    if (index < 16) {
      return static_cast<int>(index - 8);
    }
    return nearest_of(rgb_of_palette(index), 0, entries);
  }
  // The first 16 depend on the viewer's theme: with 256 they are left to the palette's own users.
  return nearest_of(colour.value(), entries == 256 ? 16 : 0, entries);
}

}  // namespace sworn::player
