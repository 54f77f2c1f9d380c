// SPDX-License-Identifier: Apache-2.0
// The log entries that belong to the time of one session, placed on the session's clock: sorted by
// session time, each an interval where its source's clock is coarse, each with how it is related to
// the session. Texts are as found: unsanitised. Bounded: what falls outside of the window or beyond
// a limit is counted, not kept. Build with LogIndexBuilder in one thread; a finished LogIndex is
// immutable.
#pragma once

#include "audit/logs/log_placer.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/clock_map.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::logs {

class LogIndex {
 public:
  [[nodiscard]] const std::vector<LogEntry>& entries() const { return entries_; }  // by t
  [[nodiscard]] const std::vector<LogSourceInfo>& sources() const { return sources_; }
  [[nodiscard]] std::string_view text(const LogEntry& entry) const;
  [[nodiscard]] std::string_view why(const LogEntry& entry) const;  // "ses 2", "pid 5191", ""

  // Index of the first entry with t >= `t`; entries().size() where there is none.
  [[nodiscard]] std::size_t lower_bound(MonoTime t) const;
  [[nodiscard]] std::span<const LogEntry> between(MonoTime from, MonoTime to) const;  // [from, to)
  // The nearest entry of at least that severity behind or before `t`.
  [[nodiscard]] std::optional<std::size_t> next_trouble(MonoTime t, LogSeverity at_least) const;
  [[nodiscard]] std::optional<std::size_t> previous_trouble(MonoTime t, LogSeverity at_least) const;

 private:
  friend class LogIndexBuilder;
  std::vector<LogEntry> entries_;
  std::vector<LogSourceInfo> sources_;
  std::vector<std::string> reasons_{std::string()};
  std::string texts_;
};

class LogIndexBuilder {
 public:
  static constexpr std::size_t k_max_entries = 4'000'000;
  static constexpr std::size_t k_max_text = 1U << 30U;
  static constexpr std::size_t k_max_joined = LogPlacer::k_max_joined;

  // The clock must not be empty. The window is the session's time.
  LogIndexBuilder(LogPlacement placement, SessionLineage lineage);
  LogIndexBuilder(format::ClockMap clock, LogWindow window, SessionLineage lineage)
      : LogIndexBuilder(LogPlacement{std::move(clock), window, {}}, std::move(lineage)) {}

  // Reads a source to its end. Where it breaks off, what came before stays.
  Result<void> add(std::unique_ptr<ByteStream> stream, const LogSourceOptions& options);
  // Decides whose each line is, sorts; the builder is empty afterwards.
  LogIndex finish();

 private:
  void store(LogSourceInfo& info, PlacedLine&& line);
  std::uint32_t reason(std::string text);

  LogPlacement placement_;
  SessionLineage lineage_;
  LogIndex index_;
  std::vector<LineIdentity> who_;  // beside the entries, until finish()
};

}  // namespace sworn::audit::logs
