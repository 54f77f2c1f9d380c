// SPDX-License-Identifier: Apache-2.0
// Finds the time of a log line: syslog (RFC 3164, 5424), ISO 8601 in its everyday variants, auditd,
// web access logs, logfmt, dmesg, seconds since 1970. JSON lines: json_line.hpp. An entry is an
// interval: it happened in [at, at + resolution). What had to be guessed (year, zone) is said.
// Takes hostile bytes; looks at the first k_search_bytes of a line only; allocates nothing.
#pragma once

#include "audit/logs/calendar.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sworn::audit::logs {

enum class LineFormat : std::uint8_t {
  unknown,
  syslog,       // "Nov 21 01:53:15 host ...", with or without <PRI>
  syslog_5424,  // "<34>1 2026-..."
  iso,          // a line that starts with (or holds early) an ISO 8601 time
  auditd,       // "type=... msg=audit(...)"
  json,         // one object per line
  logfmt,       // "ts=... level=..."
  access,       // "... [21/Nov/2026:01:53:15 +0000] ..."
  dmesg,        // "[ 1234.567890] ...": CLOCK_BOOTTIME-like, no date
  epoch,        // "1795225995.339250 ..."
};
std::string_view name_of(LineFormat format);

struct LineTime {
  WallTime at;
  std::int64_t resolution_us = 1;
  LineFormat format = LineFormat::unknown;
  bool from_boot = false;     // `at` counts from the boot, not from 1970 (dmesg)
  bool guessed_year = false;  // the line has none: the one that comes closest to the reference
  bool guessed_zone = false;  // the line has none: the configured one
  bool ambiguous = false;     // the hour that a clock change repeats
  std::size_t begin = 0;      // where in the line the time stands
  std::size_t end = 0;
};

struct TimeContext {
  WallTime reference;       // about when the lines were written: guesses the year
  Zone zone = Zone::utc();  // for lines without one
};

inline constexpr std::size_t k_search_bytes = 512;
inline constexpr std::int64_t k_auditd_resolution_us = 4'000;  // the coarse clock at 250 Hz

std::optional<LineTime> parse_line_time(std::string_view line, const TimeContext& context);

// One time by itself, as in a field: ISO 8601, seconds/milli/micro/nanoseconds since 1970, syslog,
// access.
std::optional<LineTime> parse_time_value(std::string_view text, const TimeContext& context);

// A number of seconds, milli-, micro- or nanoseconds since 1970, told apart by its size.
std::optional<LineTime> parse_epoch(std::string_view digits);

}  // namespace sworn::audit::logs
