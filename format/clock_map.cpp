// SPDX-License-Identifier: Apache-2.0
#include "format/clock_map.hpp"

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::int64_t k_step_us = 100'000;

}  // namespace

void ClockMap::add(MonoTime mono, WallTime wall) {
  if (!points_.empty() && mono < points_.back().mono) {
    return;  // a file whose times go back is reported elsewhere; the map stays monotone
  }
  points_.push_back({mono, wall});
}

WallTime ClockMap::to_wall(MonoTime mono) const {
  if (points_.empty()) {
    return {mono.us};
  }
  auto next = std::upper_bound(points_.begin(), points_.end(), mono,
                               [](MonoTime t, const Point& p) { return t < p.mono; });
  const Point& base = next == points_.begin() ? *next : *std::prev(next);
  if (next == points_.begin() || next == points_.end()) {
    return {base.wall.us + (mono.us - base.mono.us)};
  }
  const std::int64_t span = next->mono.us - base.mono.us;
  const std::int64_t drift = (next->wall.us - next->mono.us) - (base.wall.us - base.mono.us);
  const std::int64_t past = mono.us - base.mono.us;
  if (drift > k_step_us || drift < -k_step_us || span == 0) {
    return {base.wall.us + past};  // a step: until the next sample the old offset holds
  }
  const auto share = static_cast<double>(past) / static_cast<double>(span);
  return {base.wall.us + past + static_cast<std::int64_t>(static_cast<double>(drift) * share)};
}

MonoTime ClockMap::to_mono(WallTime wall) const {
  if (points_.empty()) {
    return {wall.us};
  }
  // Pieces are few (about one sample a minute); the first piece that contains the wall time wins.
  for (std::size_t i = 0; i < points_.size(); ++i) {
    const Point& base = points_[i];
    const std::int64_t past = wall.us - base.wall.us;
    if (past < 0) {
      continue;
    }
    if (i + 1 == points_.size()) {
      return {base.mono.us + past};
    }
    const Point& next = points_[i + 1];
    const std::int64_t drift = (next.wall.us - next.mono.us) - (base.wall.us - base.mono.us);
    const std::int64_t span = next.mono.us - base.mono.us;
    if (drift > k_step_us || drift < -k_step_us) {
      if (past < span) {
        return {base.mono.us + past};
      }
      if (wall < next.wall) {
        return next.mono;  // a time that the clock jumped over
      }
    } else if (wall < next.wall) {
      const auto share =
          static_cast<double>(past) / static_cast<double>(next.wall.us - base.wall.us);
      return {base.mono.us + static_cast<std::int64_t>(static_cast<double>(span) * share)};
    }
  }
  // Before everything that was recorded.
  const Point& first = points_.front();
  return {first.mono.us + (wall.us - first.wall.us)};
}

bool ClockMap::is_step(const Point& a, const Point& b) {
  const std::int64_t drift = (b.wall.us - b.mono.us) - (a.wall.us - a.mono.us);
  return drift > k_step_us || drift < -k_step_us;
}

std::size_t ClockMap::steps() const {
  std::size_t count = 0;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    count += is_step(points_[i - 1], points_[i]) ? 1U : 0U;
  }
  return count;
}

}  // namespace sworn::format
