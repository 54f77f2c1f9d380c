// SPDX-License-Identifier: Apache-2.0
// JSON for scripts, one object a line. Every byte is ASCII: what is not becomes \uXXXX, broken
// UTF-8 becomes U+FFFD, so that a hostile recording cannot reach the terminal of who looks at it.
// Schemas: docs/json.md.
#pragma once

#include "base/clock.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

namespace sworn::cli {

using Json = nlohmann::ordered_json;

std::string one_line(const Json& value);  // with the line feed
void print_json(const Json& value);

Json json_time(WallTime t);                        // RFC 3339 in UTC
Json json_time(const std::optional<WallTime>& t);  // or null
double json_seconds(std::int64_t us);

}  // namespace sworn::cli
