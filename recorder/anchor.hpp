// SPDX-License-Identifier: Apache-2.0
// The small process between the recorder and the command. It leads the session of the command's
// terminal, so that job control works for a command that is no shell: its process group has a
// parent in its own session, is not "orphaned", and ^Z can stop it. It watches the command and
// passes on what becomes of it; where the recorder dies it hangs the command up. It is a fork
// without exec, made before the recorder holds anything.
#pragma once

#include "audit/audit_source.hpp"
#include "recorder/signals.hpp"

#include <cstdint>

#include <sys/types.h>

namespace sworn::recorder {

// What the recorder tells the anchor, and what it hears; packets on a SOCK_SEQPACKET pair.
struct AnchorMessage {
  enum class Kind : std::uint32_t {
    command_pid,  // anchor -> recorder; value: pid
    exec_failed,  // command -> recorder; value: errno
    stopped,      // anchor -> recorder; value: signal
    continued,
    ended,       // value: wait status
    pass,        // recorder -> anchor: send signal `value` to the command's process group
    foreground,  // continue the command, in the foreground of its terminal
    background,  // continue it in the background
    hang_up,     // SIGHUP for the command, then leave
  };
  Kind kind = Kind::ended;
  std::int32_t value = 0;
};

struct AnchorPlan {
  const audit::ChildSetup* setup = nullptr;
  const Signals* signals = nullptr;
  int stdio[3] = {0, 1, 2};  // what becomes 0, 1 and 2 of the command
  int pts = -1;  // the session's terminal; -1: streams, the command stays in our process group
  bool foreground = true;  // of the session's terminal, from the start
  int report_fd = -1;      // the anchor's end of the socket pair
  int go_fd = -1;  // the command waits here for one byte before it executes; end: it must not
  std::vector<int> recorder_fds;  // whose end the recorder would not see while we had them too
};

// Called in the child of fork(). Never returns.
[[noreturn]] void run_anchor(const AnchorPlan& plan);

}  // namespace sworn::recorder
