// SPDX-License-Identifier: Apache-2.0
#include "cli/place_option.hpp"

#include "base/printable.hpp"
#include "player/position_spec.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::cli {
namespace {

bool is_number(const std::string& text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Result<std::optional<std::string>> place_option(const Arguments& args) {
  std::optional<std::string> place = args.value("--at");
  int given = place ? 1 : 0;
  for (const auto& [option, word] : {std::pair{"--event", "event "}, std::pair{"--cmd", "cmd "}}) {
    if (const auto number = args.value(option)) {
      if (!is_number(*number)) {
        return fail(Errc::bad_usage,
                    fmt::format("{} needs a number, not {}", option, printable(*number)));
      }
      place = word + *number;
      ++given;
    }
  }
  if (given > 1) {
    return fail(Errc::bad_usage, "--at, --event and --cmd exclude each other");
  }
  if (place) {
    const auto parsed = player::parse_place(*place);
    if (!parsed) {
      return fail(Errc::bad_usage, describe(parsed.error()));
    }
  }
  return place;
}

}  // namespace sworn::cli
