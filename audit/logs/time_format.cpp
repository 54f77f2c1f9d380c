// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/time_format.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <array>

namespace sworn::audit::logs {
namespace {

constexpr std::string_view k_letters = "YymdebHIpMSfzs%";
constexpr std::int64_t k_second_us = 1'000'000;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

struct Fields {
  CivilTime time;
  bool has_year = false;
  bool has_date = false;
  bool afternoon = false;
  bool twelve_hours = false;
  std::optional<std::int64_t> offset;
  std::optional<std::int64_t> epoch;
  std::int64_t resolution_us = k_second_us;
};

// Up to `most` digits, at least one; blanks in front where `blank`.
bool read_number(std::string_view line, std::size_t& at, std::size_t most, std::int64_t& out,
                 bool blank = false) {
  while (blank && at < line.size() && line[at] == ' ') {
    ++at;
  }
  std::size_t n = 0;
  out = 0;
  while (n < most && at < line.size() && is_digit(line[at])) {
    out = out * 10 + (line[at++] - '0');
    ++n;
  }
  return n > 0;
}

bool read_month(std::string_view line, std::size_t& at, unsigned& out) {
  constexpr std::string_view k_names = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto found =
      line.size() < at + 3 ? std::string_view::npos : k_names.find(line.substr(at, 3));
  if (found == std::string_view::npos || found % 3 != 0) {
    return false;
  }
  out = static_cast<unsigned>(found / 3 + 1);
  at += 3;
  return true;
}

bool read_zone(std::string_view line, std::size_t& at, Fields& out) {
  auto end = at;
  while (end < line.size() && end < at + 6 &&
         (is_digit(line[end]) || line[end] == '+' || line[end] == '-' || line[end] == ':' ||
          line[end] == 'Z')) {
    ++end;
  }
  const auto text = line.substr(at, end - at);
  const auto zone = Zone::parse(text);
  if (text.empty() || !zone) {
    return false;
  }
  out.offset = -zone->to_utc(0);
  at = end;
  return true;
}

bool read_fraction(std::string_view line, std::size_t& at, Fields& out) {
  std::int64_t unit = 100'000;
  bool any = false;
  out.time.micros = 0;
  while (at < line.size() && is_digit(line[at])) {
    out.time.micros += (line[at++] - '0') * unit;
    out.resolution_us = unit > 0 ? unit : 1;
    unit /= 10;
    any = true;
  }
  return any;
}

bool read_letter(char letter, std::string_view line, std::size_t& at, Fields& out) {
  std::int64_t value = 0;
  const auto two = [&](unsigned& field, bool blank = false) {
    const bool ok = read_number(line, at, 2, value, blank);
    field = static_cast<unsigned>(value);
    return ok;
  };
  switch (letter) {
    case 'Y':
    case 'y':
      out.has_year = read_number(line, at, letter == 'Y' ? 4 : 2, value);
      out.time.year = letter == 'Y' ? value : value + (value < 69 ? 2000 : 1900);
      return out.has_year;
    case 'm':
      out.has_date = true;
      return two(out.time.month);
    case 'b':
      out.has_date = true;
      return read_month(line, at, out.time.month);
    case 'd':
    case 'e':
      return two(out.time.day, letter == 'e');
    case 'H':
      return two(out.time.hour);
    case 'I':
      out.twelve_hours = true;
      return two(out.time.hour);
    case 'M':
      return two(out.time.minute);
    case 'S':
      return two(out.time.second);
    case 'p': {
      const auto word = line.substr(at, 2);
      out.afternoon = word == "PM" || word == "pm";
      at += 2;
      return out.afternoon || word == "AM" || word == "am";
    }
    case 'f':
      return read_fraction(line, at, out);
    case 'z':
      return read_zone(line, at, out);
    case 's':
      if (read_number(line, at, 11, value)) {
        out.epoch = value;
        return true;
      }
      return false;
    default:
      return false;
  }
}

}  // namespace

Result<void> TimeFormat::check(std::string_view pattern) {
  bool any = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      continue;
    }
    ++i;
    if (i >= pattern.size() || k_letters.find(pattern[i]) == std::string_view::npos) {
      return fail(Errc::bad_usage,
                  fmt::format("%{} is no part of a time format; known are %Y %y %m %d %e %b %H %I "
                              "%p %M %S %f %z %s",
                              printable(pattern.substr(i, 1))));
    }
    any |= pattern[i] != '%';
  }
  return any ? Result<void>{} : fail(Errc::bad_usage, "a time format without a single time in it");
}

std::optional<TimeFormat> TimeFormat::parse(std::string_view pattern, TimeContext context) {
  return check(pattern) ? std::optional(TimeFormat(std::string(pattern), std::move(context)))
                        : std::nullopt;
}

std::optional<LineTime> TimeFormat::match(std::string_view line, std::size_t at) const {
  Fields fields;
  const auto begin = at;
  for (std::size_t i = 0; i < pattern_.size(); ++i) {
    if (pattern_[i] == '%' && i + 1 < pattern_.size() && pattern_[i + 1] != '%') {
      if (!read_letter(pattern_[++i], line, at, fields)) {
        return std::nullopt;
      }
      continue;
    }
    i += pattern_[i] == '%' ? 1U : 0U;
    if (at >= line.size() || line[at] != pattern_[i]) {
      return std::nullopt;
    }
    ++at;
  }
  LineTime out;
  out.resolution_us = fields.resolution_us;
  out.format = LineFormat::iso;
  out.begin = begin;
  out.end = at;
  if (fields.epoch) {
    out.at = {*fields.epoch * k_second_us + fields.time.micros};
    return out;
  }
  if (fields.twelve_hours) {
    fields.time.hour = fields.time.hour % 12 + (fields.afternoon ? 12 : 0);
  }
  if (!fields.has_year) {
    out.guessed_year = true;
    fields.time.year = year_of(context_.reference.us / k_second_us);
  }
  const auto local = seconds_of(fields.time);
  if (!local) {
    return std::nullopt;
  }
  out.guessed_zone = !fields.offset;
  const auto utc =
      fields.offset ? *local - *fields.offset : context_.zone.to_utc(*local, &out.ambiguous);
  out.at = {utc * k_second_us + fields.time.micros};
  return out;
}

std::optional<LineTime> TimeFormat::find(std::string_view line) const {
  const auto searched = line.substr(0, k_search_bytes);
  for (std::size_t at = 0; at < searched.size(); ++at) {
    if (at > 0 && is_digit(searched[at]) && is_digit(searched[at - 1])) {
      continue;  // not the middle of a number
    }
    if (auto time = match(searched, at)) {
      return time;
    }
  }
  return std::nullopt;
}

}  // namespace sworn::audit::logs
