// SPDX-License-Identifier: Apache-2.0
// Starts monitors: under their own account, with nothing inherited but the link on descriptor 3.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <string>

#include <sys/types.h>

namespace sworn::recorder::host {

struct MonitorProcess {
  pid_t pid = -1;
  Fd link;  // our end
};

struct MonitorAccount {
  uid_t uid = 0;
  gid_t gid = 0;
};

Result<MonitorProcess> spawn_monitor(const std::string& program, const MonitorAccount& account);

// The kernel's record of executions, for all sessions: starts sworn-bpf on its socket, which the
// monitors' account alone may use. Does nothing where one listens already (it outlives swornd) or
// where `program` is not installed.
Result<void> start_capture(const std::string& program, const std::string& socket_path,
                           const MonitorAccount& account);

}  // namespace sworn::recorder::host
