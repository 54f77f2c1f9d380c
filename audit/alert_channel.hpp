// SPDX-License-Identifier: Apache-2.0
// The recorder's end of its alert watcher. Rules are run by another process (sworn alert watch),
// which follows the session file like any reader; this end tells it which file, takes in the alerts
// that it raises and records them as events. The watcher costs the recorder nothing while nothing
// happens; what it sends is checked and bounded, because a confused or replaced watcher must not be
// able to do more than raise alerts. A watcher that goes away is itself an alert and a gap.
//
// Wraps the real capture layers as one AuditSource. Protocol (SOCK_SEQPACKET): the recorder sends
// the path of the session file; the watcher sends one msgpack map for each alert:
//   rule, severity, text, subject, command (number), event (number), at_us, actions
#pragma once

#include "audit/audit_source.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace sworn::audit {

inline constexpr std::size_t k_max_alert_message = 16 * 1024;
inline constexpr std::uint64_t k_max_alerts_per_second = 20;  // more are counted, and a gap

class AlertChannel final : public AuditSource {
 public:
  // `inner` may be empty. `clock` must outlive the channel.
  AlertChannel(std::unique_ptr<AuditSource> inner, Fd watcher, std::string session_path,
               Clock& clock);

  [[nodiscard]] std::string_view name() const override { return "alerts"; }
  Result<void> prepare(ChildSetup& setup) override;
  // For an inner source that is prepared already.
  [[nodiscard]] Result<void> prepare_channel() const;
  void launched(pid_t command) override;
  [[nodiscard]] int fd() const override { return epoll_.get(); }
  Result<void> drain(std::vector<AuditFact>& out) override;
  void finish(std::vector<AuditFact>& out) override;

 private:
  void receive(std::vector<AuditFact>& out);
  void take(ByteView message, std::vector<AuditFact>& out);
  void lost(std::vector<AuditFact>& out);
  [[nodiscard]] bool admit();

  std::unique_ptr<AuditSource> inner_;
  Fd watcher_;
  Fd epoll_;
  std::string session_path_;
  Clock& clock_;
  MonoTime second_;
  std::uint64_t in_second_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t malformed_ = 0;
  std::uint64_t alerts_ = 0;
};

}  // namespace sworn::audit
