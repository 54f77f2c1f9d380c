// SPDX-License-Identifier: Apache-2.0
#include "player/activity.hpp"

#include <algorithm>
#include <cmath>

namespace sworn::player {

Activity::Bucket& Activity::bucket_for(MonoTime t) {
  if (buckets_.empty()) {
    start_ = t;
  }
  const auto offset = [&] { return std::max<std::int64_t>(0, t.us - start_.us) / width_us_; };
  while (offset() >= static_cast<std::int64_t>(k_buckets)) {
    for (std::size_t i = 0; i * 2 < buckets_.size(); ++i) {
      Bucket merged = buckets_[i * 2];
      if (i * 2 + 1 < buckets_.size()) {
        merged.output_bytes += buckets_[i * 2 + 1].output_bytes;
        merged.inputs += buckets_[i * 2 + 1].inputs;
      }
      buckets_[i] = merged;
    }
    buckets_.resize((buckets_.size() + 1) / 2);
    width_us_ *= 2;
  }
  const auto index = static_cast<std::size_t>(offset());
  if (index >= buckets_.size()) {
    buckets_.resize(index + 1);
  }
  return buckets_[index];
}

void Activity::add_output(MonoTime t, std::size_t bytes) {
  bucket_for(t).output_bytes += bytes;
}

void Activity::add_input(MonoTime t) {
  ++bucket_for(t).inputs;
}

Activity::Bucket Activity::sum(MonoTime from, MonoTime to) const {
  Bucket total;
  if (buckets_.empty() || to <= from) {
    return total;
  }
  const double width = static_cast<double>(width_us_);
  const double first = static_cast<double>(from.us - start_.us) / width;
  const double last = static_cast<double>(to.us - start_.us) / width;
  const auto begin = static_cast<std::size_t>(std::max(0.0, std::floor(first)));
  const auto end = static_cast<std::size_t>(
      std::clamp(std::ceil(last), 0.0, static_cast<double>(buckets_.size())));
  double bytes = 0;
  double inputs = 0;
  for (std::size_t i = begin; i < end; ++i) {
    const double left = std::max(first, static_cast<double>(i));
    const double right = std::min(last, static_cast<double>(i + 1));
    const double share = std::max(0.0, right - left);
    bytes += static_cast<double>(buckets_[i].output_bytes) * share;
    inputs += static_cast<double>(buckets_[i].inputs) * share;
  }
  // Something is never shown as nothing.
  total.output_bytes = static_cast<std::uint64_t>(std::ceil(bytes));
  total.inputs = static_cast<std::uint32_t>(std::ceil(inputs));
  return total;
}

}  // namespace sworn::player
