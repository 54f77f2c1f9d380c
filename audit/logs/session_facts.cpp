// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/session_facts.hpp"

#include "format/msgpack_map.hpp"

#include <map>

namespace sworn::audit::logs {
namespace {

using format::EventKind;

constexpr std::size_t k_max_spans = 500'000;

// Lives of processes out of exec and exec_exit events, whatever else those hold.
class Spans {
 public:
  void add(const format::EventView& event, SessionLineage& lineage) {
    auto map = format::MapReader::parse(event.data);
    std::int64_t pid = 0;
    std::int64_t start = INT64_MAX;  // of the process, where the kernel told
    if (!map || !map->number("pid", pid).number("start_us", start).done() || pid <= 0 ||
        lineage.spans.size() >= k_max_spans) {
      return;
    }
    const auto open = open_.find(pid);
    if (event.kind == EventKind::exec) {
      if (open == open_.end()) {
        open_[pid] = lineage.spans.size();
        lineage.spans.push_back(
            {pid, {start > 0 ? std::min(start, event.at.us) : event.at.us}, {INT64_MAX / 4}});
      }
    } else if (open != open_.end()) {
      lineage.spans[open->second].to = event.at;
      open_.erase(open);
    }
  }

 private:
  std::map<std::int64_t, std::size_t> open_;
};

void add_start(const format::EventView& event, SessionFacts& facts) {
  auto start = format::decode_session_start(event.data);
  if (!start) {
    return;
  }
  auto& lineage = facts.lineage;
  lineage.audit_ses = start->audit_ses;
  lineage.loginuid = start->loginuid;
  lineage.uid = start->uid;
  lineage.user = start->user;
  for (const auto pid : {start->recorder_pid, start->child_pid}) {
    if (pid > 0) {
      lineage.pids.insert(pid);
    }
  }
  facts.start = std::move(*start);
}

void add_commands(SessionFacts& facts) {
  std::size_t number = 0;
  for (const auto& command : facts.commands.commands()) {
    ++number;
    if (command.shell_pid > 0) {
      facts.lineage.pids.insert(command.shell_pid);
    }
    if (command.text.find("sudo") != std::string::npos) {
      facts.lineage.sudo.push_back({number, command.text, command.cwd, command.begin,
                                    command.ended ? command.end : facts.placement.window.to});
    }
  }
}

}  // namespace

Result<SessionFacts> read_session_facts(format::SessionReader& reader) {
  SessionFacts facts;
  facts.file_id = format::to_hex(reader.header().file_id);
  facts.placement.boot_id = reader.header().boot_id;
  facts.placement.window.from = reader.first_time();
  facts.placement.window.to = reader.last_time();
  TRY_ASSIGN(facts.placement.clock, reader.clock_map());
  Spans spans;
  TRY(reader.seek_event(0));
  while (true) {
    TRY_ASSIGN(const auto event, reader.next());
    if (!event) {
      break;
    }
    facts.placement.window.to = std::max(facts.placement.window.to, event->t);
    facts.commands.add(*event);
    if (event->redacted) {
      continue;
    }
    if (event->kind == EventKind::session_start) {
      add_start(*event, facts);
    } else if (event->kind == EventKind::exec || event->kind == EventKind::exec_exit) {
      spans.add(*event, facts.lineage);
    }
  }
  facts.commands.settle();
  add_commands(facts);
  if (facts.placement.clock.empty()) {
    return fail(Errc::not_found, "the recording has no clock to place log lines on");
  }
  return facts;
}

}  // namespace sworn::audit::logs
