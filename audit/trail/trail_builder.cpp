// SPDX-License-Identifier: Apache-2.0
#include "audit/trail/trail_builder.hpp"

#include "audit/logs/link.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::audit::trail {
namespace {

using format::EventKind;

constexpr std::uint32_t k_unset = 0xFFFFFFFF;

std::optional<std::uint32_t> id_of(std::uint32_t id) {
  return id == k_unset ? std::nullopt : std::optional(id);
}

bool contains(const std::vector<std::string>& flags, std::string_view flag) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

}  // namespace

std::string_view name_of(TrailKind kind) {
  constexpr std::array<std::string_view, 6> k_names{"session_start", "command", "alert",
                                                    "gap",           "change",  "session_end"};
  return k_names[static_cast<std::size_t>(kind) % k_names.size()];
}

std::string TrailEntry::link() const {
  return logs::to_text(
      logs::SessionLink{session.host, session.file_id, std::max<std::int64_t>(0, t_us), event});
}

TrailBuilder::TrailBuilder(const format::SessionHeader& header, format::ClockMap clock,
                           MonoTime first)
    : clock_(std::move(clock)), first_(first) {
  session_.file_id = format::to_hex(header.file_id);
  session_.host_id = header.host_id;
  session_.boot_id = header.boot_id;
  session_.mode = header.mode;
  session_.recorder_version = header.recorder_version;
}

TrailEntry TrailBuilder::entry_at(const format::EventView& event, TrailKind kind) const {
  TrailEntry entry;
  entry.kind = kind;
  entry.session = session_;
  entry.at = clock_.to_wall(event.at);
  entry.end = entry.at;
  entry.t_us = event.at.us - first_.us;
  entry.event = event.number;
  return entry;
}

void TrailBuilder::advance(MonoTime now, std::vector<TrailEntry>& out) {
  while (!waiting_.empty() && waiting_.front().until <= now) {
    out.push_back(std::move(waiting_.front().entry));
    waiting_.pop_front();
  }
}

void TrailBuilder::settle(std::vector<TrailEntry>& out) {
  close_open();
  advance({INT64_MAX}, out);
}

void TrailBuilder::add(const format::EventView& event, std::vector<TrailEntry>& out) {
  if (!event.redacted || event.kind == EventKind::command_begin) {
    take(event);
  }
  advance(event.kind == EventKind::exit ? MonoTime{INT64_MAX} : event.t, out);
}

void TrailBuilder::take(const format::EventView& event) {
  switch (event.kind) {
    case EventKind::session_start:
      if (const auto start = format::decode_session_start(event.data)) {
        session_.host = start->hostname;
        session_.user = start->user;
        session_.uid = start->uid;
        session_.loginuid = id_of(start->loginuid);
        session_.audit_ses = id_of(start->audit_ses);
        session_.pts = start->pts;
        session_.ssh_connection = start->ssh_connection;
        session_.ticket = start->ticket;
        session_.argv = start->argv;
        wait(entry_at(event, TrailKind::session_start));
      }
      break;
    case EventKind::command_begin:
      begin(event);
      break;
    case EventKind::command_end:
      end(event);
      break;
    case EventKind::exec:
      exec(event);
      break;
    case EventKind::file:
      file(event);
      break;
    case EventKind::connect:
      connect(event);
      break;
    case EventKind::alert:
      alert(event);
      break;
    case EventKind::gap:
      if (auto gap = format::decode_gap(event.data)) {
        auto entry = entry_at(event, TrailKind::gap);
        entry.code = std::move(gap->reason);
        entry.text = std::move(gap->detail);
        entry.lost_events = gap->lost_events;
        wait(std::move(entry));
      }
      break;
    case EventKind::exit:
      finish(event);
      break;
    default:
      break;
  }
}

void TrailBuilder::begin(const format::EventView& event) {
  if (event.redacted) {  // it still was a command
    auto entry = entry_at(event, TrailKind::command);
    entry.command = ++commands_;
    entry.text_source = "none";
    entry.ended = false;
    entry.flags = {"redacted"};
    wait(std::move(entry));
    return;
  }
  auto fact = format::decode_command_begin(event.data);
  if (!fact) {
    return;
  }
  const Key key{fact->shell_pid, fact->n};
  if (const auto found = open_.find(key);
      contains(fact->flags, "continued") && found != open_.end()) {
    found->second.entry.text += fact->text;
    return;
  }
  if (open_.size() >= k_max_open) {  // the oldest has lost its end
    auto oldest = open_.begin();
    oldest->second.entry.flags.emplace_back("no_end");
    wait(std::move(oldest->second.entry));
    open_.erase(oldest);
  }
  auto entry = entry_at(event, TrailKind::command);
  entry.command = ++commands_;
  entry.ended = false;
  entry.text = std::move(fact->text);
  entry.text_source = std::move(fact->text_source);
  entry.cwd = std::move(fact->cwd);
  entry.shell = std::move(fact->shell);
  entry.shell_pid = fact->shell_pid;
  for (auto& flag : fact->flags) {
    if (flag != "more" && flag != "continued") {
      entry.flags.push_back(std::move(flag));
    }
  }
  open_[key] = {std::move(entry), event.at};
}

void TrailBuilder::end(const format::EventView& event) {
  auto fact = format::decode_command_end(event.data);
  const auto found = fact ? open_.find({fact->shell_pid, fact->n}) : open_.end();
  if (found == open_.end()) {
    return;
  }
  auto& [entry, begin] = found->second;
  entry.ended = true;
  entry.end = clock_.to_wall(event.at);
  entry.status = fact->exit_status;
  entry.pipestatus = std::move(fact->pipestatus);
  for (auto& flag : fact->flags) {
    entry.flags.push_back(std::move(flag));
  }
  waiting_.push_back({std::move(entry), begin, event.at, {event.t.us + k_settle_us}});
  open_.erase(found);
}

// For the summary in a command's entry. The exact attribution of processes to command lines is in
// the session's own entries (sworn log --tree).
TrailEntry* TrailBuilder::running(MonoTime at) {
  TrailEntry* best = nullptr;
  MonoTime began{INT64_MIN};
  for (auto& [key, command] : open_) {
    if (command.begin <= at && command.begin >= began) {
      best = &command.entry;
      began = command.begin;
    }
  }
  for (auto& one : waiting_) {
    if (one.entry.kind == TrailKind::command && one.entry.ended && one.begin <= at &&
        at <= one.end && one.begin >= began) {
      best = &one.entry;
      began = one.begin;
    }
  }
  return best;
}

void TrailBuilder::exec(const format::EventView& event) {
  auto* command = running(event.at);
  auto map = format::MapReader::parse(event.data);
  if (command == nullptr || !map) {
    return;
  }
  if (command->processes.size() >= k_max_processes) {
    ++command->processes_left_out;
    return;
  }
  TrailProcess process;
  map->number("pid", process.pid).number("parent_pid", process.ppid).number("uid", process.uid);
  process.euid = process.uid;
  map->number("euid", process.euid).text("file", process.exe);
  map->text("exe", process.exe).texts("argv", process.argv);
  if (map->done()) {
    process.start = clock_.to_wall(event.at);
    command->processes.push_back(std::move(process));
  }
}

void TrailBuilder::file(const format::EventView& event) {
  auto* command = running(event.at);
  auto map = format::MapReader::parse(event.data);
  std::string path;
  if (command == nullptr || !map || !map->text("path", path).done() ||
      command->files.size() >= k_max_files || contains(command->files, path)) {
    return;
  }
  command->files.push_back(std::move(path));
}

void TrailBuilder::connect(const format::EventView& event) {
  auto* command = running(event.at);
  auto map = format::MapReader::parse(event.data);
  if (command == nullptr || !map || command->connections.size() >= k_max_files) {
    return;
  }
  std::string protocol;
  std::string address;
  std::uint32_t port = 0;
  if (map->text("protocol", protocol).text("address", address).number("port", port).done()) {
    auto text = fmt::format("{} {} port {}", protocol, address, port);
    if (!contains(command->connections, text)) {
      command->connections.push_back(std::move(text));
    }
  }
}

void TrailBuilder::alert(const format::EventView& event) {
  auto map = format::MapReader::parse(event.data);
  if (!map) {
    return;
  }
  auto entry = entry_at(event, TrailKind::alert);
  std::string change;
  map->text("rule", entry.code)
      .text("severity", entry.severity)
      .text("text", entry.text)
      .text("change", change)
      .number("command", entry.command);
  if (!map->done()) {
    return;
  }
  if (!change.empty()) {
    entry.kind = TrailKind::change;
    entry.code = change;
  }
  wait(std::move(entry));
}

void TrailBuilder::finish(const format::EventView& event) {
  close_open();
  auto entry = entry_at(event, TrailKind::session_end);
  if (const auto exit = format::decode_exit(event.data)) {
    entry.status = exit->signal != 0 ? 128 + exit->signal : exit->status;
    entry.text = exit->detail;
  }
  wait(std::move(entry));
}

void TrailBuilder::close_open() {
  for (auto& [key, command] : open_) {
    command.entry.flags.emplace_back("no_end");
    wait(std::move(command.entry));
  }
  open_.clear();
}

}  // namespace sworn::audit::trail
