// SPDX-License-Identifier: Apache-2.0
// Piecewise map between the recording's clock (CLOCK_BOOTTIME) and CLOCK_REALTIME, from clock
// events. A step of the wall clock starts a new piece, so that nothing moves to a wrong place;
// during a step backwards one wall time belongs to two moments, and to_mono() gives the first.
#pragma once

#include "base/clock.hpp"

#include <optional>
#include <vector>

namespace sworn::format {

class ClockMap {
 public:
  // Points must come in order of mono; `step` marks a discontinuity before this point.
  void add(MonoTime mono, WallTime wall);
  [[nodiscard]] bool empty() const { return points_.empty(); }
  [[nodiscard]] WallTime to_wall(MonoTime mono) const;  // before the first point: its offset
  [[nodiscard]] MonoTime to_mono(WallTime wall) const;
  [[nodiscard]] std::size_t steps() const;  // discontinuities above 100 ms between neighbours

  struct Point {
    MonoTime mono;
    WallTime wall;
  };
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }
  // Whether the wall clock was set between these neighbours.
  static bool is_step(const Point& a, const Point& b);

 private:
  std::vector<Point> points_;
};

}  // namespace sworn::format
