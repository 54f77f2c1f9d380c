// SPDX-License-Identifier: Apache-2.0
// How far a source's clock is from the session's: measured on what both sides know, the command
// lines that auditd saw executed word for word and those that sudo wrote down. Many pairs are
// tried; the offset that most lines agree on wins, or none. One thread.
#pragma once

#include "audit/logs/decompress.hpp"
#include "audit/logs/log_placer.hpp"
#include "audit/logs/session_facts.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::audit::logs {

struct MeasuredOffset {
  std::int64_t add_us = 0;       // to the source's times
  std::size_t lines = 0;         // that agree
  std::int64_t fineness_us = 0;  // what such lines can tell: the grid of the source's clock
};

inline constexpr std::int64_t k_max_offset_us = 900'000'000;
inline constexpr std::size_t k_least_anchors = 2;

// Pairs of lines and commands, as the times by which the lines lie too early.
class OffsetVote {
 public:
  explicit OffsetVote(const SessionFacts& facts) : facts_(facts) {}
  void add(const PlacedLine& line);
  // nullopt where fewer than k_least_anchors lines agree, or no more than disagree.
  [[nodiscard]] std::optional<MeasuredOffset> result() const;

 private:
  struct Pair {
    std::int64_t delta_us = 0;
    std::size_t line = 0;
  };
  void pair_with(const std::vector<std::size_t>& commands, MonoTime t);

  const SessionFacts& facts_;
  std::vector<Pair> pairs_;
  std::size_t lines_ = 0;  // that have a partner
  std::int64_t grid_us_ = 0;
};

// Reads the source once, at most `most_bytes` of it.
std::optional<MeasuredOffset> measure_offset(std::unique_ptr<ByteStream> stream,
                                             const LogSourceOptions& options,
                                             const SessionFacts& facts,
                                             std::uint64_t most_bytes = 256U << 20U);

}  // namespace sworn::audit::logs
