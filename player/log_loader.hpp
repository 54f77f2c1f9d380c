// SPDX-License-Identifier: Apache-2.0
// Log lines from files, placed on the recording's clock, as a LogBook for the player.
#pragma once

#include "player/log_book.hpp"
#include "player/recording.hpp"

#include <string>
#include <vector>

namespace sworn::player {

Result<LogBookPtr> load_logs(const Recording& recording, const std::vector<std::string>& files);

}  // namespace sworn::player
