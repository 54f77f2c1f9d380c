// SPDX-License-Identifier: Apache-2.0
// `sworn log --with LOG...`: the commands of a session and other programs' log lines on one time
// line, as text or JSON lines.
#pragma once

#include "cli/arguments.hpp"
#include "cli/command.hpp"

#include <array>

namespace sworn::cli {

// Whether the command line asks for it.
bool wants_log_lines(const Arguments& args);
int log_with(const Arguments& args);

inline constexpr std::array k_log_with_options = {
    Option{"--with", ValueKind::file, "LOG",
           "also the lines of a log, with its rotated files; - is standard input; may be repeated"},
    Option{"--journal", ValueKind::none, "", "also the lines of this host's journal"},
    Option{"--host-logs", ValueKind::none, "", "also the logs that /etc/sworn/logs.toml names"},
    Option{"--sources", ValueKind::file, "FILE", "the same from another file"},
    Option{"--at", ValueKind::time, "TIME",
           "only what is near a moment: as for play, or a pasted log line"},
    Option{"--window", ValueKind::number, "SECONDS", "how near (default 5 before and behind)"},
    Option{"--mine", ValueKind::none, "", "only lines that belong to the session"},
    Option{"--zone", ValueKind::text, "ZONE",
           "of log lines without one: local (default), UTC, +02:00"},
    Option{"--time-field", ValueKind::text, "NAME", "the member that holds the time in JSON lines"},
    Option{"--time-format", ValueKind::text, "FORMAT",
           "how times are written, as for strptime(3), with %f for a fraction"},
    Option{"--offset", ValueKind::number, "SECONDS", "added to the times of the logs"},
    Option{"--no-rotated", ValueKind::none, "", "only the files as named"},
};

}  // namespace sworn::cli
