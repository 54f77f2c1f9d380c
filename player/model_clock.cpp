// SPDX-License-Identifier: Apache-2.0
// What the clocks of the player show.
#include "player/model.hpp"

#include <fmt/format.h>

#include <ctime>

namespace sworn::player {
namespace {

constexpr std::int64_t k_second = 1'000'000;

// Date, time of day and zone of a moment, put together.
struct Reading {
  std::tm tm{};
  std::string zone;
};

std::optional<Reading> read_viewers_clock(WallTime wall) {
  const auto seconds = static_cast<std::time_t>(wall.us / k_second);
  Reading reading;
  std::array<char, 16> zone{};
  if (::localtime_r(&seconds, &reading.tm) == nullptr ||
      std::strftime(zone.data(), zone.size(), "%Z", &reading.tm) == 0) {
    return std::nullopt;
  }
  reading.zone = zone.data();
  return reading;
}

std::optional<Reading> read_hosts_clock(WallTime wall, std::int64_t offset_s,
                                        const std::string& zone) {
  const auto seconds = static_cast<std::time_t>(wall.us / k_second + offset_s);
  Reading reading;
  if (::gmtime_r(&seconds, &reading.tm) == nullptr) {
    return std::nullopt;
  }
  const auto minutes = offset_s / 60;
  reading.zone = fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                             std::abs(minutes) % 60);
  if (!zone.empty()) {
    reading.zone = zone;
  }
  return reading;
}

}  // namespace

const format::ClockMap& Model::clock_map() const {
  return facts_->clock.empty() ? fallback_clock_ : facts_->clock;
}

WallTime Model::wall_of(MonoTime t) const {
  const auto& map = clock_map();
  return map.empty() ? WallTime{t.us} : map.to_wall(t);
}

std::string Model::clock_text(MonoTime t, int digits) const {
  return clock_text(t, wall_of(t), digits);
}

std::string Model::clock_text(MonoTime t, WallTime wall, int digits) const {
  if (clock_mode_ == ClockMode::elapsed || clock_map().empty()) {
    return "+" + format_duration(t.us - playback_.first().us, digits);
  }
  std::optional<Reading> reading;
  if (clock_mode_ == ClockMode::viewer) {
    reading = read_viewers_clock(wall);
  } else if (clock_mode_ == ClockMode::host && info_.zone_offset_s) {
    reading = read_hosts_clock(wall, *info_.zone_offset_s, info_.zone);
  }
  if (!reading) {
    return format_rfc3339(wall, digits).substr(11);
  }
  const auto fraction = format_rfc3339(wall, digits).substr(19);
  return fmt::format("{:02}:{:02}:{:02}{} {}", reading->tm.tm_hour, reading->tm.tm_min,
                     reading->tm.tm_sec, fraction.substr(0, fraction.size() - 1), reading->zone);
}

std::string Model::date_text(MonoTime t) const {
  if (clock_mode_ == ClockMode::elapsed || clock_map().empty()) {
    return {};
  }
  const auto wall = wall_of(t);
  std::optional<Reading> reading;
  if (clock_mode_ == ClockMode::viewer) {
    reading = read_viewers_clock(wall);
  } else if (clock_mode_ == ClockMode::host && info_.zone_offset_s) {
    reading = read_hosts_clock(wall, *info_.zone_offset_s, info_.zone);
  }
  if (!reading) {
    return format_rfc3339(wall, 0).substr(0, 10);
  }
  return fmt::format("{:04}-{:02}-{:02}", reading->tm.tm_year + 1900, reading->tm.tm_mon + 1,
                     reading->tm.tm_mday);
}

void Model::next_clock() {
  constexpr std::array<std::string_view, 4> k_names{
      "UTC", "the recorded host's clock", "the clock of this host", "time since the start"};
  auto next = (static_cast<std::size_t>(clock_mode_) + 1) % k_names.size();
  const bool skip_host = static_cast<ClockMode>(next) == ClockMode::host && !info_.zone_offset_s;
  next += skip_host ? 1 : 0;
  clock_mode_ = static_cast<ClockMode>(next);
  say(std::string(k_names[next]) +
      (skip_host ? " (the recording does not say the host's zone)" : ""));
}

bool Model::set_clock(std::string_view name) {
  constexpr std::array<std::string_view, 4> k_names{"utc", "host", "viewer", "elapsed"};
  for (std::size_t i = 0; i < k_names.size(); ++i) {
    if (name == k_names[i]) {
      clock_mode_ = static_cast<ClockMode>(i);
      return static_cast<ClockMode>(i) != ClockMode::host || info_.zone_offset_s.has_value();
    }
  }
  return false;
}

}  // namespace sworn::player
