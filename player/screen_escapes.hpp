// SPDX-License-Identifier: Apache-2.0
// A screen as escape sequences that draw it on an empty terminal of the same size: what a clip
// begins with. The picture, the cursor and which of the two screens is shown; not the hidden state.
// Only characters that Frame lets pass are written.
#pragma once

#include "player/vt/terminal.hpp"

#include <string>

namespace sworn::player {

std::string screen_as_escapes(const vt::Terminal& terminal);

// The SGR sequence for a style from scratch, "" for the default one.
struct Style;
std::string sgr_of(const Style& style);

}  // namespace sworn::player
