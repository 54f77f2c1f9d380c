// SPDX-License-Identifier: Apache-2.0
// What the recorder knows of a capture layer (shell hooks, kernel events): something that may
// change how the command is started, and then has facts to tell. One object per layer and session,
// owned by the recorder, used from its loop thread only. A source never blocks, never writes to the
// terminal, and holds back nothing that it has read: what it could not keep it reports as a gap.
//
// Order of calls: prepare() before the fork; launched() in the recorder after it; then drain()
// whenever fd() is readable and before every output event is put on record, so that "the command
// begins" stands in front of the command's first output; finish() once, when the session ends.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/event.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sworn::audit {

// One event, ready to be recorded. `at` is when it happened, never later than now.
struct AuditFact {
  format::EventKind kind = format::EventKind::capture;
  MonoTime at;
  Bytes data;
};

// How the command will be started. A source may change all of it; it must keep what the user asked
// for.
struct ChildSetup {
  std::string program;                   // looked up in PATH where it has no slash
  std::vector<std::string> argv;         // argv[0] has a leading dash for a login shell
  std::vector<std::string> environment;  // NAME=value, each name once
  std::vector<int> inherit;              // close-on-exec descriptors that the command shall get
};

class AuditSource {
 public:
  virtual ~AuditSource() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;

  // An error here means: this layer is not available; the session runs without it and says so.
  virtual Result<void> prepare(ChildSetup& setup) = 0;

  // The command's process exists (it may not have called exec yet); the child's descriptors can be
  // closed.
  virtual void launched(pid_t command) = 0;

  // Readable when there may be facts; -1 where there is nothing to wait for.
  [[nodiscard]] virtual int fd() const = 0;

  // Appends all facts that are there, in order. After an error the layer is dead and fd() is -1.
  virtual Result<void> drain(std::vector<AuditFact>& out) = 0;

  // Last facts and the loss counters, as a `capture` event.
  virtual void finish(std::vector<AuditFact>& out) = 0;
};

}  // namespace sworn::audit
