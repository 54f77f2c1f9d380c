// SPDX-License-Identifier: Apache-2.0
#include "cli/session_summary.hpp"

#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace sworn::cli {
namespace {

using format::EventKind;

// The exit event is one of the last: only the events of the last chunk and of the tail are looked
// at.
Result<void> find_exit(OpenSession& session, SessionSummary& summary) {
  auto& reader = *session.reader;
  const auto& chunks = reader.chunks();
  TRY(reader.seek_event(chunks.empty() ? 0 : chunks.back().first_event));
  for (;;) {
    TRY_ASSIGN(const auto event, reader.next());
    if (!event) {
      return {};
    }
    if (event->kind == EventKind::exit && !event->redacted) {
      TRY_ASSIGN(summary.exit, format::decode_exit(event->data));
    }
  }
}

Result<void> find_start(OpenSession& session, SessionSummary& summary) {
  TRY(session.reader->seek_event(0));
  TRY_ASSIGN(const auto event, session.reader->next());
  if (event && event->kind == EventKind::session_start && !event->redacted) {
    TRY_ASSIGN(summary.start, format::decode_session_start(event->data));
  }
  return {};
}

bool needs_quotes(std::string_view word) {
  constexpr std::string_view k_plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  return word.empty() || word.find_first_not_of(k_plain) != std::string_view::npos;
}

std::string id_or_unset(std::uint32_t id) {
  return id == 0xFFFFFFFF ? "unset" : std::to_string(id);
}

Json id_or_null(std::uint32_t id) {
  return id == 0xFFFFFFFF ? Json(nullptr) : Json(id);
}

Json start_to_json(const format::SessionStart& s) {
  Json environment = Json::object();
  for (const auto& [name, value] : s.environment) {
    environment[name] = value;
  }
  return {{"user", s.user},
          {"uid", s.uid},
          {"loginuid", id_or_null(s.loginuid)},
          {"audit_session", id_or_null(s.audit_ses)},
          {"groups", s.groups},
          {"host", s.hostname},
          {"tty", s.tty},
          {"pts", s.pts},
          {"term", s.term},
          {"cols", s.size.cols},
          {"rows", s.size.rows},
          {"terminal", s.terminal},
          {"argv", s.argv},
          {"cwd", s.cwd},
          {"environment", std::move(environment)},
          {"ssh_connection", s.ssh_connection},
          {"reason", s.reason},
          {"ticket", s.ticket},
          {"input_policy", s.input_policy},
          {"recorder_pid", s.recorder_pid},
          {"child_pid", s.child_pid}};
}

Json exit_to_json(const format::Exit& e) {
  return {{"status", e.signal == 0 ? Json(e.status) : Json(nullptr)},
          {"signal", e.signal == 0 ? Json(nullptr) : Json(e.signal)},
          {"core_dumped", e.core_dumped},
          {"undrained_bytes", e.undrained_bytes},
          {"detail", e.detail}};
}

void line(std::string& out, std::string_view label, const std::string& text) {
  out += labelled(label, text, 11);
}

void append_start(std::string& out, const format::SessionStart& s) {
  line(out, "user",
       fmt::format("{} (uid {}, loginuid {}, audit session {})", s.user, s.uid,
                   id_or_unset(s.loginuid), id_or_unset(s.audit_ses)));
  line(out, "host", s.hostname);
  line(out, "command", join_argv(s.argv));
  line(out, "directory", s.cwd);
  if (s.terminal) {
    line(out, "terminal",
         fmt::format("{} {}x{} on {}", s.term.empty() ? "(no TERM)" : s.term, s.size.cols,
                     s.size.rows, s.tty.empty() ? "no tty" : s.tty));
  } else {
    line(out, "terminal", "none: streams");
  }
  for (const auto& [label, text] :
       {std::pair<std::string_view, const std::string&>{"ssh", s.ssh_connection},
        {"reason", s.reason},
        {"ticket", s.ticket},
        {"input", s.input_policy}}) {
    if (!text.empty()) {
      line(out, label, text);
    }
  }
}

}  // namespace

Result<SessionSummary> summarise(OpenSession& session) {
  SessionSummary summary;
  const auto& reader = *session.reader;
  summary.path = session.path;
  TRY_ASSIGN(summary.file_bytes, session.file->size());
  summary.header = reader.header();
  summary.state = session.state;
  summary.closed = reader.state() == format::FileState::closed;
  summary.events = reader.event_count();
  summary.sealed_events = reader.sealed_events();
  summary.chunks = reader.chunks().size();
  for (const auto& chunk : reader.chunks()) {
    summary.raw_bytes += chunk.raw_bytes;
  }
  summary.tail_events = session.tail_events;
  summary.tail_error = session.tail_error;
  summary.duration_us = std::max<std::int64_t>(0, reader.last_time().us - reader.first_time().us);
  summary.damaged_places = reader.damage().size();
  if (reader.encrypted()) {
    summary.encrypted = true;
    if (const auto to = format::decode_encryption_descriptor(reader.header().encryption)) {
      for (const auto& group : to->groups) {
        summary.recipients.insert(summary.recipients.end(), group.begin(), group.end());
      }
    }
  }
  if (reader.locked()) {
    summary.locked = reader.locked()->context;
    return summary;
  }
  TRY(find_start(session, summary));
  TRY(find_exit(session, summary));
  return summary;
}

std::string join_argv(const std::vector<std::string>& argv) {
  std::string out;
  for (const auto& word : argv) {
    out += out.empty() ? "" : " ";
    if (!needs_quotes(word)) {
      out += word;
      continue;
    }
    out += '\'';
    for (const char c : word) {
      out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    out += '\'';
  }
  return out;
}

std::string describe_end(const SessionSummary& s) {
  if (!s.locked.empty() && s.state == format::StoredState::closed) {
    return s.closed ? "encrypted" : "cut short";
  }
  if (s.exit) {
    if (s.exit->signal == 0) {
      return fmt::format("exit {}", s.exit->status);
    }
    const char* name = ::strsignal(s.exit->signal);
    return fmt::format("signal {} ({})", s.exit->signal, name == nullptr ? "unknown" : name);
  }
  switch (s.state) {
    case format::StoredState::live:
      return "being recorded";
    case format::StoredState::crashed:
      return "recorder died";
    case format::StoredState::closed:
      return s.closed ? "no exit event" : "cut short";
  }
  return "";
}

std::string_view state_text(const SessionSummary& s) {
  return s.state == format::StoredState::closed && !s.closed ? "cut" : format::name_of(s.state);
}

Json to_json(const SessionSummary& s) {
  return {{"schema", "sworn.session/1"},
          {"path", s.path},
          {"state", state_text(s)},
          {"file_bytes", s.file_bytes},
          {"file_id", format::to_hex(s.header.file_id)},
          {"mode", s.header.mode},
          {"host_id", s.header.host_id},
          {"boot_id", s.header.boot_id},
          {"recorder_version", s.header.recorder_version},
          {"started", json_time(s.header.started)},
          {"duration", json_seconds(s.duration_us)},
          {"events", s.events},
          {"sealed_events", s.sealed_events},
          {"tail_events", s.tail_events},
          {"chunks", s.chunks},
          {"raw_bytes", s.raw_bytes},
          {"damaged_places", s.damaged_places},
          {"encrypted", s.encrypted},
          {"locked", s.locked.empty() ? Json(nullptr) : Json(s.locked)},
          {"recipients", s.recipients},
          {"start", s.start ? start_to_json(*s.start) : Json(nullptr)},
          {"exit", s.exit ? exit_to_json(*s.exit) : Json(nullptr)}};
}

std::string render_text(const SessionSummary& s) {
  std::string out;
  line(out, "file", fmt::format("{} ({}, {})", s.path, human_bytes(s.file_bytes), state_text(s)));
  line(out, "session",
       fmt::format("{} {}", format::to_hex(s.header.file_id),
                   s.header.mode == "standalone" ? "self-recorded" : s.header.mode));
  if (s.start) {
    append_start(out, *s.start);
  } else if (!s.locked.empty()) {
    line(out, "user", "ENCRYPTED: " + s.locked);
  } else {
    line(out, "user", "not on record (redacted or damaged)");
  }
  if (s.encrypted && s.locked.empty()) {
    line(out, "encrypted", fmt::format("to {}", fmt::join(s.recipients, ", ")));
  }
  line(out, "started", format_rfc3339(s.header.started, 3));
  line(out, "lasted", format_duration(s.duration_us));
  line(out, "end", describe_end(s));
  line(out, "events",
       fmt::format("{} in {} chunks, {} raw; {} sealed", s.events, s.chunks,
                   human_bytes(s.raw_bytes), s.sealed_events));
  if (s.tail_events > 0) {
    line(out, "tail", fmt::format("{} events on record but in no chunk yet", s.tail_events));
  }
  if (!s.tail_error.empty()) {
    line(out, "tail", "not usable: " + s.tail_error);
  }
  if (s.damaged_places > 0) {
    line(out, "damage",
         fmt::format("{} places cannot be read: sworn verify says which", s.damaged_places));
  }
  line(out, "recorder", fmt::format("sworn {}", s.header.recorder_version));
  line(out, "verified", "no: this only reads; sworn verify proves");
  return out;
}

}  // namespace sworn::cli
