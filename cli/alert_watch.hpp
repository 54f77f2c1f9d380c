// SPDX-License-Identifier: Apache-2.0
// The process that runs alert rules beside a recorder: follows the session file and carries out the
// actions. Started by `sworn rec --alerts RULES` with a socket to the recorder, or by hand on a
// session that is being recorded.
#pragma once

#include "audit/alert/alert_rules.hpp"

#include <string>
#include <vector>

namespace sworn::cli {

struct AlertWatch {
  std::vector<audit::alert::AlertRule> rules;
  std::string session;  // empty: the recorder tells
  int recorder_fd = -1;
  bool json = false;
  bool quiet = false;  // print nothing
};

int watch_session(const AlertWatch& watch);

// Forks the watcher of a recorder that this process is about to become; gives the recorder's end.
// Rules are read before the fork: an error is the caller's to report.
Result<int> start_watcher(const std::string& rules);

// "default" is the shipped set.
Result<std::vector<audit::alert::AlertRule>> load_rules(const std::string& name);

}  // namespace sworn::cli
