// SPDX-License-Identifier: Apache-2.0
#include "audit/process_event.hpp"

#include "format/msgpack_map.hpp"

#include <fmt/format.h>

#include <charconv>

namespace sworn::audit {
namespace {

using format::MapReader;
using format::MapWriter;

constexpr std::size_t k_max_via = 64;

void write_process(MapWriter& map, const ProcessId& process, const ProcessId& parent) {
  map.number("pid", process.pid).number("start_us", process.start);
  if (parent != ProcessId{}) {
    map.number("parent_pid", parent.pid).number("parent_start_us", parent.start);
  }
}

void read_process(MapReader& map, ProcessId& process, ProcessId& parent) {
  map.number("pid", process.pid)
      .number("start_us", process.start)
      .number("parent_pid", parent.pid)
      .number("parent_start_us", parent.start);
}

// "4711@1234567"
Result<ProcessId> read_id(std::string_view text) {
  ProcessId out;
  const auto* last = text.data() + text.size();
  const auto pid = std::from_chars(text.data(), last, out.pid);
  if (pid.ec == std::errc{} && pid.ptr != last && *pid.ptr == '@') {
    const auto start = std::from_chars(pid.ptr + 1, last, out.start);
    if (start.ec == std::errc{} && start.ptr == last) {
      return out;
    }
  }
  return fail(Errc::corrupt, "not a process identity");
}

template <typename T>
void unless_default(MapWriter& map, std::string_view key, T value, T usual) {
  if (value != usual) {
    map.unsigned_number(key, value);
  }
}

}  // namespace

Bytes encode(const ExecFact& p) {
  MapWriter map;
  write_process(map, p.process, p.parent);
  if (p.ppid != p.parent.pid) {
    map.number("ppid", p.ppid);
  }
  if (!p.via.empty()) {
    std::vector<std::string> via;
    for (const auto& id : p.via) {
      via.push_back(fmt::format("{}@{}", id.pid, id.start));
    }
    map.texts("via", via);
  }
  map.unsigned_number("uid", p.uid);
  unless_default(map, "euid", p.euid, p.uid);
  map.unsigned_number("gid", p.gid);
  unless_default(map, "egid", p.egid, p.gid);
  unless_default(map, "loginuid", p.loginuid, k_no_id);
  unless_default(map, "audit_ses", p.audit_ses, k_no_id);
  if (!p.tty.empty()) {
    map.text("tty", p.tty);
  }
  unless_default<std::uint64_t>(map, "cgroup", p.cgroup, 0);
  map.text("comm", p.comm).text("file", p.file);
  if (p.exe != p.file) {
    map.text("exe", p.exe);
  }
  map.texts("argv", p.argv).unsigned_number("argv_bytes", p.argv_bytes).text("cwd", p.cwd);
  map.text("input", p.input).text("source", p.source);
  if (!p.flags.empty()) {
    map.texts("flags", p.flags);
  }
  if (p.error != 0) {
    map.number("error", p.error);
  }
  return map.finish();
}

Result<ExecFact> decode_exec(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  ExecFact p;
  std::vector<std::string> via;
  read_process(map, p.process, p.parent);
  p.ppid = p.parent.pid;
  map.number("ppid", p.ppid).texts("via", via).number("uid", p.uid).number("gid", p.gid);
  p.euid = p.uid;
  p.egid = p.gid;
  map.number("euid", p.euid)
      .number("egid", p.egid)
      .number("loginuid", p.loginuid)
      .number("audit_ses", p.audit_ses)
      .text("tty", p.tty)
      .number("cgroup", p.cgroup)
      .text("comm", p.comm)
      .text("file", p.file);
  p.exe = p.file;
  TRY(map.text("exe", p.exe)
          .texts("argv", p.argv)
          .number("argv_bytes", p.argv_bytes)
          .text("cwd", p.cwd)
          .text("input", p.input)
          .text("source", p.source)
          .texts("flags", p.flags)
          .number("error", p.error)
          .done());
  if (via.size() > k_max_via) {
    return fail(Errc::corrupt, "a process with too many ancestors");
  }
  for (const auto& text : via) {
    TRY_ASSIGN(const auto id, read_id(text));
    p.via.push_back(id);
  }
  return p;
}

Bytes encode(const ExitFact& p) {
  MapWriter map;
  write_process(map, p.process, p.parent);
  map.text("comm", p.comm);
  if (p.signal != 0) {
    map.number("signal", p.signal);
    if (p.core_dumped) {
      map.boolean("core_dumped", true);
    }
  } else {
    map.number("status", p.status);
  }
  map.unsigned_number("execs", p.execs).text("source", p.source);
  return map.finish();
}

Result<ExitFact> decode_exec_exit(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  ExitFact p;
  read_process(map, p.process, p.parent);
  TRY(map.text("comm", p.comm)
          .number("status", p.status)
          .number("signal", p.signal)
          .boolean("core_dumped", p.core_dumped)
          .number("execs", p.execs)
          .text("source", p.source)
          .done());
  return p;
}

Bytes encode(const FileFact& p) {
  MapWriter map;
  write_process(map, p.process, {});
  map.text("path", p.path)
      .unsigned_number("open_flags", p.flags)
      .text("comm", p.comm)
      .text("source", p.source);
  if (!p.notes.empty()) {
    map.texts("flags", p.notes);
  }
  return map.finish();
}

Result<FileFact> decode_file(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  FileFact p;
  ProcessId unused;
  read_process(map, p.process, unused);
  TRY(map.text("path", p.path)
          .number("open_flags", p.flags)
          .text("comm", p.comm)
          .text("source", p.source)
          .texts("flags", p.notes)
          .done());
  return p;
}

Bytes encode(const ConnectFact& p) {
  MapWriter map;
  write_process(map, p.process, {});
  map.text("family", p.family)
      .text("address", p.address)
      .unsigned_number("port", p.port)
      .text("protocol", p.protocol)
      .text("comm", p.comm)
      .text("source", p.source);
  return map.finish();
}

Result<ConnectFact> decode_connect(ByteView data) {
  TRY_ASSIGN(auto map, MapReader::parse(data));
  ConnectFact p;
  ProcessId unused;
  read_process(map, p.process, unused);
  TRY(map.text("family", p.family)
          .text("address", p.address)
          .number("port", p.port)
          .text("protocol", p.protocol)
          .text("comm", p.comm)
          .text("source", p.source)
          .done());
  return p;
}

}  // namespace sworn::audit
