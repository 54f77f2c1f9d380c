// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/log_timestamp.hpp"

#include <array>

namespace sworn::audit::logs {
namespace {

constexpr std::int64_t k_second_us = 1'000'000;
constexpr std::array<std::int64_t, 7> k_fraction_us{1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Forward cursor over one line; every step is bounded by the view.
class Scan {
 public:
  explicit Scan(std::string_view text, std::size_t at = 0) : text_(text), at_(at) {}

  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool done() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  bool skip(char c) {
    if (peek() != c || done()) {
      return false;
    }
    ++at_;
    return true;
  }
  bool skip_any(std::string_view of) {
    if (done() || of.find(peek()) == std::string_view::npos) {
      return false;
    }
    ++at_;
    return true;
  }
  // Exactly n digits.
  bool digits(std::size_t n, std::int64_t& out) {
    if (text_.size() - at_ < n) {
      return false;
    }
    std::int64_t value = 0;
    for (std::size_t i = 0; i < n; ++i) {
      if (!is_digit(text_[at_ + i])) {
        return false;
      }
      value = value * 10 + (text_[at_ + i] - '0');
    }
    at_ += n;
    out = value;
    return true;
  }
  bool digits(std::size_t n, unsigned& out) {
    std::int64_t value = 0;
    if (!digits(n, value)) {
      return false;
    }
    out = static_cast<unsigned>(value);
    return true;
  }
  // At least one digit, at most `most`.
  bool number(std::int64_t& out, std::size_t most = 18) {
    std::int64_t value = 0;
    std::size_t n = 0;
    while (n < most && is_digit(peek())) {
      value = value * 10 + (peek() - '0');
      ++at_;
      ++n;
    }
    out = value;
    return n > 0 && !is_digit(peek());
  }
  // Digits of a fraction: microseconds, and how fine the clock was.
  bool fraction(std::int64_t& micros, std::int64_t& resolution) {
    std::size_t n = 0;
    std::int64_t value = 0;
    while (is_digit(peek())) {
      if (n < 6) {
        value += (peek() - '0') * k_fraction_us[n + 1];
      }
      ++n;
      ++at_;
    }
    micros = value;
    resolution = n < 6 ? k_fraction_us[n] : 1;
    return n > 0;
  }

 private:
  std::string_view text_;
  std::size_t at_;
};

std::optional<unsigned> month_number(std::string_view name) {
  constexpr std::array<std::string_view, 12> k_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned i = 0; i < 12; ++i) {
    if (name == k_names[i]) {
      return i + 1;
    }
  }
  return std::nullopt;
}

// "01:53:15" with an optional fraction.
bool clock_time(Scan& in, CivilTime& time, std::int64_t& resolution) {
  if (!in.digits(2, time.hour) || !in.skip(':') || !in.digits(2, time.minute) || !in.skip(':') ||
      !in.digits(2, time.second)) {
    return false;
  }
  resolution = k_second_us;
  if ((in.peek() == '.' || in.peek() == ',') && is_digit(in.peek(1))) {
    in.skip_any(".,");
    return in.fraction(time.micros, resolution);
  }
  return true;
}

// Seconds east of UTC behind a time: "Z", "+02:00", "-0530", "+02". False: there is none.
bool zone_offset(Scan& in, std::int64_t& offset) {
  if (in.skip_any("Zz")) {
    offset = 0;
    return true;
  }
  const char sign = in.peek();
  if ((sign != '+' && sign != '-') || !is_digit(in.peek(1)) || !is_digit(in.peek(2))) {
    return false;
  }
  in.skip(sign);
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  in.digits(2, hours);
  if (in.peek() == ':' && is_digit(in.peek(1))) {
    in.skip(':');
  }
  if (is_digit(in.peek()) && is_digit(in.peek(1))) {
    in.digits(2, minutes);
  }
  if (hours > 18 || minutes > 59) {
    return false;
  }
  offset = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
  return true;
}

bool finish(LineTime& out, const CivilTime& time, const std::int64_t* offset,
            const TimeContext& context) {
  const auto seconds = seconds_of(time);
  if (!seconds) {
    return false;
  }
  std::int64_t utc = 0;
  if (offset != nullptr) {
    utc = *seconds - *offset;
  } else {
    utc = context.zone.to_utc(*seconds, &out.ambiguous);
    out.guessed_zone = true;
  }
  out.at = {utc * k_second_us + time.micros};
  return true;
}

// "2026-11-21T01:53:15.123+01:00", "2026/11/21 01:53:15,123", "2026-11-21 01:53:15 +0100".
std::optional<LineTime> iso_time(std::string_view line, std::size_t at,
                                 const TimeContext& context) {
  Scan in(line, at);
  CivilTime time;
  if (!in.digits(4, time.year)) {
    return std::nullopt;
  }
  const char dash = in.peek();
  if (!in.skip_any("-/") || !in.digits(2, time.month) || !in.skip(dash) ||
      !in.digits(2, time.day) || !in.skip_any("Tt _")) {
    return std::nullopt;
  }
  LineTime out;
  if (!clock_time(in, time, out.resolution_us)) {
    return std::nullopt;
  }
  std::int64_t offset = 0;
  bool zoned = zone_offset(in, offset);
  if (!zoned && in.peek() == ' ') {  // "... 01:53:15 +0100", "... 01:53:15 UTC"
    Scan behind(line, in.at() + 1);
    if (line.substr(behind.at(), 3) == "UTC") {
      behind = Scan(line, behind.at() + 3);
      zoned = true;
    } else if (behind.peek() == '+' || behind.peek() == '-') {
      zoned = zone_offset(behind, offset);
    }
    if (zoned) {
      in = behind;
    }
  }
  if (!finish(out, time, zoned ? &offset : nullptr, context)) {
    return std::nullopt;
  }
  out.format = LineFormat::iso;
  out.begin = at;
  out.end = in.at();
  return out;
}

// "Nov 21 01:53:15", "Nov  1 01:53:15.123", "Nov 21 2026 01:53:15".
std::optional<LineTime> syslog_time(std::string_view line, std::size_t at,
                                    const TimeContext& context) {
  if (line.size() < at + 15 || line[at + 3] != ' ') {
    return std::nullopt;
  }
  const auto month = month_number(line.substr(at, 3));
  if (!month) {
    return std::nullopt;
  }
  Scan in(line, at + 4);
  in.skip(' ');
  CivilTime time;
  time.month = *month;
  std::int64_t day = 0;
  if (!in.number(day, 2) || !in.skip(' ')) {
    return std::nullopt;
  }
  time.day = static_cast<unsigned>(day);
  LineTime out;
  Scan with_year = in;
  bool has_year = false;
  if (with_year.digits(4, time.year) && with_year.skip(' ')) {
    has_year = true;
    in = with_year;
  }
  if (!clock_time(in, time, out.resolution_us)) {
    return std::nullopt;
  }
  out.format = LineFormat::syslog;
  out.begin = at;
  out.end = in.at();
  if (has_year) {
    return finish(out, time, nullptr, context) ? std::optional(out) : std::nullopt;
  }
  // The year that brings the line closest to the reference: in January, December lies behind.
  // Usually it is the reference's own, and looking at the others would be half of the work.
  constexpr std::int64_t k_half_year_us = 180LL * 86'400 * k_second_us;
  const auto year = year_of(context.reference.us / k_second_us);
  std::optional<LineTime> best;
  std::int64_t best_distance = 0;
  for (const auto candidate : {year, year - 1, year + 1}) {
    auto guess = out;
    time.year = candidate;
    if (!finish(guess, time, nullptr, context)) {
      continue;  // 29 February in another year
    }
    const auto distance = guess.at.us > context.reference.us ? guess.at.us - context.reference.us
                                                             : context.reference.us - guess.at.us;
    if (!best || distance < best_distance) {
      best = guess;
      best_distance = distance;
    }
    if (best_distance < k_half_year_us) {
      break;
    }
  }
  if (best) {
    best->guessed_year = true;
  }
  return best;
}

// "21/Nov/2026:01:53:15 +0000"
std::optional<LineTime> access_time(std::string_view line, std::size_t at,
                                    const TimeContext& context) {
  Scan in(line, at);
  CivilTime time;
  if (line.size() < at + 20 || !in.digits(2, time.day) || !in.skip('/')) {
    return std::nullopt;
  }
  const auto month = month_number(line.substr(in.at(), 3));
  if (!month) {
    return std::nullopt;
  }
  time.month = *month;
  in = Scan(line, in.at() + 3);
  LineTime out;
  if (!in.skip('/') || !in.digits(4, time.year) || !in.skip(':') ||
      !clock_time(in, time, out.resolution_us)) {
    return std::nullopt;
  }
  std::int64_t offset = 0;
  bool zoned = false;
  if (in.peek() == ' ') {
    Scan behind(line, in.at() + 1);
    zoned = zone_offset(behind, offset);
    if (zoned) {
      in = behind;
    }
  }
  if (!finish(out, time, zoned ? &offset : nullptr, context)) {
    return std::nullopt;
  }
  out.format = LineFormat::access;
  out.begin = at;
  out.end = in.at();
  return out;
}

// "audit(1795224237.507:62)"
std::optional<LineTime> auditd_time(std::string_view line) {
  constexpr std::string_view k_mark = "msg=audit(";
  const auto at = line.find(k_mark);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  Scan in(line, at + k_mark.size());
  std::int64_t seconds = 0;
  std::int64_t micros = 0;
  std::int64_t resolution = k_second_us;
  std::int64_t serial = 0;
  if (!in.number(seconds, 11) || !in.skip('.') || !in.fraction(micros, resolution) ||
      !in.skip(':') || !in.number(serial) || !in.skip(')')) {
    return std::nullopt;
  }
  LineTime out;
  out.at = {seconds * k_second_us + micros};
  out.resolution_us = k_auditd_resolution_us;
  out.format = LineFormat::auditd;
  out.begin = at + k_mark.size();
  out.end = in.at() - 1;
  return out;
}

// "[ 1234.567890] text"
std::optional<LineTime> dmesg_time(std::string_view line, std::size_t at) {
  Scan in(line, at);
  if (!in.skip('[')) {
    return std::nullopt;
  }
  while (in.skip(' ')) {
  }
  std::int64_t seconds = 0;
  std::int64_t micros = 0;
  LineTime out;
  const auto begin = in.at();
  if (!in.number(seconds, 11) || !in.skip('.') || !in.fraction(micros, out.resolution_us) ||
      in.peek() != ']') {
    return std::nullopt;
  }
  out.at = {seconds * k_second_us + micros};
  out.format = LineFormat::dmesg;
  out.from_boot = true;
  out.begin = begin;
  out.end = in.at();
  return out;
}

// The value of one of the usual keys in "key=value key=value".
std::optional<LineTime> logfmt_time(std::string_view line, const TimeContext& context) {
  constexpr std::array<std::string_view, 5> k_keys{"time=", "ts=", "timestamp=", "t=", "date="};
  for (const auto key : k_keys) {
    for (auto at = line.find(key); at != std::string_view::npos; at = line.find(key, at + 1)) {
      if (at != 0 && line[at - 1] != ' ') {
        continue;
      }
      auto begin = at + key.size();
      const bool quoted = begin < line.size() && line[begin] == '"';
      begin += quoted ? 1 : 0;
      const auto end = line.find(quoted ? '"' : ' ', begin);
      auto time = parse_time_value(
          line.substr(begin, end == std::string_view::npos ? end : end - begin), context);
      if (time) {
        time->format = LineFormat::logfmt;
        time->begin += begin;
        time->end += begin;
        return time;
      }
    }
  }
  return std::nullopt;
}

// "<34>" at the start: where the rest begins.
std::size_t after_priority(std::string_view line, std::size_t at) {
  Scan in(line, at);
  std::int64_t priority = 0;
  return in.skip('<') && in.number(priority, 3) && in.skip('>') ? in.at() : at;
}

std::optional<LineTime> epoch_prefix(std::string_view line) {
  std::size_t end = 0;
  while (end < line.size() && (is_digit(line[end]) || line[end] == '.')) {
    ++end;
  }
  if (end < 10 || end > 20 ||
      (end < line.size() && line[end] != ' ' && line[end] != '\t' && line[end] != ':')) {
    return std::nullopt;
  }
  return parse_epoch(line.substr(0, end));
}

// An ISO or access time that does not stand at the start: "[2026-...", "INFO 2026-...", "1.2.3.4 -
// - [21/...".
std::optional<LineTime> search_time(std::string_view line, const TimeContext& context) {
  for (std::size_t at = 0; at + 19 <= line.size(); ++at) {
    if (!is_digit(line[at]) || (at > 0 && (is_digit(line[at - 1]) || line[at - 1] == '.'))) {
      continue;
    }
    if (line[at + 4] == '-' || line[at + 4] == '/') {
      if (auto time = iso_time(line, at, context)) {
        return time;
      }
    } else if (line[at + 2] == '/' && line[at + 6] == '/') {
      if (auto time = access_time(line, at, context)) {
        return time;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(LineFormat format) {
  constexpr std::array<std::string_view, 10> k_names{"unknown", "syslog", "syslog_5424", "iso",
                                                     "auditd",  "json",   "logfmt",      "access",
                                                     "dmesg",   "epoch"};
  return k_names[static_cast<std::size_t>(format) % k_names.size()];
}

std::optional<LineTime> parse_epoch(std::string_view digits) {
  Scan in(digits);
  std::int64_t whole = 0;
  if (!in.number(whole, 19 - 1)) {
    if (digits.size() != 19) {  // nanoseconds have 19 digits
      return std::nullopt;
    }
    in = Scan(digits);
    std::int64_t last = 0;
    if (!in.digits(18, whole) || !in.digits(1, last)) {
      return std::nullopt;
    }
    whole = whole / 100;  // microseconds
    LineTime out{.at = {whole}, .resolution_us = 1, .format = LineFormat::epoch};
    out.end = digits.size();
    return out;
  }
  std::int64_t micros = 0;
  std::int64_t resolution = k_second_us;
  const bool fraction = in.skip('.');
  if ((fraction && !in.fraction(micros, resolution)) || !in.done()) {
    return std::nullopt;
  }
  LineTime out;
  out.format = LineFormat::epoch;
  out.end = digits.size();
  if (whole >= 100'000'000 && whole < 100'000'000'000) {  // 1973 to 5138
    out.at = {whole * k_second_us + micros};
    out.resolution_us = resolution;
  } else if (whole < 100'000'000'000'000 && whole >= 100'000'000'000) {
    out.at = {whole * 1'000 + micros / 1'000};
    out.resolution_us = fraction ? 1 : 1'000;
  } else if (whole < 100'000'000'000'000'000 && whole >= 100'000'000'000'000) {
    out.at = {whole};
  } else {
    return std::nullopt;
  }
  return out;
}

std::optional<LineTime> parse_time_value(std::string_view text, const TimeContext& context) {
  text = text.substr(0, k_search_bytes);
  if (text.empty()) {
    return std::nullopt;
  }
  if (text.size() >= 19 && is_digit(text[0]) && (text[4] == '-' || text[4] == '/')) {
    return iso_time(text, 0, context);
  }
  if (is_digit(text[0])) {
    if (auto time = access_time(text, 0, context)) {
      return time;
    }
    return parse_epoch(text);
  }
  return syslog_time(text, 0, context);
}

std::optional<LineTime> parse_line_time(std::string_view line, const TimeContext& context) {
  line = line.substr(0, k_search_bytes);
  if (line.empty()) {
    return std::nullopt;
  }
  if (line.starts_with("type=") || line.starts_with("node=")) {
    if (auto time = auditd_time(line)) {
      return time;
    }
  }
  const auto start = after_priority(line, 0);
  const bool has_priority = start != 0;
  if (has_priority && line.substr(start, 2) == "1 ") {  // RFC 5424
    if (auto time = iso_time(line, start + 2, context)) {
      time->format = LineFormat::syslog_5424;
      return time;
    }
  }
  if (auto time = syslog_time(line, start, context)) {
    return time;
  }
  if (line[0] == '[' || has_priority) {
    if (auto time = dmesg_time(line, start)) {
      return time;
    }
  }
  if (is_digit(line[0])) {
    if (auto time = iso_time(line, 0, context)) {
      return time;
    }
    if (auto time = epoch_prefix(line)) {
      return time;
    }
  }
  if (auto time = search_time(line, context)) {
    return time;
  }
  if (auto time = auditd_time(line)) {
    return time;
  }
  return logfmt_time(line, context);
}

}  // namespace sworn::audit::logs
