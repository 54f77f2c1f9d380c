// SPDX-License-Identifier: Apache-2.0
// Turns the lines of one source into entries on the session's clock: finds each line's time, joins
// lines that have none to the one before, puts audit records together, drops (and counts) what lies
// outside of the window. Whose the entries are is not decided here. Give the lines in the order of
// the source. One thread.
#pragma once

#include "audit/logs/line_parser.hpp"
#include "audit/logs/line_reader.hpp"
#include "audit/logs/lineage.hpp"
#include "audit/logs/record_assembler.hpp"
#include "audit/logs/time_format.hpp"
#include "audit/logs/wall_track.hpp"
#include "base/clock.hpp"
#include "format/clock_map.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::audit::logs {

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
  bool ambiguous = false;       // the clock showed this time twice; the order of lines decided
  std::uint64_t text_at = 0;    // in the text store of an index
  std::uint32_t text_size = 0;
  std::uint32_t why_at = 0;  // index of the reason
};

struct LogSourceInfo {
  std::string name;
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;  // unpacked
  std::uint64_t kept = 0;
  std::uint64_t outside = 0;       // before or after the session
  std::uint64_t no_time = 0;       // and no line before them to inherit from
  std::uint64_t left_out = 0;      // beyond the limits
  std::uint64_t out_of_order = 0;  // older than the line before
  std::uint64_t cut = 0;           // longer than a line may be
  bool guessed_year = false;
  bool guessed_zone = false;
  bool ambiguous = false;                   // lines fell into an hour that the clock showed twice
  LineFormat format = LineFormat::unknown;  // of the first line with a time
  std::int64_t offset_us = 0;               // added to its times
  std::size_t anchors = 0;                  // lines that the offset was measured on; 0: told
  std::string error;                        // it broke off: why; what came before stays
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
  std::size_t anchors = 0;     // lines that it was measured on
  std::string time_format{};   // a time that nothing else finds: time_format.hpp
};

// What all sources of one session share.
struct LogPlacement {
  format::ClockMap clock;  // not empty
  LogWindow window;
  std::string boot_id;  // of the session, as the kernel writes it; empty: not known
};

struct PlacedLine {
  LogEntry entry;
  LineIdentity who;
  std::string text;  // as found: unsanitised
};

class LogPlacer {
 public:
  static constexpr std::size_t k_max_joined = 64 * 1024;  // of lines joined to one entry

  LogPlacer(const LogPlacement& placement, std::uint32_t number, LogSourceOptions options);

  // Appends the entries that are complete now.
  void take(const RawLine& line, std::vector<PlacedLine>& out);
  void end(std::vector<PlacedLine>& out);

  [[nodiscard]] const LogSourceInfo& info() const { return info_; }
  [[nodiscard]] LogSourceInfo& info() { return info_; }
  // How far the source has come on the session's clock; nothing before its first time.
  [[nodiscard]] std::optional<MonoTime> position() const { return position_; }

 private:
  [[nodiscard]] bool outside(WallTime wall) const;
  [[nodiscard]] bool outside(MonoTime t, MonoTime until) const;
  void note(const LineTime& time);
  void place(const LineTime& time, ParsedLine& parsed, const RawLine& line);
  void set_moment(LogEntry& entry, const LineTime& time, std::optional<MonoTime> near);
  void put_audit_event(const AuditEvent& event, std::uint64_t line, std::vector<PlacedLine>& out);
  void join(const RawLine& line, std::vector<PlacedLine>& out);
  void release(std::vector<PlacedLine>& out);
  void left_outside();

  LogWindow window_;
  std::string boot_id_;
  std::uint32_t number_;
  LogSourceOptions options_;
  LogSourceInfo info_;
  LineParser parser_;
  std::optional<TimeFormat> format_;
  WallTrack track_;
  WallTrack::Bounds bounds_;
  RecordAssembler assembler_;
  std::vector<AuditEvent> events_;
  WallTime newest_{INT64_MIN};
  std::optional<MonoTime> position_;
  // The last entry waits for lines that belong to it.
  std::optional<PlacedLine> pending_;
  bool has_previous_ = false;
  std::size_t joined_ = 0;
};

}  // namespace sworn::audit::logs
