// SPDX-License-Identifier: Apache-2.0
#include "player/session_info.hpp"

#include <fmt/format.h>

namespace sworn::player {
namespace {

std::string short_tty(std::string_view tty) {
  return std::string(tty.starts_with("/dev/") ? tty.substr(5) : tty);
}

std::string id_text(std::uint32_t id) {
  return id == 0xFFFFFFFFU ? std::string("unset") : std::to_string(id);
}

void add_start(const format::SessionStart& start, SessionInfo& info) {
  const auto add = [&info](std::string_view name, const std::string& value) {
    if (!value.empty()) {
      info.details.push_back(fmt::format("{:<13} {}", name, value));
    }
  };
  add("host", start.hostname);
  add("user", fmt::format("{} (uid {}, login uid {}, audit session {})", start.user, start.uid,
                          id_text(start.loginuid), id_text(start.audit_ses)));
  add("terminal", fmt::format("{} inside {}, TERM {}, {}x{} at the start", start.pts,
                              start.tty.empty() ? "no terminal" : start.tty, start.term,
                              start.size.cols, start.size.rows));
  add("from", start.ssh_connection);
  add("command", command_line(start));
  add("directory", start.cwd);
  add("reason", start.reason);
  add("ticket", start.ticket);
  add("input", start.input_policy);
}

}  // namespace

std::string command_line(const format::SessionStart& start) {
  std::string line;
  for (const auto& word : start.argv) {
    line += line.empty() ? "" : " ";
    line += word;
  }
  return line;
}

SessionInfo session_info(const Recording& recording) {
  SessionInfo info;
  const auto& header = recording.header();
  const auto slash = recording.path().rfind('/');
  info.file_name =
      slash == std::string::npos ? recording.path() : recording.path().substr(slash + 1);
  info.started = header.started;
  info.started_mono = header.started_mono;
  info.details.push_back(fmt::format("{:<13} {}", "file", recording.path()));
  info.details.push_back(fmt::format("{:<13} {}", "session", format::to_hex(header.file_id)));
  info.details.push_back(fmt::format("{:<13} {}", "started", format_rfc3339(header.started, 3)));
  info.details.push_back(
      fmt::format("{:<13} {} ({})", "recorder", header.recorder_version, header.mode));
  if (const auto& start = recording.start()) {
    info.host = start->hostname;
    info.user = start->user;
    if (const auto end = start->ssh_connection.find(' '); end != std::string::npos && end > 0) {
      info.from = "from " + start->ssh_connection.substr(0, end);
    }
    info.zone = start->zone;
    if (!start->zone.empty()) {
      info.zone_offset_s = start->utc_offset_s;
    }
    info.tty = short_tty(start->pts.empty() ? start->tty : start->pts);
    const auto program = start->argv.empty() ? std::string{} : start->argv.front();
    const auto name = program.rfind('/');
    info.program = name == std::string::npos ? program : program.substr(name + 1);
    add_start(*start, info);
  } else {
    info.host = info.file_name;
    info.details.emplace_back("who and what  not readable: event 0 was redacted or is missing");
  }
  return info;
}

}  // namespace sworn::player
