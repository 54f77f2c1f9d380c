// SPDX-License-Identifier: Apache-2.0
#include "player/keyframes.hpp"

#include "player/cache_codec.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

constexpr std::size_t k_memory_budget = 96U << 20U;
// A resize deserves a keyframe, but a recording full of resizes must not become a recording of
// keyframes.
constexpr std::size_t k_least_cost_for_resize = 24 * 1024;

}  // namespace

Result<KeyframePtr> make_keyframe(std::uint64_t position, MonoTime t,
                                  const vt::Terminal& terminal) {
  const auto raw = terminal.save();
  if (raw.size() > k_max_snapshot_bytes) {
    return fail(Errc::exhausted, "the screen is too large for a keyframe");
  }
  auto keyframe = std::make_shared<Keyframe>();
  keyframe->position = position;
  keyframe->t = t;
  keyframe->raw_bytes = raw.size();
  TRY_ASSIGN(keyframe->packed, pack_bytes(raw));
  return keyframe;
}

Result<Bytes> unpack(const Keyframe& keyframe) {
  return unpack_bytes(keyframe.packed, k_max_snapshot_bytes);
}

void KeyframeIndex::add(KeyframePtr keyframe) {
  const std::lock_guard lock(mutex_);
  bytes_ += keyframe->packed.size();
  frames_.push_back(std::move(keyframe));
  if (bytes_ > k_memory_budget) {
    thin_out();
  }
}

void KeyframeIndex::thin_out() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < frames_.size(); i += 2) {
    frames_[kept++] = std::move(frames_[i]);
  }
  frames_.resize(kept);
  bytes_ = 0;
  for (const auto& frame : frames_) {
    bytes_ += frame->packed.size();
  }
}

void KeyframeIndex::set_frontier(const Frontier& frontier) {
  const std::lock_guard lock(mutex_);
  frontier_ = frontier;
}

KeyframeIndex::Frontier KeyframeIndex::frontier() const {
  const std::lock_guard lock(mutex_);
  return frontier_;
}

KeyframePtr KeyframeIndex::before_position(std::uint64_t position) const {
  const std::lock_guard lock(mutex_);
  const auto it = std::upper_bound(
      frames_.begin(), frames_.end(), position,
      [](std::uint64_t wanted, const KeyframePtr& frame) { return wanted < frame->position; });
  return it == frames_.begin() ? nullptr : *std::prev(it);
}

KeyframePtr KeyframeIndex::before_time(MonoTime t) const {
  const std::lock_guard lock(mutex_);
  const auto it =
      std::upper_bound(frames_.begin(), frames_.end(), t,
                       [](MonoTime wanted, const KeyframePtr& frame) { return wanted < frame->t; });
  return it == frames_.begin() ? nullptr : *std::prev(it);
}

std::vector<KeyframePtr> KeyframeIndex::all() const {
  const std::lock_guard lock(mutex_);
  return frames_;
}

std::size_t KeyframeIndex::packed_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

Result<void> KeyframeMaker::after_event(const format::EventView& event, const ScreenState& screen) {
  cost_ += replay_cost(event);
  const bool after_resize =
      event.kind == format::EventKind::resize && cost_ >= k_least_cost_for_resize;
  if (cost_ < interval_ && !after_resize) {
    return {};
  }
  cost_ = 0;
  auto keyframe = make_keyframe(event.number + 1, event.t, screen.terminal());
  if (!keyframe) {
    interval_ = std::max(interval_, 4 * k_max_snapshot_bytes);
    return {};
  }
  interval_ = std::max(k_interval, 4 * (*keyframe)->raw_bytes);
  index_.add(*std::move(keyframe));
  return {};
}

}  // namespace sworn::player
