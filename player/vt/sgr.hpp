// SPDX-License-Identifier: Apache-2.0
// SGR (CSI ... m): colours and attributes of the pen.
#pragma once

#include "player/vt/parser.hpp"
#include "player/vt/terminal.hpp"

#include <cstdint>

namespace sworn::vt {

// Unknown and broken parameters are skipped; the rest still counts.
void apply_sgr(const Csi& sequence, Cell& pen);

// The attribute bits that SGR parameter `code` switches on (0..8) or 0; for DECCARA and DECRARA.
std::uint16_t attribute_of_sgr(int code);

}  // namespace sworn::vt
