// SPDX-License-Identifier: Apache-2.0
// Alert rules, read from TOML (docs/alerts.md):
//   [[rule]]
//   name = "log-deletion"
//   severity = "high"                # low, medium, high, critical
//   about = "log files removed or emptied"
//   command = ['\brm\b.*/var/log']   # RE2: any of these, in the text of a command line,
//   exec = []                        # ... in the argv of a process, words joined by blanks,
//   output = []                      # ... in a line that was shown,
//   file = []                        # ... in the path of a file opened for writing
//   unless = []                      # but none of these in the same text
//   user = ["alice"]                 # and all of these:
//   not_user = ["backup"]
//   hours = "22:00-06:00"            # local time of the host that runs the rules
//   status = [1, 126]                # exit status of the command line (decided at its end)
//   rate = 5                         # only the fifth within rate_seconds
//   rate_seconds = 60
//   actions = ["syslog", "end"]      # besides the entry in the session: syslog, journald, command,
//   run = "/usr/local/bin/page"      # webhook, freeze, end
//   url = "https://example.net/hook"
// Reading is strict: an unknown key, a wrong type or an expression that does not compile names
// file, line and reason.
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::alert {

enum class Subject : std::uint8_t { command, exec, output, file };
inline constexpr std::size_t k_subjects = 4;
std::string_view name_of(Subject subject);

enum class AlertAction : std::uint8_t { syslog, journald, command, webhook, freeze, end };
std::string_view name_of(AlertAction action);

// Minutes of a day; `from` > `to` goes over midnight.
struct Hours {
  int from = 0;
  int to = 0;
  [[nodiscard]] bool holds(int minute) const {
    return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
  }
};

struct AlertRule {
  std::string name;
  std::string severity = "medium";
  std::string about;
  std::array<std::vector<std::string>, k_subjects> patterns;
  std::vector<std::string> unless;
  std::vector<std::string> users;
  std::vector<std::string> not_users;
  std::optional<Hours> hours;
  std::vector<std::int64_t> statuses;
  std::uint32_t rate = 1;
  std::int64_t rate_us = 60'000'000;
  std::vector<AlertAction> actions;
  std::string run;
  std::string url;
};

Result<std::vector<AlertRule>> read_alert_rules(const std::string& path);
Result<std::vector<AlertRule>> parse_alert_rules(std::string_view toml, const std::string& name);

// What sworn ships with.
std::string_view default_alert_rules();

}  // namespace sworn::audit::alert
