// SPDX-License-Identifier: Apache-2.0
// `sworn log FILE`: the command lines of a session, with the processes that they started (--tree),
// what does not add up (--divergence), and filters.
#pragma once

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"

#include <array>

namespace sworn::cli {

Result<void> log_entries(const Arguments& args);

inline constexpr std::array k_log_entries_options = {
    Option{"--json", ValueKind::none, "",
           "one JSON object a line for each command (schema sworn.command/1), or divergence "
           "(sworn.divergence/1)"},
    Option{"--tree", ValueKind::none, "", "also the processes that each command started"},
    Option{"--divergence", ValueKind::none, "",
           "what does not add up: programs without a command line, shells that report nothing, "
           "work handed to somebody outside, lost events"},
    Option{"--text", ValueKind::text, "RE", "only commands whose text matches"},
    Option{"--exe", ValueKind::text, "RE", "only commands that ran a program whose path matches"},
    Option{"--user", ValueKind::text, "USER", "only commands that ran something as this user"},
    Option{"--exit", ValueKind::number, "STATUS", "only commands with this exit status"},
    Option{"--flag", ValueKind::text, "FLAG", "only commands with this flag; may be repeated"},
    Option{"--since", ValueKind::time, "TIME",
           "only what began then or later: seconds from the start, 1:02:03, or RFC 3339"},
    Option{"--until", ValueKind::time, "TIME", "only what began before"},
    Option{"--failed", ValueKind::none, "", "only commands that ended with another status than 0"},
    Option{"--privileged", ValueKind::none, "",
           "only commands that ran something as root or with another user's rights"},
};

}  // namespace sworn::cli
