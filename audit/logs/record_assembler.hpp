// SPDX-License-Identifier: Apache-2.0
// Groups auditd records into events: all records with one (node, time, serial) belong together,
// those of other events stand between them. An event is complete at its EOE record, when the log
// has gone on for two seconds, or when too many are open. Bounded. One thread.
#pragma once

#include "audit/logs/audit_record.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace sworn::audit::logs {

struct AuditEvent {
  WallTime at;
  std::uint64_t serial = 0;
  std::string node;
  std::vector<AuditRecord> records;
  bool ended = false;  // its EOE was there
  bool cut = false;    // records were left out

  [[nodiscard]] const AuditRecord* record(std::string_view type) const;
  // First field of that name in any record, the SYSCALL record first.
  [[nodiscard]] const AuditField* field(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;
  // Arguments of EXECVE, parts of long ones joined; empty where there is none.
  [[nodiscard]] std::vector<std::string> argv() const;
  // PROCTITLE split at NUL; the kernel cuts it at 128 bytes.
  [[nodiscard]] std::vector<std::string> proctitle() const;
  // One line for people: "exec cat /etc/shadow (pid 5191 ppid 5190 auid 4242 ses 2)". Unsanitised.
  [[nodiscard]] std::string summary() const;
};

class RecordAssembler {
 public:
  static constexpr std::size_t k_max_open = 1024;
  static constexpr std::size_t k_max_records = 256;  // of one event
  static constexpr std::size_t k_max_event_bytes = 4U << 20U;
  static constexpr std::int64_t k_patience_us = 2'000'000;

  // Takes in one record; appends the events that are complete now.
  void add(AuditRecord record, std::vector<AuditEvent>& out);
  // At the end of the log: everything that is still open.
  void flush(std::vector<AuditEvent>& out);
  [[nodiscard]] std::size_t open_events() const { return open_.size(); }

 private:
  using Key = std::tuple<WallTime, std::uint64_t, std::string>;  // time, serial, node
  struct Open {
    AuditEvent event;
    std::size_t bytes = 0;
  };
  std::map<Key, Open> open_;
  WallTime newest_;
};

}  // namespace sworn::audit::logs
