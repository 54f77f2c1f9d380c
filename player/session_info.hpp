// SPDX-License-Identifier: Apache-2.0
// What the header and the first event of a recording say about the session, as texts for people.
// Unsanitised: whoever shows them does that.
#pragma once

#include "player/model.hpp"
#include "player/recording.hpp"

namespace sworn::player {

SessionInfo session_info(const Recording& recording);

// The program and its arguments as one line.
std::string command_line(const format::SessionStart& start);

}  // namespace sworn::player
