// SPDX-License-Identifier: Apache-2.0
// Small texts that several panes show.
#pragma once

#include <cstdint>
#include <string>

namespace sworn::player {

// "0.31s", "51m07s", "3h12m": short enough for a column.
std::string short_duration(std::int64_t us);

}  // namespace sworn::player
