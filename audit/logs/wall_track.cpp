// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/wall_track.hpp"

#include <algorithm>

namespace sworn::audit::logs {
namespace {

constexpr std::int64_t k_grid_us = 1'000'000;  // syslog cuts off what is below a second
constexpr std::int64_t k_never = INT64_MAX / 4;

std::int64_t distance(MonoTime a, MonoTime b) {
  return a.us > b.us ? a.us - b.us : b.us - a.us;
}

}  // namespace

WallTrack::WallTrack(const format::ClockMap& clock) {
  const auto& points = clock.points();
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i == 0 || format::ClockMap::is_step(points[i - 1], points[i])) {
      pieces_.emplace_back();
    }
    pieces_.back().points.push_back(points[i]);
  }
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    auto& piece = pieces_[i];
    const bool last = i + 1 == pieces_.size();
    piece.end = {last ? k_never : pieces_[i + 1].points.front().mono.us};
    piece.end_wall = {last ? k_never
                           : piece.points.back().wall.us +
                                 (piece.end.us - piece.points.back().mono.us)};
  }
}

MonoTime WallTrack::in_piece(std::size_t piece, WallTime wall) const {
  const auto& points = pieces_[piece].points;
  const auto next = std::upper_bound(
      points.begin(), points.end(), wall,
      [](WallTime value, const format::ClockMap::Point& point) { return value < point.wall; });
  const auto& base = next == points.begin() ? *next : *std::prev(next);
  const auto past = wall.us - base.wall.us;
  if (next == points.begin() || next == points.end() || next->wall.us <= base.wall.us) {
    return {base.mono.us + past};
  }
  const auto share = static_cast<double>(next->mono.us - base.mono.us) /
                     static_cast<double>(next->wall.us - base.wall.us);
  return {base.mono.us + static_cast<std::int64_t>(static_cast<double>(past) * share)};
}

WallTime WallTrack::wall_in_piece(std::size_t piece, MonoTime t) const {
  const auto& points = pieces_[piece].points;
  const auto next = std::upper_bound(
      points.begin(), points.end(), t,
      [](MonoTime value, const format::ClockMap::Point& point) { return value < point.mono; });
  const auto& base = next == points.begin() ? *next : *std::prev(next);
  return {base.wall.us + (t.us - base.mono.us)};
}

// The first piece reaches back without end, the last one forward.
bool WallTrack::fits(std::size_t piece, WallTime wall) const {
  const auto& p = pieces_[piece];
  return (piece == 0 || wall.us >= p.points.front().wall.us - k_grid_us) && wall < p.end_wall;
}

// A step that is smaller than the usual disorder must still be noticed.
std::int64_t WallTrack::patience(std::size_t piece) const {
  if (piece + 1 >= pieces_.size()) {
    return k_disorder_us;
  }
  const auto back = pieces_[piece].end_wall.us - pieces_[piece + 1].points.front().wall.us;
  return back > 0 ? std::min(k_disorder_us, back / 2) : k_disorder_us;
}

WallTrack::Moment WallTrack::place(WallTime wall, std::optional<MonoTime> near) {
  if (pieces_.empty()) {
    return {{wall.us}, false};
  }
  if (pieces_.size() == 1) {
    return {in_piece(0, wall), false};
  }
  std::size_t candidates = 0;
  std::size_t nearest = 0;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    if (fits(i, wall)) {
      if (candidates == 0 ||
          (near && distance(in_piece(i, wall), *near) < distance(in_piece(nearest, wall), *near))) {
        nearest = i;
      }
      ++candidates;
    }
  }
  if (candidates == 0) {  // a time that the clock jumped over: the moment of the jump
    std::size_t after = 0;
    while (after + 1 < pieces_.size() && pieces_[after].end_wall <= wall) {
      ++after;
    }
    return {pieces_[after].points.front().mono, false};
  }
  auto chosen = near ? nearest : now_;
  if (!near) {
    const bool went_back =
        newest_.us != INT64_MIN && wall.us < newest_.us - patience(now_);  // the least: none yet
    if (!fits(now_, wall) || went_back) {
      auto next = now_ + 1;
      while (next < pieces_.size() && !fits(next, wall)) {
        ++next;
      }
      chosen = next < pieces_.size() ? next : (fits(now_, wall) ? now_ : nearest);
    }
  }
  if (chosen != now_) {
    now_ = chosen;
    newest_ = wall;
  }
  newest_ = std::max(newest_, wall);
  return {in_piece(chosen, wall), candidates > 1 && !near};
}

MonoTime WallTrack::same_piece(WallTime wall) const {
  return pieces_.empty() ? MonoTime{wall.us} : in_piece(now_, wall);
}

WallTrack::Bounds WallTrack::bounds(MonoTime from, MonoTime to) const {
  Bounds out{{k_never}, {-k_never}};
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    const auto begin = i == 0 ? from : std::max(from, pieces_[i].points.front().mono);
    const auto end = std::min(to, pieces_[i].end);
    if (begin <= end) {
      out.earliest = std::min(out.earliest, wall_in_piece(i, begin));
      out.latest = std::max(out.latest, wall_in_piece(i, end));
    }
    if (i > 0) {  // times that a clock jumped over are shown at the jump
      out.earliest = std::min(out.earliest, pieces_[i].points.front().wall);
      out.latest = std::max(out.latest, pieces_[i].points.front().wall);
    }
  }
  return out;
}

}  // namespace sworn::audit::logs
