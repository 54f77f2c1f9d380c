// SPDX-License-Identifier: Apache-2.0
#include "audit/trail/trail_json.hpp"

#include "format/digest.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace sworn::audit::trail {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& value) {
  return value.dump(-1, ' ', true, Json::error_handler_t::replace);
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::int64_t duration_us(const TrailEntry& entry) {
  return std::max<std::int64_t>(0, entry.end.us - entry.at.us);
}

std::string joined_args(const std::vector<std::string>& argv) {
  std::string out;
  for (const auto& word : argv) {
    out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') == std::string::npos ? 0 : path.rfind('/') + 1);
}

Json own_session(const TrailSession& session) {
  return {{"id", session.file_id},
          {"host", session.host},
          {"host_id", session.host_id},
          {"boot_id", session.boot_id},
          {"user", session.user},
          {"uid", or_null(session.uid)},
          {"loginuid", or_null(session.loginuid)},
          {"audit_session", or_null(session.audit_ses)},
          {"pts", session.pts},
          {"ssh_connection", session.ssh_connection},
          {"ticket", session.ticket},
          {"mode", session.mode}};
}

Json own_processes(const TrailEntry& entry) {
  Json out = Json::array();
  for (const auto& process : entry.processes) {
    out.push_back({{"pid", process.pid},
                   {"ppid", process.ppid},
                   {"uid", process.uid},
                   {"euid", process.euid},
                   {"exe", process.exe},
                   {"argv", process.argv},
                   {"start", format_rfc3339(process.start)}});
  }
  return out;
}

// An entry of the session that failed, was denied, or is an alarm.
bool is_failure(const TrailEntry& entry) {
  return entry.kind == TrailKind::alert || entry.kind == TrailKind::gap ||
         (entry.kind == TrailKind::command && entry.ended && entry.status != 0);
}

std::string message_of(const TrailEntry& entry) {
  return to_sentence(entry);
}

// ECS: categorisation of docs: event.kind, .category, .type.
struct EcsKind {
  const char* kind;
  const char* category;
  const char* type;
};
EcsKind ecs_kind(const TrailEntry& entry) {
  switch (entry.kind) {
    case TrailKind::session_start:
      return {"event", "session", "start"};
    case TrailKind::session_end:
      return {"event", "session", "end"};
    case TrailKind::command:
      return {"event", "process", entry.ended ? "end" : "start"};
    case TrailKind::alert:
      return {"alert", "intrusion_detection", "info"};
    case TrailKind::change:
      return {"event", "configuration", "change"};
    case TrailKind::gap:
      return {"pipeline_error", "session", "info"};
  }
  return {"event", "session", "info"};
}

Json ecs_process(const TrailEntry& entry) {
  Json process;
  process["command_line"] = entry.text;
  process["interactive"] = true;
  process["start"] = format_rfc3339(entry.at);
  if (!entry.cwd.empty()) {
    process["working_directory"] = entry.cwd;
  }
  if (entry.ended) {
    process["end"] = format_rfc3339(entry.end);
    process["exit_code"] = entry.status;
  }
  if (entry.shell_pid > 0) {
    process["parent"] = {{"pid", entry.shell_pid}, {"name", entry.shell}};
  }
  if (!entry.processes.empty()) {  // the program that the line started first
    const auto& first = entry.processes.front();
    process["pid"] = first.pid;
    process["executable"] = first.exe;
    process["name"] = base_name(first.exe);
    process["args"] = first.argv;
    process["args_count"] = first.argv.size();
    process["user"] = {{"id", std::to_string(first.euid)}};
    process["real_user"] = {{"id", std::to_string(first.uid)}};
  }
  return process;
}

int ocsf_severity(const TrailEntry& entry) {
  if (entry.kind == TrailKind::alert) {
    return entry.severity == "critical" ? 5
           : entry.severity == "high"   ? 4
           : entry.severity == "medium" ? 3
                                        : 2;
  }
  return is_failure(entry) ? 2 : 1;
}

// Every entry is about a process: the command's own, else the session's shell.
Json ocsf_process(const TrailEntry& entry) {
  const auto& session = entry.session;
  Json process;
  if (entry.kind == TrailKind::command) {
    process["cmd_line"] = entry.text;
    process["created_time"] = entry.at.us / 1'000;
    if (entry.ended) {
      process["terminated_time"] = entry.end.us / 1'000;
    }
    if (!entry.processes.empty()) {
      const auto& first = entry.processes.front();
      process["pid"] = first.pid;
      process["name"] = base_name(first.exe);
      process["file"] = {{"name", base_name(first.exe)}, {"path", first.exe}, {"type_id", 1}};
      process["user"] = {{"uid", std::to_string(first.euid)}};
    }
    process["parent_process"] = {{"pid", entry.shell_pid}, {"name", entry.shell}};
  } else {
    process["cmd_line"] = joined_args(session.argv);
  }
  process["uid"] = fmt::format("{}:{}", session.file_id, entry.event);
  return process;
}

}  // namespace

std::optional<TrailFormat> trail_format_from_name(std::string_view name) {
  if (name == "jsonl" || name == "own") {
    return TrailFormat::own;
  }
  if (name == "ecs") {
    return TrailFormat::ecs;
  }
  return name == "ocsf" ? std::optional(TrailFormat::ocsf) : std::nullopt;
}

std::string to_own_json(const TrailEntry& entry) {
  Json out{{"schema", "sworn.trail/1"},
           {"kind", name_of(entry.kind)},
           {"at", format_rfc3339(entry.at)},
           {"t", static_cast<double>(entry.t_us) / 1e6},
           {"event", entry.event},
           {"link", entry.link()},
           {"session", own_session(entry.session)}};
  if (entry.kind == TrailKind::session_start) {
    out["argv"] = entry.session.argv;
    out["recorder_version"] = entry.session.recorder_version;
  } else if (entry.kind == TrailKind::command) {
    out["command"] = entry.command;
    out["text"] = entry.text;
    out["text_source"] = entry.text_source;
    out["cwd"] = entry.cwd;
    out["shell"] = entry.shell;
    out["shell_pid"] = entry.shell_pid;
    out["end"] = entry.ended ? Json(format_rfc3339(entry.end)) : Json(nullptr);
    out["duration"] = entry.ended ? Json(static_cast<double>(duration_us(entry)) / 1e6) : Json();
    out["status"] = entry.ended ? Json(entry.status) : Json(nullptr);
    out["pipestatus"] = entry.pipestatus;
    out["flags"] = entry.flags;
    out["processes"] = own_processes(entry);
    out["processes_left_out"] = entry.processes_left_out;
    out["files"] = entry.files;
    out["connections"] = entry.connections;
  } else if (entry.kind == TrailKind::session_end) {
    out["status"] = entry.status;
    out["text"] = entry.text;
  } else {
    out["code"] = entry.code;
    out["severity"] = entry.severity.empty() ? Json(nullptr) : Json(entry.severity);
    out["command"] = entry.command == 0 ? Json(nullptr) : Json(entry.command);
    out["text"] = entry.text;
    out["lost_events"] = entry.lost_events;
  }
  return dump(out);
}

std::string to_ecs(const TrailEntry& entry) {
  const auto& session = entry.session;
  const auto kind = ecs_kind(entry);
  Json event{{"kind", kind.kind},        {"category", {kind.category}},
             {"type", {kind.type}},      {"action", name_of(entry.kind)},
             {"module", "sworn"},        {"provider", "sworn"},
             {"dataset", "sworn.trail"}, {"id", fmt::format("{}:{}", session.file_id, entry.event)},
             {"sequence", entry.event},  {"start", format_rfc3339(entry.at)}};
  if (entry.kind == TrailKind::command && entry.ended) {
    event["end"] = format_rfc3339(entry.end);
    event["duration"] = duration_us(entry) * 1'000;  // nanoseconds
    event["outcome"] = entry.status == 0 ? "success" : "failure";
  } else {
    event["outcome"] = "unknown";
  }
  if (!entry.text.empty() && entry.kind != TrailKind::command) {
    event["reason"] = entry.text;
  }
  Json out{{"@timestamp", format_rfc3339(entry.at)},
           {"ecs", {{"version", "9.0.0"}}},
           {"message", message_of(entry)},
           {"event", event},
           {"host", {{"name", session.host}, {"hostname", session.host}}},
           {"labels", {{"sworn_session", session.file_id}, {"sworn_link", entry.link()}}}};
  if (!session.host_id.empty()) {
    out["host"]["id"] = session.host_id;
  }
  if (!session.boot_id.empty()) {
    out["host"]["boot"] = {{"id", session.boot_id}};
  }
  Json user;
  user["name"] = session.user;
  if (session.uid) {
    user["id"] = std::to_string(*session.uid);
  }
  out["user"] = user;
  if (entry.kind == TrailKind::command) {
    out["process"] = ecs_process(entry);
  }
  if (entry.kind == TrailKind::alert) {
    out["rule"] = {{"name", entry.code}};
  }
  if (!session.ticket.empty()) {
    out["labels"]["sworn_ticket"] = session.ticket;
  }
  if (session.audit_ses) {
    out["labels"]["sworn_audit_session"] = std::to_string(*session.audit_ses);
  }
  return dump(out);
}

std::string to_ocsf(const TrailEntry& entry, std::string& prev) {
  constexpr int k_class = 1007;
  const auto& session = entry.session;
  // Launch, Terminate, Other.
  const int activity = entry.kind == TrailKind::session_start ? 1
                       : entry.kind == TrailKind::session_end ? 2
                       : entry.kind == TrailKind::command     ? (entry.ended ? 2 : 1)
                                                              : 99;
  Json user{{"name", session.user}};
  if (session.uid) {
    user["uid"] = std::to_string(*session.uid);
  }
  Json out{{"category_uid", 1},
           {"class_uid", k_class},
           {"activity_id", activity},
           {"type_uid", k_class * 100 + activity},
           {"severity_id", ocsf_severity(entry)},
           {"time", entry.at.us / 1'000},
           {"message", message_of(entry)},
           {"metadata",
            {{"version", "1.8.0"},
             {"product", {{"name", "sworn"}, {"vendor_name", "sworn"}}},
             {"profiles", {"host", "record_integrity"}},
             {"uid", fmt::format("{}:{}", session.file_id, entry.event)},
             {"sequence", entry.event},
             {"correlation_uid", entry.link()}}},
           {"actor", {{"user", user}, {"session", {{"uid", session.file_id}}}}},
           {"device", {{"hostname", session.host}, {"type_id", 0}, {"uid", session.host_id}}},
           {"process", ocsf_process(entry)}};
  if (activity == 99) {
    out["activity_name"] = name_of(entry.kind);
  }
  if (entry.kind == TrailKind::command && entry.ended) {
    out["start_time"] = entry.at.us / 1'000;
    out["end_time"] = entry.end.us / 1'000;
    out["duration"] = duration_us(entry) / 1'000;
    out["exit_code"] = entry.status;
    out["status_id"] = entry.status == 0 ? 1 : 2;
  }
  // The attestation: over the record with sorted members and without blanks, the attestation's own
  // fingerprint left out; the record before by its fingerprint.
  Json attestation{{"chain_uid", session.file_id}};
  if (!prev.empty()) {
    attestation["prev_event"] = {
        {"fingerprint", {{"algorithm_id", 3}, {"algorithm", "SHA-256"}, {"value", prev}}}};
  }
  out["attestation"] = attestation;
  const auto canonical = nlohmann::json::parse(dump(out)).dump();
  prev = format::to_hex(format::sha256(as_bytes(canonical)));
  out["attestation"]["fingerprint"] = {
      {"algorithm_id", 3}, {"algorithm", "SHA-256"}, {"value", prev}};
  return dump(out);
}

std::string to_json(const TrailEntry& entry, TrailFormat format) {
  std::string none;
  switch (format) {
    case TrailFormat::ecs:
      return to_ecs(entry);
    case TrailFormat::ocsf:
      return to_ocsf(entry, none);
    case TrailFormat::own:
      break;
  }
  return to_own_json(entry);
}

std::string to_sentence(const TrailEntry& entry) {
  const auto who = fmt::format("{}@{}", entry.session.user, entry.session.host);
  switch (entry.kind) {
    case TrailKind::session_start:
      return fmt::format("{} began a recorded session: {}", who, joined_args(entry.session.argv));
    case TrailKind::session_end:
      return fmt::format("{} ended the session, status {}", who, entry.status);
    case TrailKind::command:
      return entry.ended
                 ? fmt::format("{} [{}] status {}: {}", who, entry.command, entry.status,
                               entry.text)
                 : fmt::format("{} [{}] no end on record: {}", who, entry.command, entry.text);
    case TrailKind::alert:
      return fmt::format("{} alert {} ({}): {}", who, entry.code, entry.severity, entry.text);
    case TrailKind::gap:
      return fmt::format("{} gap in the record, {}: {}", who, entry.code, entry.text);
    case TrailKind::change:
      return fmt::format("{} {}: {}", who, entry.code, entry.text);
  }
  return who;
}

}  // namespace sworn::audit::trail
