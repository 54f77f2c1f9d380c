// SPDX-License-Identifier: Apache-2.0
// Time is injected, and the two clocks are different types: what orders a recording
// (CLOCK_BOOTTIME) can never be mixed with what people read (CLOCK_REALTIME). Microseconds in both.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sworn {

// CLOCK_BOOTTIME: monotone, goes on through suspend, starts at boot. Orders everything.
struct MonoTime {
  std::int64_t us = 0;
  friend auto operator<=>(const MonoTime&, const MonoTime&) = default;
};

// CLOCK_REALTIME since 1970 UTC: may jump. For people and for joining other programs' logs.
struct WallTime {
  std::int64_t us = 0;
  friend auto operator<=>(const WallTime&, const WallTime&) = default;
};

// What the kernel knows of its own clock: adjtimex(2).
struct ClockQuality {
  bool synchronised = false;
  std::int64_t max_error_us = 0;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual MonoTime mono() = 0;
  virtual WallTime wall() = 0;
  virtual ClockQuality quality() = 0;
};

class SystemClock final : public Clock {
 public:
  MonoTime mono() override;
  WallTime wall() override;
  ClockQuality quality() override;
};

// "2026-11-21T02:40:42.123456Z"; digits of the fraction: 0..6.
std::string format_rfc3339(WallTime t, int fraction_digits = 6);

// RFC 3339 with zone or Z; nothing else. Fractions beyond microseconds are cut.
std::optional<WallTime> parse_rfc3339(std::string_view text);

// "1:02:03.123" from a duration; negative durations get a leading '-'.
std::string format_duration(std::int64_t us, int fraction_digits = 3);

// "12.5", "1:02", "1:02:03.25" -> microseconds; nullopt where it is none of these.
std::optional<std::int64_t> parse_duration(std::string_view text);

}  // namespace sworn
