// SPDX-License-Identifier: Apache-2.0
// What a monitor may ask the kernel for once its session runs: nothing but to read, write, seal and
// talk to swornd. Everything else fails with EPERM; what only an attacker would ask for (exec,
// ptrace, signals to others, new namespaces, ...) ends it.
#pragma once

#include "base/result.hpp"

#include <cstdint>

namespace sworn::recorder::host {

// No core, no tracer; with Privileges::drop nothing gains privileges through exec any more.
enum class Privileges : std::uint8_t { keep, drop };
Result<void> harden_process(Privileges privileges = Privileges::drop);
// For all threads; after the last descriptor from outside was received.
Result<void> confine_monitor();

}  // namespace sworn::recorder::host
