// SPDX-License-Identifier: Apache-2.0
// The command line of `sworn rec`. Nothing here is read from the environment or from a file.
#pragma once

#include "recorder/policy.hpp"

#include <optional>
#include <string>
#include <vector>

namespace sworn::recorder {

// Exit statuses of the recorder itself, as env(1) and timeout(1) have them.
inline constexpr int k_exit_recorder_failed = 125;
inline constexpr int k_exit_cannot_execute = 126;
inline constexpr int k_exit_not_found = 127;

struct ParsedOptions {
  std::optional<Options> options;  // empty: print `text` and exit with `exit_status`
  std::string text;                // help or version (status 0: standard output), or a complaint
  int exit_status = 0;
};

// `args` without the program name: {"rec", "-o", "x.sworn", "--", "ls"}.
ParsedOptions parse_options(const std::vector<std::string>& args);

}  // namespace sworn::recorder
