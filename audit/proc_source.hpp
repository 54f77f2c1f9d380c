// SPDX-License-Identifier: Apache-2.0
// Executions by way of the kernel's process events (connector) and /proc, where BPF is not to be
// had: forks, executions and exits are all told, but the words of a program are read from /proc
// after the fact. A program that ended sooner has none ("argv_unreadable"), and one that executed
// another program at once may show the words of that: best effort, and said so. Needs root before
// Linux 6.6. Facts as KernelSource's; gap "proc_overrun" where the kernel says that events are
// missing (how many it does not say).
#pragma once

#include "audit/audit_source.hpp"
#include "audit/family_tree.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace sworn::audit {

class ProcSource final : public AuditSource {
 public:
  // `clock` must outlive the source.
  explicit ProcSource(Clock& clock) : clock_(clock) {}

  [[nodiscard]] std::string_view name() const override { return "proc"; }
  Result<void> prepare(ChildSetup& setup) override;
  void launched(pid_t command) override;
  [[nodiscard]] int fd() const override { return socket_.get(); }
  Result<void> drain(std::vector<AuditFact>& out) override;
  void finish(std::vector<AuditFact>& out) override;

  [[nodiscard]] std::uint64_t overruns() const { return overruns_; }

 private:
  void take(const std::byte* data, std::size_t size, std::vector<AuditFact>& out);
  void on_fork(std::int64_t parent, std::int64_t child, MonoTime at);
  void on_exec(std::int64_t pid, MonoTime at, std::vector<AuditFact>& out);
  void on_exit(std::int64_t pid, std::uint32_t code, MonoTime at, std::vector<AuditFact>& out);
  [[nodiscard]] MonoTime happened(std::uint64_t monotonic_ns) const;

  Clock& clock_;
  Fd socket_;
  FamilyTree living_;
  std::int64_t sleep_us_ = 0;  // CLOCK_BOOTTIME is ahead of the clock of the events by so much
  std::uint64_t execs_ = 0;
  std::uint64_t unreadable_ = 0;
  std::uint64_t overruns_ = 0;
  bool finished_ = false;
};

}  // namespace sworn::audit
