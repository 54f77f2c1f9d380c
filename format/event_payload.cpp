// SPDX-License-Identifier: Apache-2.0
#include "format/event_payload.hpp"

#include "format/msgpack_map.hpp"

namespace sworn::format {
namespace {

// Values outside of 16 bits are refused, not wrapped.
Result<void> read_size(MapReader& map, TermSize& size) {
  std::uint32_t cols = size.cols;
  std::uint32_t rows = size.rows;
  map.number("cols", cols).number("rows", rows);
  TRY(map.done());
  if (cols > 0xFFFF || rows > 0xFFFF) {
    return fail(Errc::corrupt, "a terminal size out of range");
  }
  size = {static_cast<std::uint16_t>(cols), static_cast<std::uint16_t>(rows)};
  return {};
}

}  // namespace

std::vector<std::string> payload_texts(ByteView data, std::string_view key) {
  auto map = MapReader::parse(data);
  std::vector<std::string> out;
  if (!map || !map->texts(key, out).done()) {
    return {};
  }
  return out;
}

Bytes encode(const Resize& p) {
  return MapWriter()
      .unsigned_number("cols", p.size.cols)
      .unsigned_number("rows", p.size.rows)
      .finish();
}
Result<Resize> decode_resize(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  Resize p;
  TRY(read_size(map, p.size));
  return p;
}

Bytes encode(const Signal& p) {
  return MapWriter().number("number", p.number).text("origin", p.origin).finish();
}
Result<Signal> decode_signal(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  Signal p;
  TRY(map.number("number", p.number).text("origin", p.origin).done());
  return p;
}

Bytes encode(const Marker& p) {
  return MapWriter().text("label", p.label).finish();
}
Result<Marker> decode_marker(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  Marker p;
  TRY(map.text("label", p.label).done());
  return p;
}

Bytes encode(const ClockSample& p) {
  return MapWriter()
      .number("wall_us", p.wall.us)
      .boolean("synchronised", p.synchronised)
      .number("max_error_us", p.max_error_us)
      .text("reason", p.reason)
      .finish();
}
Result<ClockSample> decode_clock_sample(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  ClockSample p;
  TRY(map.number("wall_us", p.wall.us)
          .boolean("synchronised", p.synchronised)
          .number("max_error_us", p.max_error_us)
          .text("reason", p.reason)
          .done());
  return p;
}

Bytes encode(const SessionStart& p) {
  MapWriter map;
  map.text("user", p.user)
      .unsigned_number("uid", p.uid)
      .unsigned_number("loginuid", p.loginuid)
      .unsigned_number("audit_ses", p.audit_ses)
      .numbers("groups", p.groups)
      .text("hostname", p.hostname)
      .text("tty", p.tty)
      .text("pts", p.pts)
      .text("term", p.term)
      .unsigned_number("cols", p.size.cols)
      .unsigned_number("rows", p.size.rows)
      .boolean("terminal", p.terminal)
      .texts("argv", p.argv)
      .text("cwd", p.cwd)
      .pairs("environment", p.environment)
      .text("ssh_connection", p.ssh_connection)
      .text("reason", p.reason)
      .text("ticket", p.ticket)
      .text("policy", p.policy)
      .text("input_policy", p.input_policy)
      .number("recorder_pid", p.recorder_pid)
      .number("child_pid", p.child_pid);
  if (!p.zone.empty()) {
    map.text("zone", p.zone).number("utc_offset_s", p.utc_offset_s);
  }
  return map.finish();
}
Result<SessionStart> decode_session_start(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  SessionStart p;
  TRY(map.text("user", p.user)
          .number("uid", p.uid)
          .number("loginuid", p.loginuid)
          .number("audit_ses", p.audit_ses)
          .numbers("groups", p.groups)
          .text("hostname", p.hostname)
          .text("tty", p.tty)
          .text("pts", p.pts)
          .text("term", p.term)
          .boolean("terminal", p.terminal)
          .texts("argv", p.argv)
          .text("cwd", p.cwd)
          .pairs("environment", p.environment)
          .text("ssh_connection", p.ssh_connection)
          .text("reason", p.reason)
          .text("ticket", p.ticket)
          .text("policy", p.policy)
          .text("input_policy", p.input_policy)
          .number("recorder_pid", p.recorder_pid)
          .number("child_pid", p.child_pid)
          .text("zone", p.zone)
          .number("utc_offset_s", p.utc_offset_s)
          .done());
  TRY(read_size(map, p.size));
  return p;
}

Bytes encode(const CommandBegin& p) {
  return MapWriter()
      .unsigned_number("n", p.n)
      .number("shell_pid", p.shell_pid)
      .text("text", p.text)
      .text("text_source", p.text_source)
      .text("cwd", p.cwd)
      .text("shell", p.shell)
      .number("anchor_pid", p.anchor_pid)
      .texts("flags", p.flags)
      .finish();
}
Result<CommandBegin> decode_command_begin(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  CommandBegin p;
  TRY(map.number("n", p.n)
          .number("shell_pid", p.shell_pid)
          .text("text", p.text)
          .text("text_source", p.text_source)
          .text("cwd", p.cwd)
          .text("shell", p.shell)
          .number("anchor_pid", p.anchor_pid)
          .texts("flags", p.flags)
          .done());
  return p;
}

Bytes encode(const CommandEnd& p) {
  return MapWriter()
      .unsigned_number("n", p.n)
      .number("shell_pid", p.shell_pid)
      .number("exit_status", p.exit_status)
      .text("pipestatus", p.pipestatus)
      .text("cwd_after", p.cwd_after)
      .texts("flags", p.flags)
      .finish();
}
Result<CommandEnd> decode_command_end(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  CommandEnd p;
  TRY(map.number("n", p.n)
          .number("shell_pid", p.shell_pid)
          .number("exit_status", p.exit_status)
          .text("pipestatus", p.pipestatus)
          .text("cwd_after", p.cwd_after)
          .texts("flags", p.flags)
          .done());
  return p;
}

Bytes encode(const Gap& p) {
  return MapWriter()
      .text("reason", p.reason)
      .unsigned_number("lost_events", p.lost_events)
      .unsigned_number("lost_bytes", p.lost_bytes)
      .text("detail", p.detail)
      .finish();
}
Result<Gap> decode_gap(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  Gap p;
  TRY(map.text("reason", p.reason)
          .number("lost_events", p.lost_events)
          .number("lost_bytes", p.lost_bytes)
          .text("detail", p.detail)
          .done());
  return p;
}

Bytes encode(const Exit& p) {
  return MapWriter()
      .number("status", p.status)
      .number("signal", p.signal)
      .boolean("core_dumped", p.core_dumped)
      .unsigned_number("undrained_bytes", p.undrained_bytes)
      .text("detail", p.detail)
      .finish();
}
Result<Exit> decode_exit(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  Exit p;
  TRY(map.number("status", p.status)
          .number("signal", p.signal)
          .boolean("core_dumped", p.core_dumped)
          .number("undrained_bytes", p.undrained_bytes)
          .text("detail", p.detail)
          .done());
  return p;
}

}  // namespace sworn::format
