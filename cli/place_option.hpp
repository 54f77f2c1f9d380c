// SPDX-License-Identifier: Apache-2.0
// The three ways to name a moment on the command line: --at, --event, --cmd.
#pragma once

#include "base/result.hpp"
#include "cli/arguments.hpp"

#include <optional>
#include <string>

namespace sworn::cli {

// What stands for player::parse_place(); nullopt where none was given. Refuses two at once, numbers
// that are none and places that cannot be read.
Result<std::optional<std::string>> place_option(const Arguments& args);

}  // namespace sworn::cli
