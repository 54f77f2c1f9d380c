// SPDX-License-Identifier: Apache-2.0
// The service manager's side of a daemon: sockets that it passes (LISTEN_FDS), what it wants to
// hear (NOTIFY_SOCKET, WATCHDOG_USEC), and the system log. By the documented protocols, without a
// library.
#pragma once

#include "base/fd.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sworn::recorder::host {

// "READY=1", "RELOADING=1\nMONOTONIC_USEC=...", "WATCHDOG=1", "STOPPING=1"; without effect
// elsewhere.
void notify_manager(const std::string& state);
std::string reloading_state();
// Half of what the manager allows; nullopt where it does not watch us.
std::optional<std::int64_t> watchdog_interval_us();
// The one socket that the manager has opened for us.
std::optional<Fd> passed_socket();

enum class LogLevel : std::uint8_t { alert = 1, error = 3, warning = 4, notice = 5, info = 6 };
// To the journal where standard error is connected to it, or with `to_stderr`; else to syslog.
void open_log(bool to_stderr);
void log_line(LogLevel level, const std::string& text);

}  // namespace sworn::recorder::host
