// SPDX-License-Identifier: Apache-2.0
// Where structured facts about a session come from while it is being recorded: shell hooks, the kernel, the
// terminal. The recorder polls fd() and drains; a source never blocks, never writes to the terminal and
// never keeps unbounded state. One thread. What a source cannot deliver is counted, never silent.
#pragma once

#include <cstdint>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/event.hpp"

namespace sworn::audit {

class AuditSink {
 public:
  virtual ~AuditSink() = default;
  // `payload` is the encoded event data (at most format::k_max_event_bytes), valid during the call.
  // `at`: when it happened, never later than now.
  virtual void on_audit_event(format::EventKind kind, MonoTime at, ByteView payload) = 0;
};

struct AuditCounters {
  std::uint64_t events = 0;     // handed to the sink
  std::uint64_t forged = 0;     // refused: the sender is not who it says
  std::uint64_t malformed = 0;  // refused: not understood
  std::uint64_t lost = 0;       // dropped because of a flood; a gap event says so
  std::uint64_t truncated = 0;  // kept, but cut to a limit
};

class AuditSource {
 public:
  virtual ~AuditSource() = default;
  // Readable (POLLIN) when drain() has work. -1: nothing to poll.
  [[nodiscard]] virtual int fd() const = 0;
  // Takes in what is there, at most a bounded amount per call (call again while fd() is readable).
  virtual Result<void> drain(AuditSink& sink) = 0;
  [[nodiscard]] virtual const AuditCounters& counters() const = 0;
};

}  // namespace sworn::audit
