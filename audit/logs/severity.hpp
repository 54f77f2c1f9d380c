// SPDX-License-Identifier: Apache-2.0
// Whether a log line tells of trouble: by the level it states, else by the words it holds. Words
// decide last and can be wrong ("0 errors"): the player uses this to hop, nothing else depends on
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sworn::audit::logs {

enum class LogSeverity : std::uint8_t { normal, warning, error };
std::string_view name_of(LogSeverity severity);

// "error", "WARN", "crit", "3", ...: a level by itself.
std::optional<LogSeverity> severity_of_level(std::string_view level);
// syslog's numbers: 0 (emergency) to 7 (debug).
LogSeverity severity_of_syslog(unsigned number);
// HTTP status of an access log line: 5xx, 4xx.
LogSeverity severity_of_http(unsigned status);
// The first k_severity_bytes of a text, word by word.
LogSeverity severity_of_text(std::string_view text);

inline constexpr std::size_t k_severity_bytes = 512;

}  // namespace sworn::audit::logs
