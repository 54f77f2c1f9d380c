// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/entry_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::audit::logs {
namespace {

using format::EventKind;

// The end of a line is told by the shell's clock: so much later a fork may still be the line's.
constexpr std::int64_t k_end_slack_us = 200;
// An anchor says its time after it was forked; by the wall clock, which is read in two steps.
constexpr std::int64_t k_anchor_slack_us = 2'000;
constexpr std::int64_t k_anchor_age_us = 5'000'000;
constexpr std::size_t k_max_gaps = 100'000;
constexpr std::size_t k_max_enters = 1'000'000;
constexpr std::size_t k_max_touched = 100'000;  // files, and connections, of one process
constexpr std::array<std::string_view, 6> k_attributions{"session",        "command",   "prompt",
                                                         "unhooked_shell", "hook_lost", "detached"};

void add_flag(std::vector<std::string>& flags, std::string_view flag) {
  if (std::find(flags.begin(), flags.end(), flag) == flags.end()) {
    flags.emplace_back(flag);
  }
}

// Whether the word stands in the text as a word or as the end of a path.
bool mentions(std::string_view text, std::string_view word) {
  const auto part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !part(text[at - 1])) && (end == text.size() || !part(text[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace

std::string_view name_of(Attribution attribution) {
  return k_attributions[static_cast<std::size_t>(attribution)];
}

// --- taking in

bool EntryList::room(std::size_t bytes) {
  if (bytes_ + bytes > k_max_bytes) {
    ++left_out_;
    return false;
  }
  bytes_ += bytes;
  return true;
}

std::size_t EntryList::find(const ProcessId& id) {
  const auto found = by_id_.find(id);
  if (found != by_id_.end()) {
    return found->second;
  }
  if (processes_.size() >= k_max_processes) {
    ++left_out_;
    return k_no_index;
  }
  by_id_.emplace(id, processes_.size());
  processes_.emplace_back().id = id;
  return processes_.size() - 1;
}

void EntryList::link(const ProcessId& child, const ProcessId& parent) {
  if (child == ProcessId{} || parent == ProcessId{}) {
    return;
  }
  const auto below = find(child);
  const auto above = find(parent);
  if (below == k_no_index || above == k_no_index || below == above ||
      processes_[below].parent != k_no_index) {
    return;
  }
  // Hostile events must not make a circle.
  for (auto at = above; at != k_no_index; at = processes_[at].parent) {
    if (at == below) {
      ++unreadable_;
      return;
    }
  }
  processes_[below].parent = above;
  processes_[above].children.push_back(below);
}

void EntryList::add_exec(const format::EventView& event) {
  auto fact = decode_exec(event.data);
  if (!fact) {
    ++unreadable_;
    return;
  }
  if (!room(event.data.size())) {
    return;
  }
  link(fact->process, fact->parent);
  for (std::size_t i = 0; i + 1 < fact->via.size(); ++i) {
    link(fact->via[i], fact->via[i + 1]);
  }
  const auto index = find(fact->process);
  if (index == k_no_index) {
    return;
  }
  auto& process = processes_[index];
  Program program{event.number, event.at, std::move(*fact), ShellUse::none};
  program.use = shell_use(program.fact);
  if (program.fact.error != 0) {
    process.failed.push_back(std::move(program));
    return;
  }
  process.comm = program.fact.comm;
  process.orphaned = process.orphaned ||
                     (program.fact.parent.pid != 0 && program.fact.ppid != program.fact.parent.pid);
  process.programs.push_back(std::move(program));
}

void EntryList::add_exit(const format::EventView& event) {
  const auto fact = decode_exec_exit(event.data);
  if (!fact) {
    ++unreadable_;
    return;
  }
  link(fact->process, fact->parent);
  const auto index = find(fact->process);
  if (index == k_no_index) {
    return;
  }
  auto& process = processes_[index];
  process.ended = true;
  process.end_event = event.number;
  process.end = event.at;
  process.status = fact->status;
  process.signal = fact->signal;
  if (process.comm.empty()) {
    process.comm = fact->comm;
  }
}

void EntryList::add_file(const format::EventView& event) {
  const auto fact = decode_file(event.data);
  if (!fact) {
    ++unreadable_;
    return;
  }
  const auto index = find(fact->process);
  if (index != k_no_index && processes_[index].files.size() < k_max_touched &&
      room(fact->path.size())) {
    processes_[index].files.push_back({event.number, event.at, fact->path});
  }
}

void EntryList::add_connect(const format::EventView& event) {
  const auto fact = decode_connect(event.data);
  if (!fact) {
    ++unreadable_;
    return;
  }
  const auto index = find(fact->process);
  if (index != k_no_index && processes_[index].connections.size() < k_max_touched && room(64)) {
    processes_[index].connections.push_back(
        {event.number, event.at,
         fmt::format("{} {} port {}", fact->protocol, fact->address, fact->port)});
  }
}

void EntryList::add(const format::EventView& event) {
  commands_.add(event);
  if (event.redacted) {
    return;
  }
  switch (event.kind) {
    case EventKind::exec:
      add_exec(event);
      break;
    case EventKind::exec_exit:
      add_exit(event);
      break;
    case EventKind::file:
      add_file(event);
      break;
    case EventKind::connect:
      add_connect(event);
      break;
    case EventKind::gap:
      if (auto gap = format::decode_gap(event.data); gap && gaps_.size() < k_max_gaps) {
        gaps_.emplace_back(event.number, std::move(*gap));
        gap_times_.push_back(event.at);
      }
      break;
    case EventKind::capture:
      if (auto statement = decode_capture_statement(event.data); statement && *statement) {
        statement_ = std::move(**statement);
      }
      break;
    case EventKind::session_start:
      if (auto start = format::decode_session_start(event.data)) {
        start_ = std::move(*start);
      }
      break;
    case EventKind::input:
      if (as_text(event.data).find_first_of("\r\n") != std::string_view::npos &&
          enters_.size() < k_max_enters) {
        enters_.push_back(event.at);
      }
      break;
    default:
      break;
  }
}

// --- joining

bool EntryList::typed_between(MonoTime from, MonoTime to) const {
  const auto next = std::upper_bound(enters_.begin(), enters_.end(), from);
  return next != enters_.end() && *next < to;
}

// Which process each hooked shell is, and from when on its forks belong to which line.
void EntryList::find_shells() {
  lines_.clear();
  for (auto& process : processes_) {
    process.hooked = process.anchor = process.outlives = false;
    process.command = k_no_index;
    process.attribution = Attribution::session;
  }
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& command = entries_[i].command;
    if (command.has_flag("redacted")) {
      continue;
    }
    // The last process with that number that had begun by then.
    auto found = by_id_.upper_bound({command.shell_pid, command.begin.us});
    if (found == by_id_.begin() || (--found)->first.pid != command.shell_pid) {
      continue;
    }
    const auto shell = found->second;
    processes_[shell].hooked = true;
    auto from = command.begin.us;
    if (command.anchor_pid != 0) {
      auto anchor = by_id_.upper_bound({command.anchor_pid, command.begin.us + k_anchor_slack_us});
      if (anchor != by_id_.begin() && (--anchor)->first.pid == command.anchor_pid &&
          processes_[anchor->second].parent == shell &&
          command.begin.us - anchor->first.start < k_anchor_age_us) {
        from = anchor->first.start;
        processes_[anchor->second].anchor = true;
      }
    }
    lines_[shell].emplace(from, i);
  }
}

void EntryList::attribute_child_of_shell(std::size_t top, std::size_t shell) {
  auto& process = processes_[top];
  const auto& lines = lines_[shell];
  auto line = lines.upper_bound(process.id.start);
  if (line == lines.begin()) {  // start-up files
    process.command = processes_[shell].command;
    process.attribution = processes_[shell].attribution;
    return;
  }
  --line;
  process.command = line->second;
  auto& entry = entries_[line->second];
  const auto& command = entry.command;
  process.attribution = Attribution::command;
  if (process.anchor || (command.ended && process.id.start > command.end.us + k_end_slack_us)) {
    process.attribution = Attribution::prompt;
    return;
  }
  const auto* program = process.program();
  if (!command.ended && program != nullptr &&
      !mentions(command.text, base_name(program->fact.file)) &&
      typed_between(command.begin, MonoTime{process.id.start})) {
    process.attribution = Attribution::hook_lost;
    add_flag(entry.flags, "hook_lost");
  }
  entry.processes.push_back(top);
}

// Everything below a child of a shell follows it; `top` itself is done.
void EntryList::inherit(std::size_t top) {
  std::vector<std::size_t> todo{top};
  while (!todo.empty()) {
    const auto above = todo.back();
    todo.pop_back();
    const auto& parent = processes_[above];
    const bool unhooked =
        !parent.hooked && std::any_of(parent.programs.begin(), parent.programs.end(),
                                      [](const auto& p) { return p.use == ShellUse::interactive; });
    for (const auto index : parent.children) {
      auto& child = processes_[index];
      if (parent.hooked) {
        attribute_child_of_shell(index, above);
      } else {
        child.command = processes_[above].command;
        child.attribution = unhooked ? Attribution::unhooked_shell : processes_[above].attribution;
      }
      if (child.orphaned && child.attribution == Attribution::command) {
        child.attribution = Attribution::detached;
      }
      todo.push_back(index);
    }
  }
}

void EntryList::attribute() {
  const auto root = start_ ? start_->child_pid : 0;
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    auto& process = processes_[i];
    if (process.parent != k_no_index) {
      continue;
    }
    // Without a parent: the recorded program, or one whose fork was lost.
    if (process.id.pid != root && root != 0 && process.children.empty()) {
      process.attribution = Attribution::detached;
    }
    inherit(i);
  }
}

// What a shell did by itself, without a fork, belongs to the line that it was at.
void EntryList::give_to_lines(const Process& shell,
                              const std::map<std::int64_t, std::size_t>& lines) {
  const auto give = [&](const std::vector<Touched>& from, std::vector<Touched> Entry::*to) {
    for (const auto& each : from) {
      const auto next = lines.upper_bound(each.at.us);
      if (next == lines.begin()) {
        continue;
      }
      auto& entry = entries_[std::prev(next)->second];
      if (!entry.command.ended || each.at.us <= entry.command.end.us + k_end_slack_us) {
        (entry.*to).push_back(each);
      }
    }
  };
  give(shell.files, &Entry::files);
  give(shell.connections, &Entry::connections);
}

void EntryList::finish_entries() {
  for (const auto& [shell, lines] : lines_) {
    give_to_lines(processes_[shell], lines);
  }
  const auto uid = start_ ? start_->uid : 0;
  for (auto& process : processes_) {
    if (process.command == k_no_index || process.attribution == Attribution::prompt) {
      continue;
    }
    auto& entry = entries_[process.command];
    process.outlives = entry.command.ended &&
                       (!process.ended || process.end.us > entry.command.end.us + k_end_slack_us);
    if (process.outlives && !process.programs.empty()) {
      add_flag(entry.flags, "background");
    }
    for (const auto& program : process.programs) {
      const auto& fact = program.fact;
      entry.privileged = entry.privileged || fact.euid != fact.uid || fact.euid == 0 ||
                         (start_ && fact.uid != uid);
      if (program.use == ShellUse::interactive && !process.hooked) {
        add_flag(entry.flags, "unhooked_shell");
      }
    }
  }
  for (auto& entry : entries_) {
    std::sort(entry.processes.begin(), entry.processes.end(), [this](std::size_t a, std::size_t b) {
      return processes_[a].id.start < processes_[b].id.start;
    });
  }
}

void EntryList::settle() {
  commands_.settle();
  entries_.clear();
  for (const auto& command : commands_.commands()) {
    auto& entry = entries_.emplace_back();
    entry.command = command;
    entry.flags = command.flags;
  }
  std::sort(enters_.begin(), enters_.end());
  find_shells();
  attribute();
  finish_entries();
}

Result<EntryList> EntryList::read(format::SessionReader& reader) {
  EntryList list;
  TRY(reader.seek_event(0));
  while (true) {
    TRY_ASSIGN(const auto event, reader.next());
    if (!event) {
      break;
    }
    list.add(*event);
  }
  list.settle();
  return list;
}

}  // namespace sworn::audit::logs
