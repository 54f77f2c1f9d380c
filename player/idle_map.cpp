// SPDX-License-Identifier: Apache-2.0
#include "player/idle_map.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

// a * b / c without overflow for times of years and limits of hours.
std::int64_t scale(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::int64_t>(static_cast<long double>(a) * static_cast<long double>(b) /
                                   static_cast<long double>(c));
}

}  // namespace

IdleMap::IdleMap(std::span<const IdleGap> gaps, std::int64_t limit_us)
    : limit_us_(std::max<std::int64_t>(1, limit_us)) {
  std::int64_t saved = 0;
  for (const auto& gap : gaps) {
    const auto length = gap.to.us - gap.from.us;
    if (length <= limit_us_ || (!pieces_.empty() && gap.from < pieces_.back().gap.to)) {
      continue;
    }
    pieces_.push_back({gap, gap.from.us - saved});
    saved += length - limit_us_;
  }
}

std::int64_t IdleMap::to_shown(MonoTime t) const {
  const auto it =
      std::upper_bound(pieces_.begin(), pieces_.end(), t,
                       [](MonoTime wanted, const Piece& piece) { return wanted < piece.gap.from; });
  if (it == pieces_.begin()) {
    return t.us;
  }
  const auto& piece = *std::prev(it);
  if (t >= piece.gap.to) {
    return piece.shown_from + limit_us_ + (t.us - piece.gap.to.us);
  }
  return piece.shown_from +
         scale(t.us - piece.gap.from.us, limit_us_, piece.gap.to.us - piece.gap.from.us);
}

MonoTime IdleMap::to_recorded(std::int64_t shown) const {
  const auto it = std::upper_bound(
      pieces_.begin(), pieces_.end(), shown,
      [](std::int64_t wanted, const Piece& piece) { return wanted < piece.shown_from; });
  if (it == pieces_.begin()) {
    return {shown};
  }
  const auto& piece = *std::prev(it);
  const auto inside = shown - piece.shown_from;
  if (inside >= limit_us_) {
    return {piece.gap.to.us + (inside - limit_us_)};
  }
  return {piece.gap.from.us + scale(inside, piece.gap.to.us - piece.gap.from.us, limit_us_)};
}

const IdleGap* IdleMap::gap_at(MonoTime t) const {
  const auto it =
      std::upper_bound(pieces_.begin(), pieces_.end(), t,
                       [](MonoTime wanted, const Piece& piece) { return wanted < piece.gap.from; });
  if (it == pieces_.begin() || t >= std::prev(it)->gap.to) {
    return nullptr;
  }
  return &std::prev(it)->gap;
}

}  // namespace sworn::player
