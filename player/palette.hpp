// SPDX-License-Identifier: Apache-2.0
// Colours of a recording on the viewer's terminal: as they are where it has direct colours, else
// the nearest of 256, 16 or 8. Pure.
#pragma once

#include "player/vt/terminal.hpp"

#include <cstdint>

namespace sworn::player {

enum class ColourDepth : std::uint8_t { none, c8, c16, c256, direct };

// Number of the colour at that depth; -1: the terminal's own default.
int nearest_colour(vt::Color colour, ColourDepth depth);

// The customary RGB value (0xRRGGBB) of an entry of the 256-colour palette.
std::uint32_t rgb_of_palette(std::uint32_t index);

}  // namespace sworn::player
