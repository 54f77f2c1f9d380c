// SPDX-License-Identifier: Apache-2.0
// One recorded session of a host: holds the terminal or the pipes, the file and the keys, in a
// process of its own under an account that the recorded user cannot signal or trace. swornd starts
// it and hands everything over; from then on it needs swornd only for the ledger, and outlives it.
#pragma once

#include "base/fd.hpp"

namespace sworn::recorder::host {

// `link`: the connection to swornd, on which the plan comes. Returns the exit status of the
// process.
int run_monitor(Fd link);

}  // namespace sworn::recorder::host
