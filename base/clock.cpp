// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <ctime>

#include <sys/timex.h>

namespace sworn {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec ts{};
  ::clock_gettime(id, &ts);
  return static_cast<std::int64_t>(ts.tv_sec) * 1'000'000 + ts.tv_nsec / 1'000;
}

constexpr std::array<std::int64_t, 7> k_pow10{1, 10, 100, 1'000, 10'000, 100'000, 1'000'000};

// Days since 1970-01-01 of a proleptic Gregorian date, counted from March so that the leap day is
// last.
std::int64_t days_from_civil(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2 ? 1 : 0;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146'097 + static_cast<std::int64_t>(doe) - 719'468;
}

struct Scanner {
  std::string_view text;
  bool ok = true;

  std::int64_t digits(std::size_t n) {
    std::int64_t value = 0;
    if (text.size() < n) {
      ok = false;
      return 0;
    }
    for (std::size_t i = 0; i < n; ++i) {
      if (text[i] < '0' || text[i] > '9') {
        ok = false;
        return 0;
      }
      value = value * 10 + (text[i] - '0');
    }
    text.remove_prefix(n);
    return value;
  }
  void expect(std::string_view any_of) {
    if (text.empty() || any_of.find(text.front()) == std::string_view::npos) {
      ok = false;
      return;
    }
    text.remove_prefix(1);
  }
  std::int64_t fraction() {  // after the point: any number of digits, cut to microseconds
    std::int64_t value = 0;
    std::size_t n = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      if (n < 6) {
        value = value * 10 + (text.front() - '0');
      }
      ++n;
      text.remove_prefix(1);
    }
    ok = ok && n > 0;
    return n < 6 ? value * k_pow10[6 - n] : value;
  }
};

}  // namespace

MonoTime SystemClock::mono() {
  return {read_clock(CLOCK_BOOTTIME)};
}
WallTime SystemClock::wall() {
  return {read_clock(CLOCK_REALTIME)};
}

ClockQuality SystemClock::quality() {
  timex state{};
  const int rc = ::adjtimex(&state);
  return {rc >= 0 && rc != TIME_ERROR && (state.status & STA_UNSYNC) == 0, state.maxerror};
}

std::string format_rfc3339(WallTime t, int fraction_digits) {
  std::int64_t seconds = t.us / 1'000'000;
  std::int64_t micros = t.us % 1'000'000;
  if (micros < 0) {
    micros += 1'000'000;
    --seconds;
  }
  std::tm tm{};
  const auto as_time_t = static_cast<std::time_t>(seconds);
  if (::gmtime_r(&as_time_t, &tm) == nullptr) {
    return "(time out of range)";
  }
  std::string out = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", tm.tm_year + 1900LL,
                                tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
  if (fraction_digits > 0) {
    const auto n = static_cast<std::size_t>(fraction_digits > 6 ? 6 : fraction_digits);
    out += fmt::format(".{:0{}}", micros / k_pow10[6 - n], n);
  }
  return out + "Z";
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  Scanner in{text};
  const auto year = in.digits(4);
  in.expect("-");
  const auto month = in.digits(2);
  in.expect("-");
  const auto day = in.digits(2);
  in.expect("Tt ");
  const auto hour = in.digits(2);
  in.expect(":");
  const auto minute = in.digits(2);
  in.expect(":");
  const auto second = in.digits(2);
  std::int64_t micros = 0;
  if (in.ok && !in.text.empty() && in.text.front() == '.') {
    in.expect(".");
    micros = in.fraction();
  }
  std::int64_t offset = 0;
  if (in.ok && !in.text.empty() && (in.text.front() == 'Z' || in.text.front() == 'z')) {
    in.expect("Zz");
  } else if (in.ok) {
    const std::int64_t sign = !in.text.empty() && in.text.front() == '-' ? -1 : 1;
    in.expect("+-");
    const auto zone_hours = in.digits(2);
    if (in.ok && !in.text.empty() && in.text.front() == ':') {
      in.expect(":");
    }
    const auto zone_minutes = in.digits(2);
    in.ok = in.ok && zone_hours <= 23 && zone_minutes <= 59;
    offset = sign * (zone_hours * 3600 + zone_minutes * 60);
  }
  constexpr std::array<int, 12> k_days{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (!in.ok || !in.text.empty() || month < 1 || month > 12 || day < 1 ||
      day > k_days[static_cast<std::size_t>(month - 1)] || hour > 23 || minute > 59 ||
      second > 60) {
    return std::nullopt;
  }
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  if (month == 2 && day == 29 && !leap) {
    return std::nullopt;
  }
  const auto days = days_from_civil(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  const auto seconds = days * 86'400 + hour * 3600 + minute * 60 + second - offset;
  return WallTime{seconds * 1'000'000 + micros};
}

std::string format_duration(std::int64_t us, int fraction_digits) {
  std::string out = us < 0 ? "-" : "";
  const auto magnitude =
      us < 0 ? ~static_cast<std::uint64_t>(us) + 1 : static_cast<std::uint64_t>(us);
  const std::uint64_t total = magnitude / 1'000'000;
  out += fmt::format("{}:{:02}:{:02}", total / 3600, total / 60 % 60, total % 60);
  if (fraction_digits > 0) {
    const auto n = static_cast<std::size_t>(fraction_digits > 6 ? 6 : fraction_digits);
    out += fmt::format(".{:0{}}",
                       magnitude % 1'000'000 / static_cast<std::uint64_t>(k_pow10[6 - n]), n);
  }
  return out;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  constexpr std::int64_t k_limit = 1'000'000'000;  // seconds; about 31 years
  std::int64_t seconds = 0;
  int parts = 0;
  std::size_t pos = 0;
  while (true) {
    std::int64_t part = 0;
    const auto* begin = text.data() + pos;
    const auto [end, ec] = std::from_chars(begin, text.data() + text.size(), part);
    if (ec != std::errc{} || part < 0 || part > k_limit || *begin == '-' ||
        (parts > 0 && part > 59)) {
      return std::nullopt;
    }
    seconds = seconds * 60 + part;
    ++parts;
    pos = static_cast<std::size_t>(end - text.data());
    if (pos < text.size() && text[pos] == ':' && parts < 3) {
      ++pos;
      continue;
    }
    break;
  }
  if (seconds > k_limit) {
    return std::nullopt;
  }
  std::int64_t micros = 0;
  if (pos < text.size() && text[pos] == '.') {
    Scanner rest{text.substr(pos + 1)};
    micros = rest.fraction();
    if (!rest.ok) {
      return std::nullopt;
    }
    pos = text.size() - rest.text.size();
  }
  if (pos != text.size()) {
    return std::nullopt;
  }
  return seconds * 1'000'000 + micros;
}

}  // namespace sworn
