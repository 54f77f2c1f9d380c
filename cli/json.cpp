// SPDX-License-Identifier: Apache-2.0
#include "cli/json.hpp"

#include <cstdio>

namespace sworn::cli {

std::string one_line(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

void print_json(const Json& value) {
  const auto text = one_line(value);
  std::fwrite(text.data(), 1, text.size(), stdout);
}

Json json_time(WallTime t) {
  return format_rfc3339(t);
}

Json json_time(const std::optional<WallTime>& t) {
  return t ? json_time(*t) : Json(nullptr);
}

double json_seconds(std::int64_t us) {
  return static_cast<double>(us) / 1e6;
}

}  // namespace sworn::cli
