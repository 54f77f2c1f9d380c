// SPDX-License-Identifier: Apache-2.0
// Places in a recording as people write them, on the command line and at the prompt:
//   12.5  1:02:03        from the start             +90  -2:00      from here
//   2026-11-20T14:07:33Z (seconds, zone optional)   @14:07:33  14:07:33Z   time of day, UTC
//   cmd 12   event 40112   37%   start   end
// A bare h:mm:ss beyond the end of the recording is taken as a time of day. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/clock_map.hpp"
#include "player/facts.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::player {

enum class PlaceKind : std::uint8_t {
  from_start,
  from_here,
  wall,
  time_of_day,
  command,
  event,
  percent,
  start,
  end,
};

struct PlaceSpec {
  PlaceKind kind = PlaceKind::start;
  std::int64_t value = 0;   // microseconds, number or hundredths of a percent
  bool clock_like = false;  // from_start, written as h:mm:ss: may also be a time of day
};

Result<PlaceSpec> parse_place(std::string_view text);

struct PlaceContext {
  MonoTime first;
  MonoTime last;
  MonoTime here;
  std::uint64_t end_position = 0;
  const format::ClockMap* clock = nullptr;
  const std::vector<CommandItem>* commands = nullptr;
};

// Either a time, or a number of applied events where a time would not be exact.
struct Place {
  bool by_position = false;
  std::uint64_t position = 0;
  MonoTime t;
  std::string meaning;  // "time of day 14:07:33Z": how the text was understood
};

// Times outside the recording are moved to its ends; commands and events that do not exist are
// refused.
Result<Place> resolve(const PlaceSpec& spec, const PlaceContext& context);

}  // namespace sworn::player
