// SPDX-License-Identifier: Apache-2.0
// Runs alert rules over the events of a session, in order: an old recording or one that is being
// made. A rule fires once for a command line. Linear in its input (RE2), bounded memory. One
// thread.
#pragma once

#include "audit/alert/alert_rules.hpp"
#include "audit/alert/output_lines.hpp"
#include "format/clock_map.hpp"
#include "format/event.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sworn::audit::alert {

struct AlertHit {
  std::size_t rule = 0;
  Subject subject = Subject::command;
  std::string text;           // what matched: the line, the argv, the path
  std::uint64_t command = 0;  // the command line it belongs to, from 1; 0: none
  std::string command_text;
  std::uint64_t event = 0;
  MonoTime at;
};

class AlertEngine {
 public:
  explicit AlertEngine(std::vector<AlertRule> rules);
  ~AlertEngine();
  AlertEngine(const AlertEngine&) = delete;
  AlertEngine& operator=(const AlertEngine&) = delete;

  // For `hours`; may be given again while a session grows.
  void set_clock(format::ClockMap clock);
  void add(const format::EventView& event, std::vector<AlertHit>& out);

  [[nodiscard]] const std::vector<AlertRule>& rules() const;
  [[nodiscard]] const std::string& user() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::audit::alert
