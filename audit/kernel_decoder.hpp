// SPDX-License-Identifier: Apache-2.0
// From the packets of sworn-bpf to facts for the session file. Checks every length, counts what the
// numbers of the records say is missing, and keeps the family tree of the living processes, so that
// a program's way down from its shell is on record although forks are not. No I/O; bounded memory.
#pragma once

#include "audit/audit_source.hpp"
#include "audit/bpf/kernel_wire.h"
#include "audit/family_tree.hpp"
#include "audit/process_event.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sworn::audit {

struct KernelCounters {
  std::uint64_t execs = 0;
  std::uint64_t exits = 0;
  std::uint64_t forks = 0;
  std::uint64_t files = 0;
  std::uint64_t connects = 0;
  std::uint64_t lost = 0;       // by the numbers: records that never came
  std::uint64_t missed = 0;     // by the kernel: programs that did not run, over all sessions
  std::uint64_t malformed = 0;  // refused
};

// What sworn-bpf answered to the request for a session.
struct KernelState {
  bool refused = false;
  std::uint8_t exec = 0;  // 0 none, 1 best effort, 2 complete
  std::uint8_t files = 0;
  std::uint8_t connect = 0;
  std::uint32_t ring_bytes = 0;
  std::string text;  // why refused, or what is left out
};

class KernelDecoder {
 public:
  // Takes in one packet, appends the facts of its records.
  void feed(ByteView packet, std::vector<AuditFact>& out);

  [[nodiscard]] const std::optional<KernelState>& state() const { return state_; }
  [[nodiscard]] std::optional<std::uint32_t> flushed() const { return flushed_; }
  [[nodiscard]] const KernelCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t living() const { return living_.size(); }

 private:
  void take_state(ByteView packet, bool refused);
  void take_counters(ByteView packet, std::vector<AuditFact>& out);
  bool take_record(const sworn_wire_header& header, ByteView record, std::vector<AuditFact>& out);
  bool take_exec(const sworn_wire_header& header, ByteView record, std::vector<AuditFact>& out);
  void count(const sworn_wire_header& header, std::vector<AuditFact>& out);
  void report_lost(std::uint64_t lost, std::uint32_t cpu, MonoTime at, std::vector<AuditFact>& out);

  std::optional<KernelState> state_;
  std::optional<std::uint32_t> flushed_;
  KernelCounters counters_;
  std::map<std::uint64_t, std::uint64_t> last_;  // (stream, cpu) -> number
  FamilyTree living_;
  MonoTime newest_;
};

}  // namespace sworn::audit
