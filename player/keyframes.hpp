// SPDX-License-Identifier: Apache-2.0
// Keyframes: complete screen states from which replay can start, in order, with the frontier up to
// which they were made. Filled by one thread, read by any. Derived data: never evidence, may vanish
// at any time.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "player/event_source.hpp"
#include "player/screen_state.hpp"

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <vector>

namespace sworn::player {

inline constexpr MonoTime k_before_everything{std::numeric_limits<std::int64_t>::min()};

struct Keyframe {
  std::uint64_t position = 0;        // events applied
  MonoTime t = k_before_everything;  // of the last event applied
  std::size_t raw_bytes = 0;
  Bytes packed;  // compressed vt::Terminal::save()
};
using KeyframePtr = std::shared_ptr<const Keyframe>;

// Snapshots beyond this are not kept: replay then starts from an older one.
inline constexpr std::size_t k_max_snapshot_bytes = 64U << 20U;

Result<KeyframePtr> make_keyframe(std::uint64_t position, MonoTime t, const vt::Terminal& terminal);
Result<Bytes> unpack(const Keyframe& keyframe);

class KeyframeIndex {
 public:
  struct Frontier {
    std::uint64_t position = 0;
    MonoTime t = k_before_everything;
    bool complete = false;  // reached the end of the recording, as far as it existed
  };

  // Keyframes come in order of position. Over the memory budget every second one is dropped.
  void add(KeyframePtr keyframe);
  void set_frontier(const Frontier& frontier);
  [[nodiscard]] Frontier frontier() const;

  // The last keyframe that lies at or before the position; nullptr: start from nothing.
  [[nodiscard]] KeyframePtr before_position(std::uint64_t position) const;
  // The last keyframe all of whose events happened at or before `t`.
  [[nodiscard]] KeyframePtr before_time(MonoTime t) const;

  [[nodiscard]] std::vector<KeyframePtr> all() const;
  [[nodiscard]] std::size_t packed_bytes() const;

 private:
  void thin_out();

  mutable std::mutex mutex_;
  std::vector<KeyframePtr> frames_;
  Frontier frontier_;
  std::size_t bytes_ = 0;
};

// Decides where the keyframes go while somebody walks through the events in order.
class KeyframeMaker {
 public:
  // Every 256 KiB of output; large screens less often, so that saving never costs more than
  // replaying.
  static constexpr std::size_t k_interval = 256 * 1024;

  explicit KeyframeMaker(KeyframeIndex& index) : index_(index) {}

  // Call once per event, after it was applied to `screen`.
  Result<void> after_event(const format::EventView& event, const ScreenState& screen);
  // Continue behind a keyframe that exists already.
  void resume() { cost_ = 0; }

 private:
  KeyframeIndex& index_;
  std::size_t cost_ = 0;
  std::size_t interval_ = k_interval;
};

}  // namespace sworn::player
