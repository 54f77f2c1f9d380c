// SPDX-License-Identifier: Apache-2.0
// Places the wall times of one log source on the session's clock, also where the wall clock was set
// while the session ran. Setting it back makes one wall time belong to two moments: which of them a
// line means is told by its place among the lines before it, or by a hint of the caller. Give the
// lines in the order of the source. One thread.
#pragma once

#include "base/clock.hpp"
#include "format/clock_map.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace sworn::audit::logs {

class WallTrack {
 public:
  // Lines of one source may come this much out of order before they mean a step of the clock.
  static constexpr std::int64_t k_disorder_us = 5'000'000;

  explicit WallTrack(const format::ClockMap& clock);

  struct Moment {
    MonoTime t;
    bool ambiguous = false;  // more than one moment had this wall time, and only the order decided
  };
  // `near`: about when, by another clock of the line.
  Moment place(WallTime wall, std::optional<MonoTime> near = std::nullopt);

  // By the piece of the last place() alone: ends of intervals.
  [[nodiscard]] MonoTime same_piece(WallTime wall) const;

  // Outside of these no line can fall into [from, to].
  struct Bounds {
    WallTime earliest;
    WallTime latest;
  };
  [[nodiscard]] Bounds bounds(MonoTime from, MonoTime to) const;
  [[nodiscard]] std::size_t pieces() const { return pieces_.size(); }

 private:
  // Samples between two steps. It begins with its first sample and ends where the next one begins.
  struct Piece {
    std::vector<format::ClockMap::Point> points;
    MonoTime end;  // of the last piece: no end
    WallTime end_wall;
  };
  [[nodiscard]] MonoTime in_piece(std::size_t piece, WallTime wall) const;
  [[nodiscard]] WallTime wall_in_piece(std::size_t piece, MonoTime t) const;
  [[nodiscard]] bool fits(std::size_t piece, WallTime wall) const;
  [[nodiscard]] std::int64_t patience(std::size_t piece) const;

  std::vector<Piece> pieces_;
  std::size_t now_ = 0;
  WallTime newest_{INT64_MIN};  // in the piece `now_`
};

}  // namespace sworn::audit::logs
