// SPDX-License-Identifier: Apache-2.0
// What leaves a recording as audit trail: few and meaningful entries, one per command line and one
// for everything else that an auditor must know of. Each carries who, where and when, and a link to
// its moment. Texts are as recorded: unsanitised.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::trail {

struct TrailSession {
  std::string file_id;  // hex
  std::string host;
  std::string host_id;
  std::string boot_id;
  std::string user;
  std::optional<std::uint32_t> uid;
  std::optional<std::uint32_t> loginuid;
  std::optional<std::uint32_t> audit_ses;
  std::string pts;
  std::string ssh_connection;
  std::string ticket;
  std::string mode;  // "standalone", "host"
  std::string recorder_version;
  std::vector<std::string> argv;
};

struct TrailProcess {
  std::int64_t pid = 0;
  std::int64_t ppid = 0;
  std::uint32_t uid = 0;
  std::uint32_t euid = 0;
  std::string exe;
  std::vector<std::string> argv;
  WallTime start;
};

enum class TrailKind : std::uint8_t {
  session_start,
  command,
  alert,
  gap,
  change,  // of users, sudoers, services, watched files; logins and denials
  session_end,
};
std::string_view name_of(TrailKind kind);

struct TrailEntry {
  TrailKind kind = TrailKind::command;
  TrailSession session;  // of a copy: entries outlive the builder
  WallTime at;           // when it began
  WallTime end;          // valid where `ended`
  bool ended = true;
  std::int64_t t_us = 0;    // from the first event of the recording
  std::uint64_t event = 0;  // its event in the recording

  // command
  std::uint64_t command = 0;  // from 1; also of an alert, where one is meant
  std::string text;           // of the command; of an alert, a gap or a change: for people
  std::string text_source;
  std::string cwd;
  std::string shell;
  std::int64_t shell_pid = 0;
  int status = 0;  // of the command; of the session's end
  std::string pipestatus;
  std::vector<std::string> flags;
  std::vector<TrailProcess> processes;
  std::uint64_t processes_left_out = 0;
  std::vector<std::string> files;        // opened for writing
  std::vector<std::string> connections;  // "tcp 10.0.0.1 port 443"

  // alert, gap, change
  std::string code;      // the rule, the reason of the gap, the kind of change
  std::string severity;  // of an alert: "low", "medium", "high", "critical"
  std::uint64_t lost_events = 0;

  [[nodiscard]] std::string link() const;
};

}  // namespace sworn::audit::trail
