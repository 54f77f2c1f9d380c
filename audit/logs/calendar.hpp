// SPDX-License-Identifier: Apache-2.0
// Civil time without the C library's per-call cost: dates to seconds, and a local time zone whose
// offset is asked for once an hour of log time. Not thread-safe: one Zone per parser.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::audit::logs {

struct CivilTime {
  std::int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;  // 60 on a leap second
  std::int64_t micros = 0;
};

// Seconds since 1970 as if the time were UTC; nullopt where no such time exists (31 February,
// 25:00).
std::optional<std::int64_t> seconds_of(const CivilTime& time);

// Year of a moment, UTC.
std::int64_t year_of(std::int64_t seconds);

class Zone {
 public:
  static Zone utc() { return Zone(0); }
  static Zone fixed(std::int64_t offset_seconds) { return Zone(offset_seconds); }
  static Zone system();  // TZ and /etc/localtime of this host
  // "local", "UTC", "Z", "+02:00", "-0530"; nullopt for anything else.
  static std::optional<Zone> parse(std::string_view text);

  // UTC seconds of a local time. In the hour that a clock change repeats, the first of the two;
  // `ambiguous` tells. In the hour that it skips, the moment that the old offset gives.
  std::int64_t to_utc(std::int64_t local_seconds, bool* ambiguous = nullptr) const;

 private:
  explicit Zone(std::int64_t offset) : fixed_offset_(offset) {}
  [[nodiscard]] std::int64_t lookup(std::int64_t local_seconds) const;

  std::int64_t fixed_offset_ = 0;
  bool system_ = false;
  mutable std::int64_t cached_quarter_ = INT64_MIN;  // offsets change on quarters of an hour
  mutable std::int64_t cached_offset_ = 0;
  mutable bool cached_ambiguous_ = false;
};

}  // namespace sworn::audit::logs
