// SPDX-License-Identifier: Apache-2.0
// One JSON object a line: first the header, then every event. Bytes that are UTF-8 come as text,
// others as base64; structured payloads come with their fields.
#include "base/printable.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"
#include "player/base64.hpp"
#include "player/export.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sworn::player {
namespace {

using nlohmann::json;

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto step = decode_utf8(text);
    if (!step.valid) {
      return false;
    }
    text.remove_prefix(step.length);
  }
  return true;
}

void put_text(json& object, const char* name, const std::string& text) {
  if (is_utf8(text)) {
    object[name] = text;
  } else {
    object[std::string(name) + "_base64"] = base64(as_bytes(text));
  }
}

// Fields of the structured kinds that this build knows; false where the payload is something else.
bool put_fields(json& object, const format::EventView& event) {
  using format::EventKind;
  switch (event.kind) {
    case EventKind::resize:
      if (const auto p = format::decode_resize(event.data)) {
        object["cols"] = p->size.cols;
        object["rows"] = p->size.rows;
        return true;
      }
      return false;
    case EventKind::signal:
      if (const auto p = format::decode_signal(event.data)) {
        object["signal"] = p->number;
        put_text(object, "origin", p->origin);
        return true;
      }
      return false;
    case EventKind::marker:
      if (const auto p = format::decode_marker(event.data)) {
        put_text(object, "label", p->label);
        return true;
      }
      return false;
    case EventKind::clock:
      if (const auto p = format::decode_clock_sample(event.data)) {
        object["wall"] = format_rfc3339(p->wall);
        object["synchronised"] = p->synchronised;
        object["max_error_us"] = p->max_error_us;
        put_text(object, "reason", p->reason);
        return true;
      }
      return false;
    case EventKind::session_start:
      if (const auto p = format::decode_session_start(event.data)) {
        put_text(object, "user", p->user);
        object["uid"] = p->uid;
        object["loginuid"] = p->loginuid;
        object["audit_session"] = p->audit_ses;
        put_text(object, "hostname", p->hostname);
        put_text(object, "tty", p->tty);
        put_text(object, "pts", p->pts);
        put_text(object, "term", p->term);
        put_text(object, "cwd", p->cwd);
        put_text(object, "ssh_connection", p->ssh_connection);
        object["argv"] = json::array();
        for (const auto& word : p->argv) {
          object["argv"].push_back(word);
        }
        object["terminal"] = p->terminal;
        object["cols"] = p->size.cols;
        object["rows"] = p->size.rows;
        return true;
      }
      return false;
    case EventKind::command_begin:
      if (const auto p = format::decode_command_begin(event.data)) {
        object["n"] = p->n;
        object["shell_pid"] = p->shell_pid;
        put_text(object, "text", p->text);
        put_text(object, "text_source", p->text_source);
        put_text(object, "cwd", p->cwd);
        put_text(object, "shell", p->shell);
        return true;
      }
      return false;
    case EventKind::command_end:
      if (const auto p = format::decode_command_end(event.data)) {
        object["n"] = p->n;
        object["shell_pid"] = p->shell_pid;
        object["exit_status"] = p->exit_status;
        put_text(object, "pipestatus", p->pipestatus);
        put_text(object, "cwd_after", p->cwd_after);
        return true;
      }
      return false;
    case EventKind::gap:
      if (const auto p = format::decode_gap(event.data)) {
        put_text(object, "reason", p->reason);
        object["lost_events"] = p->lost_events;
        object["lost_bytes"] = p->lost_bytes;
        put_text(object, "detail", p->detail);
        return true;
      }
      return false;
    case EventKind::exit:
      if (const auto p = format::decode_exit(event.data)) {
        object["status"] = p->status;
        object["signal"] = p->signal;
        object["core_dumped"] = p->core_dumped;
        object["undrained_bytes"] = p->undrained_bytes;
        put_text(object, "detail", p->detail);
        return true;
      }
      return false;
    case EventKind::output:
    case EventKind::input:
    case EventKind::input_hidden:
    case EventKind::typed:
    case EventKind::side_output:
    case EventKind::error_output:
    case EventKind::end_of_input:
      return false;
    case EventKind::exec:
    case EventKind::exec_exit:
    case EventKind::file:
    case EventKind::connect:
    case EventKind::log_line:
    case EventKind::alert:
    case EventKind::capture:  // maps of their own: as they are
      if (const auto map = format::MapReader::parse(event.data)) {
        object["fields"] = json::parse(map->to_json(), nullptr, false);
        return !object["fields"].is_discarded();
      }
      return false;
  }
  return false;
}

json event_json(const format::EventView& event, const ExportSource& source) {
  json object{{"event", event.number},
              {"kind", format::name_of(event.kind)},
              {"elapsed",
               static_cast<double>(event.t.us - source.recording.header().started_mono.us) / 1e6},
              {"time", format_rfc3339(source.clock.to_wall(event.at))}};
  if (event.redacted) {
    object["redacted"] = true;
    return object;
  }
  if (!put_fields(object, event) && !event.data.empty()) {
    put_text(object, "data", std::string(as_text(event.data)));
  }
  return object;
}

}  // namespace

Result<void> export_jsonl(const ExportSource& source, const ExportSink& sink,
                          ExportReport& report) {
  const auto dumped = [](const json& object) {
    return object.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  };
  const auto& header = source.recording.header();
  TRY(sink(dumped({{"schema", "sworn.events/1"},
                   {"derived", source.provenance()},
                   {"session", format::to_hex(header.file_id)},
                   {"root", source.root},
                   {"verdict", source.verdict},
                   {"started", format_rfc3339(header.started)}})));
  TRY_ASSIGN(const auto events, source.open());
  while (true) {
    TRY_ASSIGN(const auto event, events->next());
    if (!event || event->number >= source.to) {
      return {};
    }
    ++report.events;
    TRY(sink(dumped(event_json(*event, source))));
  }
}

}  // namespace sworn::player
