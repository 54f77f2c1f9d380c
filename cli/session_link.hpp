// SPDX-License-Identifier: Apache-2.0
// From a link (sworn://HOST/SESSION?t=...&n=...) to the file and the place that it means, and back.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sworn::cli {

struct LinkTarget {
  std::string file;
  std::optional<std::string> place;  // for player::parse_place()
};

// Where `word` is a link, the session it names: among the user's own sessions, below
// /var/lib/sworn, in SWORN_PATH (directories, separated by colons) and in the current directory.
// Else `word` itself. Errc::not_found says where was looked.
Result<LinkTarget> resolve_link(const std::string& word);

// "LOGFILE:123" where LOGFILE exists and "LOGFILE:123" does not.
struct LogLineRef {
  std::string file;
  std::uint64_t line = 0;
};
std::optional<LogLineRef> log_line_ref(const std::string& word);

// The moment on the session's clock, in seconds from its start, of a line of a log file. Errors say
// why there is none.
Result<std::string> place_of_log_line(const std::string& session, const LogLineRef& ref);
// ... of a line given as text ("Nov 27 14:07:33 web1 sudo: ..."); nullopt where no time is in it.
Result<std::optional<std::string>> place_of_line_text(const std::string& session,
                                                      const std::string& text);

}  // namespace sworn::cli
