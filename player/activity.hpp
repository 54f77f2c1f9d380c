// SPDX-License-Identifier: Apache-2.0
// How much happened when: output bytes and keystrokes in equal buckets over the recording. Bounded:
// when the recording outgrows the buckets, their width doubles. Feeds the timeline's sparkline.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace sworn::player {

class Activity {
 public:
  static constexpr std::size_t k_buckets = 8192;

  struct Bucket {
    std::uint64_t output_bytes = 0;
    std::uint32_t inputs = 0;
  };

  Activity() = default;
  // As it was taken apart by the three below.
  Activity(MonoTime start, std::int64_t width_us, std::vector<Bucket> buckets)
      : start_(start), width_us_(width_us), buckets_(std::move(buckets)) {}
  [[nodiscard]] MonoTime start() const { return start_; }
  [[nodiscard]] std::int64_t width_us() const { return width_us_; }
  [[nodiscard]] const std::vector<Bucket>& buckets() const { return buckets_; }

  // Times must not go back before the first one added; those that do count as the first.
  void add_output(MonoTime t, std::size_t bytes);
  void add_input(MonoTime t);

  [[nodiscard]] bool empty() const { return buckets_.empty(); }
  // Sum over [from, to); a bucket that reaches over an edge counts by its share.
  [[nodiscard]] Bucket sum(MonoTime from, MonoTime to) const;

 private:
  Bucket& bucket_for(MonoTime t);

  MonoTime start_;
  std::int64_t width_us_ = 10'000;
  std::vector<Bucket> buckets_;
};

}  // namespace sworn::player
