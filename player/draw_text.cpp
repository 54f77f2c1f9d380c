// SPDX-License-Identifier: Apache-2.0
#include "player/draw_text.hpp"

#include <fmt/format.h>

namespace sworn::player {

std::string short_duration(std::int64_t us) {
  constexpr std::int64_t k_minute = 60;
  constexpr std::int64_t k_hour = 3600;
  const auto seconds = us / 1'000'000;
  if (seconds < 100) {
    return fmt::format("{:.2f}s", static_cast<double>(us) / 1e6);
  }
  if (seconds < 100 * k_minute) {
    return fmt::format("{}m{:02}s", seconds / k_minute, seconds % k_minute);
  }
  return fmt::format("{}h{:02}m", seconds / k_hour, seconds % k_hour / k_minute);
}

}  // namespace sworn::player
