// SPDX-License-Identifier: Apache-2.0
// Carries out what a rule asks for beyond the entry in the session: a line to syslog or journald, a
// program, a webhook (through the curl command), freezing the session's processes, ending the
// session. Never blocks: programs run beside and are stopped after k_program_us. One thread.
#pragma once

#include "audit/alert/alert_engine.hpp"
#include "audit/trail/trail_entry.hpp"
#include "audit/trail/trail_sinks.hpp"
#include "base/clock.hpp"

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sworn::audit::alert {

struct ActionTargets {
  std::string syslog = "unix:/dev/log";
  std::string journald = "/run/systemd/journal/socket";
  // Of the session: who wraps it and what it wraps. 0: those two actions are refused.
  pid_t recorder = 0;
  pid_t command = 0;
};

class AlertActions {
 public:
  static constexpr std::int64_t k_program_us = 15'000'000;
  static constexpr std::size_t k_max_programs = 16;  // at once

  AlertActions(ActionTargets targets, Clock& clock);
  ~AlertActions();
  AlertActions(const AlertActions&) = delete;
  AlertActions& operator=(const AlertActions&) = delete;

  // What could not be done, for the operator: one sentence each.
  std::vector<std::string> run(const AlertRule& rule, const trail::TrailEntry& entry);
  // Reaps and stops programs; call it now and then.
  void tend();
  [[nodiscard]] std::size_t running() const { return programs_.size(); }

 private:
  struct Program {
    pid_t pid = 0;
    MonoTime started;
    std::string name;
  };
  Result<void> start(std::vector<std::string> argv, const std::string& input);
  Result<void> act(AlertAction action, const AlertRule& rule, const trail::TrailEntry& entry);

  ActionTargets targets_;
  Clock& clock_;
  std::vector<Program> programs_;
};

// Processes below `root` (not itself: the shell is one of them when `root` is the recorder), by
// /proc. For freezing: SIGSTOP does not reach what runs as another user unless we are root.
std::vector<pid_t> descendants_of(pid_t root);

// The alert as a trail entry.
trail::TrailEntry entry_of(const AlertHit& hit, const AlertRule& rule,
                           const trail::TrailSession& session, const format::ClockMap& clock,
                           MonoTime first);

// As the recorder's AlertChannel takes it.
Bytes message_of(const AlertHit& hit, const AlertRule& rule);

}  // namespace sworn::audit::alert
