// SPDX-License-Identifier: Apache-2.0
// The kernel's record of a session, by way of sworn-bpf: an own process that is started with a
// socket, or the host's one (connect_path). The session's process is given to it as a pidfd before
// it executes anything, so nothing is missed. Facts: exec, exec_exit, file, connect; gap
// ("kernel_lost", "kernel_malformed") where records are missing; capture with the counters.
#pragma once

#include "audit/audit_source.hpp"
#include "audit/kernel_decoder.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sworn::audit {

class KernelSource final : public AuditSource {
 public:
  struct Options {
    std::string program;                 // sworn-bpf; unless connect_path is given
    std::string connect_path;            // listening socket of one that runs
    std::vector<std::string> arguments;  // more of sworn-bpf's
    int patience_ms = 3000;              // for its answer
  };
  // `clock` must outlive the source.
  KernelSource(Clock& clock, Options options);
  ~KernelSource() override;
  KernelSource(const KernelSource&) = delete;
  KernelSource& operator=(const KernelSource&) = delete;

  [[nodiscard]] std::string_view name() const override { return "ebpf"; }
  // Starts sworn-bpf or connects to it; what it says comes with launched().
  Result<void> prepare(ChildSetup& setup) override;
  // Waits for the answer: before the command may go on. Afterwards state() is there or fd() is -1.
  void launched(pid_t command) override;
  // The same with a pidfd that the caller has.
  void launched_as(pid_t command, Fd pidfd);
  [[nodiscard]] int fd() const override { return socket_.get(); }
  Result<void> drain(std::vector<AuditFact>& out) override;
  void finish(std::vector<AuditFact>& out) override;

  [[nodiscard]] const KernelState& state() const { return state_; }
  [[nodiscard]] bool broken() const { return broken_; }  // it went away before the end
  [[nodiscard]] const KernelCounters& counters() const { return decoder_.counters(); }
  [[nodiscard]] const std::string& reason() const { return reason_; }  // why not, where fd() is -1

 private:
  Result<void> start_helper();
  Result<void> connect_to_helper();
  Result<void> send(std::uint16_t type, std::uint32_t value, int fd);
  Result<bool> receive(std::vector<AuditFact>& out);  // false: nothing there
  Result<void> wait_for_state();
  void give_up(std::string why);
  void reap();

  Clock& clock_;
  Options options_;
  Fd socket_;
  pid_t helper_ = -1;
  KernelDecoder decoder_;
  KernelState state_;
  std::string reason_;
  std::vector<AuditFact> early_;
  std::unique_ptr<std::byte[]> buffer_;
  std::uint64_t malformed_reported_ = 0;
  bool broken_ = false;  // sworn-bpf went away before the end
  bool finished_ = false;
};

}  // namespace sworn::audit
