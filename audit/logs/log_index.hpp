// SPDX-License-Identifier: Apache-2.0
// The log entries that belong to the time of one session, placed on the session's clock: sorted by
// session time, each an interval where its source's clock is coarse, each with how it is related to
// the session. Texts are as found: unsanitised. Bounded: what falls outside of the window or beyond
// a limit is counted, not kept. Build with LogIndexBuilder in one thread; a finished LogIndex is
// immutable.
#pragma once

#include "audit/logs/line_parser.hpp"
#include "audit/logs/line_reader.hpp"
#include "audit/logs/record_assembler.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/clock_map.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::logs {

enum class LogRelation : std::uint8_t { this_session, same_user, host, unknown };
std::string_view name_of(LogRelation relation);

// What is known of the session, to recognise its lines. Never the terminal: sudo changes it.
struct SessionLineage {
  static constexpr std::uint32_t k_unset = 0xFFFFFFFF;
  std::uint32_t audit_ses = k_unset;
  std::uint32_t loginuid = k_unset;
  std::uint32_t uid = k_unset;
  std::set<std::int64_t>
      pids;  // the recorder, its child, the shells; children are added as they show up
};

struct LogEntry {
  MonoTime t;
  MonoTime until;  // equal to t where the moment is known exactly
  WallTime wall;   // as the source says, its offset corrected
  std::uint32_t source = 0;
  std::uint64_t line = 0;  // in its source, from 1
  LogSeverity severity = LogSeverity::normal;
  LogRelation relation = LogRelation::unknown;
  bool inherited_time = false;  // it has none: that of the line before
  bool out_of_order = false;    // older than the line before
  bool cut = false;             // the line was longer than the limit
  bool guessed = false;         // year or zone are not in the line
  std::uint64_t text_at = 0;    // in the text store
  std::uint32_t text_size = 0;
  std::uint32_t why_at = 0;  // index of the reason
};

struct LogSourceInfo {
  std::string name;
  std::uint64_t lines = 0;
  std::uint64_t kept = 0;
  std::uint64_t outside = 0;   // before or after the session
  std::uint64_t no_time = 0;   // and no line before them to inherit from
  std::uint64_t left_out = 0;  // beyond the limits
  bool guessed_year = false;
  bool guessed_zone = false;
  LineFormat format = LineFormat::unknown;  // of the first line with a time
};

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

struct LogWindow {
  MonoTime from;
  MonoTime to;
  std::int64_t margin_us = 60'000'000;  // kept before and behind
};

struct LogSourceOptions {
  std::string name;
  Zone zone = Zone::utc();
  std::string time_field{};    // of JSON lines
  std::int64_t offset_us = 0;  // added to the source's times: its clock against ours
};

class LogIndexBuilder {
 public:
  static constexpr std::size_t k_max_entries = 4'000'000;
  static constexpr std::size_t k_max_text = 1U << 30U;
  static constexpr std::size_t k_max_joined = 64 * 1024;  // of lines joined to one entry

  // `clock` must not be empty. The window is the session's time.
  LogIndexBuilder(format::ClockMap clock, LogWindow window, SessionLineage lineage);

  // Reads a source to its end.
  Result<void> add(std::unique_ptr<ByteStream> stream, const LogSourceOptions& options);
  // Sorts; the builder is empty afterwards.
  LogIndex finish();

 private:
  struct Source;
  void add_line(Source& source, const RawLine& line);
  void add_audit_event(Source& source, const AuditEvent& event, std::uint64_t line);
  void place(Source& source, const LineTime& time, ParsedLine parsed, const RawLine& line,
             std::string_view text);
  void join(Source& source, const RawLine& line);
  void relate(LogEntry& entry, const ParsedLine& parsed, std::optional<std::int64_t> ppid);
  std::uint32_t reason(std::string text);
  bool store(Source& source, LogEntry entry, std::string_view text);

  format::ClockMap clock_;
  LogWindow window_;
  SessionLineage lineage_;
  LogIndex index_;
};

}  // namespace sworn::audit::logs
