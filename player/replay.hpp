// SPDX-License-Identifier: Apache-2.0
// The screen of a recording at any moment: events in, a terminal state out, forward by replaying
// and anywhere by way of keyframes. seek_time(t) always equals a straight replay of all events up
// to `t`, however the position was reached before. One thread; the keyframe index may be filled by
// another.
#pragma once

#include "player/event_source.hpp"
#include "player/keyframes.hpp"
#include "player/screen_state.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::player {

class Replay {
 public:
  Replay(std::unique_ptr<EventSource> source, const ScreenSetup& setup,
         std::shared_ptr<const KeyframeIndex> keyframes);

  // All events with a time <= `t` have happened: of equal times, all.
  Result<void> seek_time(MonoTime t);
  // All events with a number < `position` have happened.
  Result<void> seek_position(std::uint64_t position);
  // Applies one event and tells its kind; nothing at the end.
  Result<std::optional<format::EventKind>> step();
  // The number of the last event before `position` that can have changed the picture.
  Result<std::optional<std::uint64_t>> last_visible_before(std::uint64_t position);
  // Where the next or previous change of the picture leads: the position right after the event that
  // made it. Nothing where there is none, or where `give_up` says that the search took long enough.
  Result<std::optional<std::uint64_t>> next_change(const std::function<bool()>& give_up);
  Result<std::optional<std::uint64_t>> previous_change(const std::function<bool()>& give_up);
  // What stood in a row of the screen up to here, oldest first: at most `most` states, fewer where
  // `give_up` says that it took long enough. The position moves: go back to it.
  struct RowMoment {
    std::uint64_t position = 0;  // from which on it stood there
    MonoTime t;
    std::string text;
  };
  Result<std::vector<RowMoment>> row_history(int row, std::size_t most,
                                             const std::function<bool()>& give_up);
  // The last input events before `position`, oldest first, at most `count`.
  Result<std::vector<format::Event>> inputs_before(std::uint64_t position, std::size_t count);
  // Takes in what a live recording gained; the position stays.
  Result<void> refresh();

  [[nodiscard]] const vt::Terminal& terminal() const { return screen_.terminal(); }
  [[nodiscard]] std::uint64_t position() const { return position_; }
  // Time of the last event applied; the first event's before that.
  [[nodiscard]] MonoTime time() const;
  [[nodiscard]] const EventSource& source() const { return *source_; }
  // Sum of replay_cost() of what was replayed so far: shows how much work seeks take.
  [[nodiscard]] std::uint64_t work() const { return work_; }

  // True where going to `t` or `position` would mean to replay far beyond the keyframes made so
  // far.
  [[nodiscard]] bool far_from_keyframes(MonoTime t) const;

 private:
  Result<void> start_from(const KeyframePtr& keyframe);
  Result<void> ensure_peeked();
  // Calls `use` for the events in [from, to) without applying them.
  Result<void> look_at(std::uint64_t from, std::uint64_t to,
                       const std::function<void(const format::EventView&)>& use);
  void apply_peeked();

  std::unique_ptr<EventSource> source_;
  ScreenState screen_;
  std::shared_ptr<const KeyframeIndex> keyframes_;
  std::uint64_t position_ = 0;
  MonoTime t_ = k_before_everything;
  std::optional<format::EventView> peeked_;  // the next event; a view into the source
  bool placed_ = false;                      // the source's cursor stands at position_
  std::uint64_t work_ = 0;
};

}  // namespace sworn::player
