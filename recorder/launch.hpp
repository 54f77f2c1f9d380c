// SPDX-License-Identifier: Apache-2.0
// From options to a running session: decides between terminal and streams, makes terminal, pipes,
// command and recording in the order that leaves nothing behind on a failure, and runs it.
//
// What the command gets as 0, 1 and 2:
//   standard input is a terminal    the session has a terminal of its own. Each of 1 and 2 that is
//   a terminal
//                                   becomes that; another one stays a stream of its own, recorded
//                                   as such. Where standard output is not a terminal (a pipeline:
//                                   others may use the terminal too), the user's terminal is taken
//                                   only when the command asks.
//   it is not, or --streams         three pipes; no terminal is added, whatever 1 and 2 are. The
//   command stays
//                                   in our process group and keeps /dev/tty, which is not recorded.
#pragma once

#include "recorder/policy.hpp"

#include <vector>

namespace sworn::recorder {

// `inherited`: descriptors above 2 that we were started with. Returns the exit status.
int record_session(const Options& options, const std::vector<int>& inherited);

}  // namespace sworn::recorder
