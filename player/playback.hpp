// SPDX-License-Identifier: Apache-2.0
// The controls of replay as a pure state machine: what moment of the recording should be shown now.
// Knows neither screens nor files. Time comes from the injected clock only. One thread.
#pragma once

#include "base/clock.hpp"
#include "player/idle_map.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace sworn::player {

// A place in the recording. The position decides between events of the same time.
struct Playhead {
  MonoTime t;
  std::uint64_t position = 0;
  friend bool operator==(const Playhead&, const Playhead&) = default;
};

enum class PlayState : std::uint8_t { paused, playing, following };

class Playback {
 public:
  Playback(Clock& clock, MonoTime first, MonoTime last);

  // Where the recording begins and ends at present; a live one grows.
  void set_bounds(MonoTime first, MonoTime last, bool live);
  // Without a limit nothing is skipped. The place stays.
  void set_idle(std::optional<std::int64_t> limit_us, std::span<const IdleGap> gaps);
  [[nodiscard]] std::optional<std::int64_t> idle_limit() const { return idle_limit_; }
  [[nodiscard]] const IdleGap* skipped_gap() const;
  [[nodiscard]] const IdleMap& idle() const { return idle_; }

  void play();
  void pause();
  void toggle();
  void follow();  // stick to the end of a live recording
  [[nodiscard]] PlayState state() const { return state_; }

  void faster();  // double, up to 64x
  void slower();  // halve, down to 0.25x
  void set_speed(double speed);
  [[nodiscard]] double speed() const { return speed_; }

  // Moves the place by the time that passed; returns it. Pauses at the end of a closed recording.
  MonoTime tick();
  // Goes to a place; playing goes on from there, following ends unless the place is the end.
  void go_to(MonoTime t);

  [[nodiscard]] MonoTime now() const { return t_; }
  [[nodiscard]] MonoTime first() const { return first_; }
  [[nodiscard]] MonoTime last() const { return last_; }
  [[nodiscard]] bool at_end() const { return t_ >= last_; }

 private:
  Clock& clock_;
  MonoTime first_;
  MonoTime last_;
  bool live_ = false;
  PlayState state_ = PlayState::paused;
  double speed_ = 1.0;
  MonoTime t_;
  MonoTime ticked_;  // reading of the clock at the last tick
  std::optional<std::int64_t> idle_limit_;
  IdleMap idle_;
};

// Undo and redo of jumps, as in an editor's jump list.
class JumpList {
 public:
  static constexpr std::size_t k_max = 1'000;
  // Call before a jump, with the place that is left.
  void leave(const Playhead& place);
  std::optional<Playhead> undo(const Playhead& here);
  std::optional<Playhead> redo(const Playhead& here);

 private:
  std::vector<Playhead> back_;
  std::vector<Playhead> forward_;
};

}  // namespace sworn::player
