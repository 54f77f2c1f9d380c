// SPDX-License-Identifier: Apache-2.0
// Keys and mouse reports of the curses terminal as the player's keys. One thread: that of curses.
#pragma once

#include "player/view.hpp"

#include <optional>

namespace sworn::player {

// Arrows with Shift, Alt and Ctrl, which terminfo names differently everywhere. After newterm().
void define_modified_keys();

// The next key that is known; nothing where none waits.
std::optional<Key> read_key();

}  // namespace sworn::player
