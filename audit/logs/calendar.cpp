// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/calendar.hpp"

#include <array>
#include <ctime>

namespace sworn::audit::logs {
namespace {

constexpr std::int64_t k_quarter = 900;
constexpr std::int64_t k_day = 86'400;

bool is_leap(std::int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

// Days since 1970-01-01; years count from March so that the leap day is the last one.
std::int64_t days_of(std::int64_t year, unsigned month, unsigned day) {
  year -= month <= 2 ? 1 : 0;
  const auto era = (year >= 0 ? year : year - 399) / 400;
  const auto year_of_era = year - era * 400;
  const auto shifted = static_cast<std::int64_t>(month > 2 ? month - 3 : month + 9);
  const auto day_of_year = (153 * shifted + 2) / 5 + static_cast<std::int64_t>(day) - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

std::int64_t offset_at(std::int64_t utc_seconds) {
  const auto t = static_cast<std::time_t>(utc_seconds);
  std::tm local{};
  return ::localtime_r(&t, &local) == nullptr ? 0 : static_cast<std::int64_t>(local.tm_gmtoff);
}

}  // namespace

std::optional<std::int64_t> seconds_of(const CivilTime& time) {
  constexpr std::array<unsigned, 12> k_days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (time.month < 1 || time.month > 12 || time.day < 1 || time.hour > 23 || time.minute > 59 ||
      time.second > 60 || time.year < 1970 || time.year > 9999) {
    return std::nullopt;
  }
  const unsigned leap_day = time.month == 2 && is_leap(time.year) ? 1 : 0;
  if (time.day > k_days[time.month - 1] + leap_day) {
    return std::nullopt;
  }
  return days_of(time.year, time.month, time.day) * k_day + time.hour * 3600 + time.minute * 60 +
         time.second;
}

std::int64_t year_of(std::int64_t seconds) {
  const auto t = static_cast<std::time_t>(seconds);
  std::tm utc{};
  return ::gmtime_r(&t, &utc) == nullptr ? 1970 : utc.tm_year + std::int64_t{1900};
}

Zone Zone::system() {
  ::tzset();
  Zone zone(0);
  zone.system_ = true;
  return zone;
}

std::optional<Zone> Zone::parse(std::string_view text) {
  if (text == "local") {
    return system();
  }
  if (text == "UTC" || text == "Z" || text == "z" || text == "GMT") {
    return utc();
  }
  if (text.size() < 5 || (text.front() != '+' && text.front() != '-')) {
    return std::nullopt;
  }
  const bool colon = text[3] == ':';
  if (text.size() != (colon ? 6U : 5U)) {
    return std::nullopt;
  }
  const auto digit = [&](std::size_t at) { return text[at] - '0'; };
  const std::size_t minutes_at = colon ? 4 : 3;
  for (const std::size_t at : {std::size_t{1}, std::size_t{2}, minutes_at, minutes_at + 1}) {
    if (text[at] < '0' || text[at] > '9') {
      return std::nullopt;
    }
  }
  const int hours = digit(1) * 10 + digit(2);
  const int minutes = digit(minutes_at) * 10 + digit(minutes_at + 1);
  if (hours > 18 || minutes > 59) {
    return std::nullopt;
  }
  const std::int64_t offset = hours * 3600 + minutes * 60;
  return fixed(text.front() == '-' ? -offset : offset);
}

std::int64_t Zone::lookup(std::int64_t local_seconds) const {
  const auto quarter =
      (local_seconds >= 0 ? local_seconds : local_seconds - k_quarter + 1) / k_quarter;
  if (quarter != cached_quarter_) {
    // The offsets a day before and after are the two that can apply.
    const auto before = offset_at(local_seconds - k_day);
    const auto after = offset_at(local_seconds + k_day);
    const bool fits_before = offset_at(local_seconds - before) == before;
    const bool fits_after = offset_at(local_seconds - after) == after;
    cached_quarter_ = quarter;
    cached_ambiguous_ = before != after && fits_before && fits_after;
    cached_offset_ = fits_before || !fits_after ? before : after;
  }
  return cached_offset_;
}

std::int64_t Zone::to_utc(std::int64_t local_seconds, bool* ambiguous) const {
  if (!system_) {
    if (ambiguous != nullptr) {
      *ambiguous = false;
    }
    return local_seconds - fixed_offset_;
  }
  const auto offset = lookup(local_seconds);
  if (ambiguous != nullptr) {
    *ambiguous = cached_ambiguous_;
  }
  return local_seconds - offset;
}

}  // namespace sworn::audit::logs
