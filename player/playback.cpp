// SPDX-License-Identifier: Apache-2.0
#include "player/playback.hpp"

#include <algorithm>
#include <cmath>

namespace sworn::player {
namespace {

constexpr double k_slowest = 0.25;
constexpr double k_fastest = 64;

}  // namespace

Playback::Playback(Clock& clock, MonoTime first, MonoTime last)
    : clock_(clock),
      first_(first),
      last_(std::max(first, last)),
      t_(first),
      ticked_(clock.mono()) {}

void Playback::set_bounds(MonoTime first, MonoTime last, bool live) {
  first_ = first;
  last_ = std::max(first, last);
  live_ = live;
  if (!live_ && state_ == PlayState::following) {
    state_ = PlayState::paused;
    t_ = last_;
  }
}

void Playback::set_idle(std::optional<std::int64_t> limit_us, std::span<const IdleGap> gaps) {
  idle_limit_ = limit_us;
  idle_ = limit_us ? IdleMap(gaps, *limit_us) : IdleMap();
}

const IdleGap* Playback::skipped_gap() const {
  return idle_.gap_at(t_);
}

void Playback::play() {
  if (state_ == PlayState::playing) {
    return;
  }
  if (at_end() && !live_) {
    t_ = first_;
  }
  state_ = PlayState::playing;
  ticked_ = clock_.mono();
}

void Playback::pause() {
  tick();
  state_ = PlayState::paused;
}

void Playback::toggle() {
  if (state_ == PlayState::paused) {
    play();
  } else {
    pause();
  }
}

void Playback::follow() {
  t_ = last_;
  if (live_) {
    state_ = PlayState::following;
  } else {
    state_ = PlayState::paused;
  }
}

void Playback::set_speed(double speed) {
  tick();
  speed_ = std::clamp(std::isfinite(speed) ? speed : 1.0, k_slowest, k_fastest);
}

void Playback::faster() {
  set_speed(speed_ * 2);
}
void Playback::slower() {
  set_speed(speed_ / 2);
}

MonoTime Playback::tick() {
  const auto now = clock_.mono();
  const auto passed = std::max<std::int64_t>(0, now.us - ticked_.us);
  ticked_ = now;
  switch (state_) {
    case PlayState::paused:
      break;
    case PlayState::following:
      t_ = last_;
      break;
    case PlayState::playing: {
      // Added to the shown time of the present place, so that a seek or a new limit never shifts
      // it.
      const auto step = static_cast<std::int64_t>(static_cast<double>(passed) * speed_);
      t_ = std::max(t_, idle_.to_recorded(idle_.to_shown(t_) + step));
      if (t_ >= last_) {
        t_ = last_;
        state_ = live_ ? PlayState::following : PlayState::paused;
      }
      break;
    }
  }
  return t_;
}

void Playback::go_to(MonoTime t) {
  ticked_ = clock_.mono();
  t_ = std::clamp(t, first_, last_);
  if (state_ == PlayState::following && t_ < last_) {
    state_ = PlayState::playing;
  }
}

void JumpList::leave(const Playhead& place) {
  forward_.clear();
  if (!back_.empty() && back_.back() == place) {
    return;
  }
  if (back_.size() == k_max) {
    back_.erase(back_.begin());
  }
  back_.push_back(place);
}

std::optional<Playhead> JumpList::undo(const Playhead& here) {
  if (back_.empty()) {
    return std::nullopt;
  }
  const auto place = back_.back();
  back_.pop_back();
  forward_.push_back(here);
  return place;
}

std::optional<Playhead> JumpList::redo(const Playhead& here) {
  if (forward_.empty()) {
    return std::nullopt;
  }
  const auto place = forward_.back();
  forward_.pop_back();
  back_.push_back(here);
  return place;
}

}  // namespace sworn::player
