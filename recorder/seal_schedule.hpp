// SPDX-License-Identifier: Apache-2.0
// When to seal. Pure: is told what was recorded and what was sealed, says when the next seal is
// due. Seals of an Enter are not decided here: they are made before the Enter is forwarded, only
// their rate is kept here.
#pragma once

#include "base/clock.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace sworn::recorder {

class SealSchedule {
 public:
  static constexpr std::int64_t k_interval_us =
      1'000'000;  // the first unsealed event waits no longer
  static constexpr std::int64_t k_heartbeat_us = 60'000'000;  // also in silence
  static constexpr std::int64_t k_paste_us = 20'000;          // between two seals of Enters
  static constexpr std::size_t k_nudge_bytes =
      256 * 1024;  // a chunk: the worker compresses it while more comes

  explicit SealSchedule(MonoTime start) : last_heartbeat_(start) {}

  // True when the worker should begin with what is there.
  bool on_recorded(std::size_t bytes, MonoTime now) {
    if (!first_unsealed_) {
      first_unsealed_ = now;
    }
    since_nudge_ += bytes;
    if (since_nudge_ < k_nudge_bytes) {
      return false;
    }
    since_nudge_ = 0;
    return true;
  }
  // A seal was asked for or made that covers everything recorded so far.
  void on_sealed() {
    first_unsealed_.reset();
    since_nudge_ = 0;
  }
  void on_critical(MonoTime now) {
    on_sealed();
    last_critical_ = now;
  }
  void on_heartbeat(MonoTime now) {
    on_sealed();
    last_heartbeat_ = now;
  }

  [[nodiscard]] bool interval_due(MonoTime now) const {
    return first_unsealed_ && now.us - first_unsealed_->us >= k_interval_us;
  }
  [[nodiscard]] bool heartbeat_due(MonoTime now) const {
    return now.us - last_heartbeat_.us >= k_heartbeat_us;
  }
  // An Enter may be forwarded from here on; what is typed until then goes with it, under one seal.
  [[nodiscard]] MonoTime critical_allowed() const {
    return last_critical_ ? MonoTime{last_critical_->us + k_paste_us} : MonoTime{0};
  }
  [[nodiscard]] MonoTime next() const {
    const MonoTime beat{last_heartbeat_.us + k_heartbeat_us};
    return first_unsealed_ ? std::min(beat, MonoTime{first_unsealed_->us + k_interval_us}) : beat;
  }

 private:
  std::optional<MonoTime> first_unsealed_;
  std::optional<MonoTime> last_critical_;
  MonoTime last_heartbeat_;
  std::size_t since_nudge_ = 0;
};

}  // namespace sworn::recorder
