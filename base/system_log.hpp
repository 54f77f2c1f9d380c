// SPDX-License-Identifier: Apache-2.0
// One line to the system log or to the journal, with an answer whether it was taken: syslog(3) does
// not say. Never waits.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sworn {

inline constexpr std::string_view k_syslog_socket = "/dev/log";
inline constexpr std::string_view k_journal_socket = "/run/systemd/journal/socket";

enum class LogLevel : std::uint8_t { alert = 1, warning = 4, notice = 5, info = 6 };

// Facility authpriv, in the form of RFC 3164 that local daemons read. `text`: one line; control
// characters become blanks.
Result<void> send_to_syslog(std::string_view identifier, LogLevel level, std::string_view text,
                            std::string_view socket_path = k_syslog_socket);

// The native protocol of the journal (systemd.io/JOURNAL_NATIVE_PROTOCOL): `fields` beside MESSAGE,
// PRIORITY and SYSLOG_IDENTIFIER have upper-case names.
Result<void> send_to_journal(std::string_view identifier, LogLevel level, std::string_view text,
                             const std::vector<std::pair<std::string, std::string>>& fields = {},
                             std::string_view socket_path = k_journal_socket);

}  // namespace sworn
