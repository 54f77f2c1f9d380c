// SPDX-License-Identifier: Apache-2.0
#include "player/position_spec.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace sworn::player {
namespace {

constexpr std::int64_t k_second = 1'000'000;
constexpr std::int64_t k_day = 86'400 * k_second;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  text = trimmed(text);
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || value < 0) {
    return std::nullopt;
  }
  return value;
}

// The rest behind one of the words, or nothing.
std::optional<std::string_view> after_word(std::string_view text,
                                           std::initializer_list<std::string_view> words) {
  for (const auto word : words) {
    if (text.size() > word.size() && text.starts_with(word) &&
        (text[word.size()] == ' ' || (text[word.size()] >= '0' && text[word.size()] <= '9'))) {
      return text.substr(word.size());
    }
  }
  return std::nullopt;
}

// RFC 3339 with seconds and zone left to UTC where they are missing.
std::optional<WallTime> lenient_wall(std::string_view text) {
  std::string full(text);
  if (full.size() < 16 || full[4] != '-' || full[7] != '-') {
    return std::nullopt;
  }
  auto zone = full.find_first_of("Zz+-", 11);
  if (zone == std::string::npos) {
    full += 'Z';
    zone = full.size() - 1;
  }
  if (zone == 16) {
    full.insert(16, ":00");
  }
  return parse_rfc3339(full);
}

std::optional<std::int64_t> time_of_day(std::string_view text) {
  if (std::count(text.begin(), text.end(), ':') == 0) {
    return std::nullopt;
  }
  // "14:07" is hours and minutes here, unlike in a duration.
  std::string full(text);
  if (std::count(full.begin(), full.end(), ':') == 1) {
    full += ":00";
  }
  const auto us = parse_duration(full);
  return us && *us < k_day ? us : std::nullopt;
}

Result<PlaceSpec> parse_percent(std::string_view text) {
  double value = 0;
  text = trimmed(text);
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || !(value >= 0 && value <= 100)) {
    return fail(Errc::bad_usage, "a percentage lies between 0 and 100");
  }
  return PlaceSpec{PlaceKind::percent, static_cast<std::int64_t>(std::lround(value * 100))};
}

// The moment within the recording at which the wall clock showed this time of day; first where
// there are two.
std::optional<MonoTime> find_time_of_day(std::int64_t us, const PlaceContext& context) {
  const auto first = context.clock->to_wall(context.first);
  const auto last = context.clock->to_wall(context.last);
  for (std::int64_t day = first.us - (first.us % k_day + k_day) % k_day; day <= last.us;
       day += k_day) {
    const WallTime wall{day + us};
    if (wall >= first && wall <= last) {
      return context.clock->to_mono(wall);
    }
  }
  return std::nullopt;
}

Place at_time(MonoTime t, const PlaceContext& context, std::string meaning) {
  Place place;
  place.t = std::clamp(t, context.first, std::max(context.first, context.last));
  place.meaning = std::move(meaning);
  return place;
}

Result<Place> at_time_of_day(std::int64_t us, const PlaceContext& context) {
  const auto text = format_duration(us, 0);
  if (context.clock != nullptr && !context.clock->empty()) {
    if (const auto t = find_time_of_day(us, context)) {
      return at_time(*t, context, fmt::format("time of day {}Z", text));
    }
  }
  return fail(Errc::not_found, fmt::format("the recording has no moment at {} UTC", text));
}

Result<Place> at_command(std::int64_t n, const PlaceContext& context) {
  const auto count = context.commands == nullptr ? 0 : context.commands->size();
  if (n < 1 || static_cast<std::uint64_t>(n) > count) {
    return fail(Errc::not_found,
                fmt::format("there is no command {}; the recording has {}", n, count));
  }
  const auto& command = (*context.commands)[static_cast<std::size_t>(n - 1)];
  Place place;
  place.by_position = true;
  place.position = command.begin_event + 1;
  place.t = command.begin;
  place.meaning = fmt::format("command {}", n);
  return place;
}

Result<Place> at_event(std::int64_t n, const PlaceContext& context) {
  if (static_cast<std::uint64_t>(n) >= context.end_position) {
    return fail(Errc::not_found,
                fmt::format("there is no event {}; the recording has {}", n, context.end_position));
  }
  Place place;
  place.by_position = true;
  place.position = static_cast<std::uint64_t>(n) + 1;
  place.meaning = fmt::format("event {}", n);
  return place;
}

}  // namespace

Result<PlaceSpec> parse_place(std::string_view text) {
  text = trimmed(text);
  if (text == "start") {
    return PlaceSpec{PlaceKind::start};
  }
  if (text == "end") {
    return PlaceSpec{PlaceKind::end};
  }
  if (text.ends_with('%')) {
    return parse_percent(text.substr(0, text.size() - 1));
  }
  const auto numbered = [](PlaceKind kind, std::string_view rest) -> Result<PlaceSpec> {
    if (const auto n = number(rest)) {
      return PlaceSpec{kind, *n};
    }
    return fail(Errc::bad_usage, "a number must follow, as in: cmd 12, event 40112");
  };
  if (const auto rest = after_word(text, {"command", "cmd"})) {
    return numbered(PlaceKind::command, *rest);
  }
  if (const auto rest = after_word(text, {"event", "ev"})) {
    return numbered(PlaceKind::event, *rest);
  }
  if (const auto wall = lenient_wall(text)) {
    return PlaceSpec{PlaceKind::wall, wall->us};
  }
  if (text.starts_with('+') || text.starts_with('-')) {
    if (const auto us = parse_duration(text.substr(1))) {
      return PlaceSpec{PlaceKind::from_here, text.front() == '-' ? -*us : *us};
    }
  }
  if (text.starts_with('@') || text.ends_with('Z')) {
    const auto inner = text.starts_with('@') ? text.substr(1) : text;
    if (const auto us =
            time_of_day(inner.ends_with('Z') ? inner.substr(0, inner.size() - 1) : inner)) {
      return PlaceSpec{PlaceKind::time_of_day, *us};
    }
  }
  if (const auto us = parse_duration(text)) {
    return PlaceSpec{PlaceKind::from_start, *us, std::count(text.begin(), text.end(), ':') == 2};
  }
  return fail(Errc::bad_usage,
              fmt::format("\"{}\" is no place: try 12.5, 1:02:03, +90, -2:00, @14:07:33, "
                          "2026-11-20T14:07:33Z, cmd 12, event 40112, 37%, start or end",
                          printable(text, 60)));
}

Result<Place> resolve(const PlaceSpec& spec, const PlaceContext& context) {
  const auto length = context.last.us - context.first.us;
  switch (spec.kind) {
    case PlaceKind::from_start:
      if (spec.clock_like && spec.value > length && spec.value < k_day) {
        if (auto place = at_time_of_day(spec.value, context)) {
          return place;
        }
      }
      return at_time({context.first.us + spec.value}, context,
                     fmt::format("{} from the start", format_duration(spec.value, 0)));
    case PlaceKind::from_here:
      return at_time({context.here.us + spec.value}, context,
                     fmt::format("{} from here", format_duration(spec.value, 0)));
    case PlaceKind::wall:
      if (context.clock == nullptr || context.clock->empty()) {
        return fail(Errc::not_found, "the recording has no clock to find a date by");
      }
      return at_time(context.clock->to_mono({spec.value}), context,
                     format_rfc3339({spec.value}, 0));
    case PlaceKind::time_of_day:
      return at_time_of_day(spec.value, context);
    case PlaceKind::command:
      return at_command(spec.value, context);
    case PlaceKind::event:
      return at_event(spec.value, context);
    case PlaceKind::percent:
      return at_time({context.first.us +
                      static_cast<std::int64_t>(static_cast<double>(length) *
                                                static_cast<double>(spec.value) / 10'000.0)},
                     context, fmt::format("{} %", static_cast<double>(spec.value) / 100));
    case PlaceKind::start:
      return at_time(context.first, context, "start");
    case PlaceKind::end:
      return at_time(context.last, context, "end");
  }
  return fail(Errc::bad_usage, "no such kind of place");
}

}  // namespace sworn::player
