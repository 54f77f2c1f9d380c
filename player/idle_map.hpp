// SPDX-License-Identifier: Apache-2.0
// Idle skip: a piecewise-linear map from recording time to shown time in which every silence longer
// than the limit lasts as long as the limit. Only the picture of time is changed, never what the
// clock says.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sworn::player {

// A silence: nothing visible happened between the two moments.
struct IdleGap {
  MonoTime from;
  MonoTime to;
};

class IdleMap {
 public:
  IdleMap() = default;  // the identity
  // Gaps in order and without overlap; those up to `limit_us` are left alone.
  IdleMap(std::span<const IdleGap> gaps, std::int64_t limit_us);

  // Shown microseconds at `t`; the zero point is arbitrary. Strictly growing except inside
  // rounding.
  [[nodiscard]] std::int64_t to_shown(MonoTime t) const;
  [[nodiscard]] MonoTime to_recorded(std::int64_t shown) const;
  // The gap that `t` lies in, if one is being skipped there.
  [[nodiscard]] const IdleGap* gap_at(MonoTime t) const;

 private:
  struct Piece {
    IdleGap gap;
    std::int64_t shown_from = 0;  // shown time at gap.from
  };
  std::vector<Piece> pieces_;
  std::int64_t limit_us_ = 0;
};

}  // namespace sworn::player
