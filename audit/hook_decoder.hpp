// SPDX-License-Identifier: Apache-2.0
// Decides what becomes of a hook datagram: checks its sender, numbers the command lines of the
// shell, cuts long ones into several events, bounds floods. No I/O; what the system knows of a
// sender is asked for through `Kinship`. What is refused is counted, and reported as a gap at most
// once a second.
#pragma once

#include "audit/audit_source.hpp"
#include "audit/hook_message.hpp"
#include "audit/shell_hook.hpp"
#include "base/clock.hpp"

#include <functional>
#include <string>
#include <vector>

namespace sworn::audit {

enum class Kin : std::uint8_t {
  self,      // the shell
  child,     // its direct child
  gone,      // no such process any more: a child that sent and ended
  stranger,  // anybody else
};
using Kinship = std::function<Kin(pid_t)>;

// A command text longer than this is cut into several command_begin events with the same number:
// all but the last carry the flag "more", all but the first "continued".
inline constexpr std::size_t k_text_part = 48 * 1024;

class HookDecoder {
 public:
  HookDecoder(std::string key, Clock& clock, Kinship kinship);

  void set_shell(pid_t shell, std::string_view name);

  void feed(pid_t sender, ByteView datagram, std::vector<AuditFact>& out);
  void refuse(pid_t sender);  // a datagram that cannot be one of ours
  void finish(std::vector<AuditFact>& out);

  [[nodiscard]] const HookCounters& counters() const { return counters_; }
  [[nodiscard]] bool hello_seen() const { return hello_seen_; }

 private:
  void take(const HookMessage& message, std::vector<AuditFact>& out);
  void begin(const HookMessage& message, Kin kin, std::vector<AuditFact>& out);
  void end(const HookMessage& message, std::vector<AuditFact>& out);
  void hello(const HookMessage& message, std::vector<AuditFact>& out);
  void report(std::vector<AuditFact>& out, bool now);
  [[nodiscard]] MonoTime happened(const HookMessage& message) const;
  bool admit(const HookMessage& message);

  HookAssembler assembler_;
  Clock& clock_;
  Kinship kinship_;
  HookCounters counters_;
  HookCounters reported_;
  MonoTime last_report_;
  pid_t last_forger_ = 0;
  pid_t shell_ = 0;
  std::string shell_name_;
  std::uint64_t n_ = 0;  // command lines so far
  bool open_ = false;    // a command line has begun and not ended
  bool hello_seen_ = false;
  // Token buckets: messages and bytes that may still pass.
  MonoTime bucket_time_;
  double message_tokens_;
  double byte_tokens_;
};

}  // namespace sworn::audit
