// SPDX-License-Identifier: Apache-2.0
#include "cli/log_entries.hpp"

#include "audit/logs/divergence.hpp"
#include "audit/logs/entry_list.hpp"
#include "base/printable.hpp"
#include "cli/json.hpp"
#include "cli/log_filter.hpp"
#include "cli/open_session.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::cli {
namespace {

using audit::logs::Attribution;
using audit::logs::Divergence;
using audit::logs::Entry;
using audit::logs::EntryList;
using audit::logs::k_no_index;
using audit::logs::Process;

constexpr int k_max_indent = 24;
constexpr std::size_t k_line_bytes = 2000;

struct Times {
  format::ClockMap clock;
  MonoTime first;

  [[nodiscard]] std::optional<WallTime> wall(MonoTime t) const {
    return clock.empty() ? std::nullopt : std::optional(clock.to_wall(t));
  }
  [[nodiscard]] std::string text(MonoTime t) const {
    const auto at = wall(t);
    return at ? format_rfc3339(*at, 3) : format_duration(t.us - first.us);
  }
};

std::string joined_flags(const std::vector<std::string>& flags) {
  std::string out;
  for (const auto& flag : flags) {
    out += (out.empty() ? "" : ", ") + flag;
  }
  return out;
}

// --- text

std::string ending_of(const Process& process) {
  if (!process.ended) {
    return "no end on record";
  }
  const auto took = fmt::format(", {:.3f} s", json_seconds(process.end.us - process.id.start));
  return (process.signal != 0 ? fmt::format("signal {}", process.signal)
                              : fmt::format("status {}", process.status)) +
         took;
}

std::string program_line(const audit::ExecFact& fact) {
  std::string words;
  for (const auto& word : fact.argv) {
    const bool plain =
        !word.empty() && word.find_first_of(" \t\n\"'\\$`|&;<>()*?#~") == std::string::npos;
    words += words.empty() ? "" : " ";
    if (plain) {
      words += word;
      continue;
    }
    words += '\'';
    for (const char c : word) {
      words += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    words += '\'';
  }
  std::string out = words.empty() ? fact.file : words;
  if (fact.euid != fact.uid) {
    out += fmt::format("  [uid {} as {}]", fact.uid, fact.euid);
  } else {
    out += fmt::format("  [uid {}]", fact.uid);
  }
  return out;
}

void print_process(const EntryList& list, std::size_t index, int depth) {
  const auto& process = list.processes()[index];
  const auto indent =
      std::string(static_cast<std::size_t>(6 + 2 * std::min(depth, k_max_indent)), ' ');
  std::string note;
  switch (process.attribution) {
    case Attribution::unhooked_shell:
    case Attribution::hook_lost:
    case Attribution::detached:
      note = fmt::format("  ({})", name_of(process.attribution));
      break;
    case Attribution::session:
    case Attribution::command:
    case Attribution::prompt:
      break;
  }
  if (process.outlives) {
    note += "  (outlives its command line)";
  }
  if (process.programs.empty()) {
    fmt::print("{}{} (fork of {})  {}{}\n", indent, process.id.pid, printable(process.comm),
               ending_of(process), note);
  }
  for (const auto& program : process.programs) {
    const bool last = &program == &process.programs.back();
    fmt::print("{}{} {}{}{}\n", indent, process.id.pid,
               printable(program_line(program.fact), k_line_bytes),
               last ? "  " + ending_of(process) : "  then", last ? note : "");
  }
  for (const auto& program : process.failed) {
    fmt::print("{}  refused (errno {}): {}\n", indent, program.fact.error,
               printable(program.fact.file, k_line_bytes));
  }
  for (const auto& file : process.files) {
    fmt::print("{}  wrote {}\n", indent, printable(file.text, k_line_bytes));
  }
  for (const auto& connection : process.connections) {
    fmt::print("{}  connected {}\n", indent, printable(connection.text));
  }
}

// Forks that executed nothing are shown only where something hangs on them.
bool worth_a_line(const Process& process) {
  return !process.programs.empty() || !process.children.empty() || !process.files.empty() ||
         !process.connections.empty() || !process.failed.empty();
}

void print_tree(const EntryList& list, const std::vector<std::size_t>& tops) {
  for_each_below(list, tops, [&](std::size_t index, int depth) {
    if (worth_a_line(list.processes()[index])) {
      print_process(list, index, depth);
    }
  });
}

void print_entry(const Entry& entry, std::size_t number, const Times& times) {
  const auto& command = entry.command;
  fmt::print("{:>4}  {:<24}  {:>9}  {:>6}  {}\n", number, times.text(command.begin),
             command.ended ? fmt::format("{:.2f} s", json_seconds(command.duration_us())) : "?",
             command.ended ? std::to_string(command.exit_status) : "?", printable(command.text));
  if (!entry.flags.empty()) {
    fmt::print("{:>4}  note: {}\n", "", printable(joined_flags(entry.flags)));
  }
}

// The recorded program and what no command line of a shell explains.
std::vector<std::size_t> outside_of_lines(const EntryList& list) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < list.processes().size(); ++i) {
    if (list.processes()[i].parent == k_no_index) {
      out.push_back(i);
    }
  }
  return out;
}

void print_outside(const EntryList& list) {
  const auto tops = outside_of_lines(list);
  if (tops.empty()) {
    return;
  }
  fmt::print("      the recorded program, and what no command line explains:\n");
  std::uint64_t of_prompt = 0;
  std::vector<std::pair<std::size_t, int>> todo;
  for (auto top = tops.rbegin(); top != tops.rend(); ++top) {
    todo.emplace_back(*top, 0);
  }
  while (!todo.empty()) {
    const auto [index, depth] = todo.back();
    todo.pop_back();
    const auto& process = list.processes()[index];
    if (process.attribution == Attribution::prompt) {
      of_prompt += process.programs.empty() ? 0U : 1U;
    } else if (process.command == k_no_index && worth_a_line(process)) {
      print_process(list, index, depth);
    }
    for (auto child = process.children.rbegin(); child != process.children.rend(); ++child) {
      if (list.processes()[*child].command == k_no_index ||
          list.processes()[*child].attribution == Attribution::prompt) {
        todo.emplace_back(*child, depth + 1);
      }
    }
  }
  if (of_prompt > 0) {
    fmt::print("      {} of the shell's prompt and completion\n",
               count(of_prompt, "program", "programs"));
  }
}

void print_statement(const EntryList& list) {
  if (const auto& s = list.statement()) {
    fmt::print("captured: shell {}, exec {} ({}), files {}, connect {}, lost {}{}\n",
               name_of(s->shell), name_of(s->exec), printable(s->mechanism), name_of(s->files),
               name_of(s->connect), s->lost, s->state == "ended" ? "" : " so far");
  }
}

void print_text(const EntryList& list, const EntryFilter& filter, const Times& times, bool tree) {
  if (!list.entries().empty()) {
    fmt::print("{:>4}  {:<24}  {:>9}  {:>6}  {}\n", "CMD", "BEGAN", "TOOK", "STATUS", "COMMAND");
  }
  for (std::size_t i = 0; i < list.entries().size(); ++i) {
    const auto& entry = list.entries()[i];
    if (!filter.shows(list, entry)) {
      continue;
    }
    print_entry(entry, i + 1, times);
    if (tree) {
      for (const auto& file : entry.files) {
        fmt::print("      the shell wrote {}\n", printable(file.text, k_line_bytes));
      }
      for (const auto& connection : entry.connections) {
        fmt::print("      the shell connected {}\n", printable(connection.text));
      }
      print_tree(list, entry.processes);
    }
  }
  if (tree && !filter.any()) {
    print_outside(list);
    print_statement(list);
  }
}

// --- JSON

Json touched_json(const std::vector<audit::logs::Touched>& touched, const Times& times) {
  Json out = Json::array();
  for (const auto& each : touched) {
    out.push_back(
        {{"what", each.text}, {"at", json_time(times.wall(each.at))}, {"event", each.event}});
  }
  return out;
}

Json program_json(const audit::logs::Program& program, const Times& times) {
  const auto& f = program.fact;
  const auto unset = [](std::uint32_t id) {
    return id == audit::k_no_id ? Json(nullptr) : Json(id);
  };
  return {{"event", program.event},
          {"at", json_time(times.wall(program.at))},
          {"file", f.file},
          {"exe", f.exe},
          {"argv", f.argv},
          {"argv_bytes", f.argv_bytes},
          {"cwd", f.cwd},
          {"uid", f.uid},
          {"euid", f.euid},
          {"loginuid", unset(f.loginuid)},
          {"audit_session", unset(f.audit_ses)},
          {"tty", f.tty},
          {"input", f.input},
          {"source", f.source},
          {"error", f.error},
          {"flags", f.flags}};
}

Json process_json(const EntryList& list, std::size_t index, const Times& times) {
  const auto& p = list.processes()[index];
  Json programs = Json::array();
  for (const auto& program : p.programs) {
    programs.push_back(program_json(program, times));
  }
  for (const auto& program : p.failed) {
    programs.push_back(program_json(program, times));
  }
  const auto* above = p.parent == k_no_index ? nullptr : &list.processes()[p.parent];
  return {{"pid", p.id.pid},
          {"start_us", p.id.start},
          {"parent_pid", above == nullptr ? Json(nullptr) : Json(above->id.pid)},
          {"parent_start_us", above == nullptr ? Json(nullptr) : Json(above->id.start)},
          {"comm", p.comm},
          {"attribution", name_of(p.attribution)},
          {"programs", std::move(programs)},
          {"ended", p.ended ? json_time(times.wall(p.end)) : Json(nullptr)},
          {"status", p.ended && p.signal == 0 ? Json(p.status) : Json(nullptr)},
          {"signal", p.ended && p.signal != 0 ? Json(p.signal) : Json(nullptr)},
          {"outlives", p.outlives},
          {"files", touched_json(p.files, times)},
          {"connections", touched_json(p.connections, times)}};
}

void print_json_lines(const EntryList& list, const EntryFilter& filter, const Times& times) {
  for (std::size_t i = 0; i < list.entries().size(); ++i) {
    const auto& entry = list.entries()[i];
    const auto& c = entry.command;
    if (!filter.shows(list, entry)) {
      continue;
    }
    Json processes = Json::array();
    for_each_below(list, entry.processes, [&](std::size_t index, int) {
      processes.push_back(process_json(list, index, times));
    });
    print_json({{"schema", "sworn.command/1"},
                {"command", i + 1},
                {"began", json_time(times.wall(c.begin))},
                {"t", json_seconds(c.begin.us - times.first.us)},
                {"duration", c.ended ? Json(json_seconds(c.duration_us())) : Json(nullptr)},
                {"status", c.ended ? Json(c.exit_status) : Json(nullptr)},
                {"pipestatus", c.pipestatus},
                {"text", c.text},
                {"text_source", c.text_source},
                {"cwd", c.cwd},
                {"cwd_after", c.cwd_after},
                {"shell", c.shell},
                {"shell_pid", c.shell_pid},
                {"n", c.n},
                {"begin_event", c.begin_event},
                {"end_event", c.ended ? Json(c.end_event) : Json(nullptr)},
                {"flags", entry.flags},
                {"privileged", entry.privileged},
                {"files", touched_json(entry.files, times)},
                {"connections", touched_json(entry.connections, times)},
                {"processes", std::move(processes)}});
  }
}

// --- divergence

void print_divergences(const EntryList& list, const std::vector<Divergence>& found,
                       const EntryFilter& filter, const Times& times, bool json) {
  std::uint64_t shown = 0;
  for (const auto& d : found) {
    if (!filter.shows(d.at)) {
      continue;
    }
    ++shown;
    if (json) {
      print_json({{"schema", "sworn.divergence/1"},
                  {"kind", name_of(d.kind)},
                  {"confidence", name_of(d.confidence)},
                  {"at", json_time(times.wall(d.at))},
                  {"t", json_seconds(d.at.us - times.first.us)},
                  {"event", d.event},
                  {"command", d.command == k_no_index ? Json(nullptr) : Json(d.command + 1)},
                  {"pid", d.process == k_no_index ? Json(nullptr)
                                                  : Json(list.processes()[d.process].id.pid)},
                  {"text", d.text}});
      continue;
    }
    fmt::print("{:<24}  {:<6}  {:<25}  {}\n", times.text(d.at), name_of(d.confidence),
               name_of(d.kind), printable(d.text, k_line_bytes));
    fmt::print("{:>4}  see: --event {}{}\n", "", d.event,
               d.command == k_no_index ? "" : fmt::format(", command {}", d.command + 1));
  }
  if (json) {
    return;
  }
  if (shown == 0) {
    fmt::print("nothing that does not add up, as far as was captured\n");
  }
  print_statement(list);
}

// What the listing cannot show must not be mistaken for nothing.
void print_caveats(const EntryList& list) {
  const auto& commands = list.commands();
  if (commands.redacted() > 0) {
    fmt::print(stderr, "{} command events were redacted\n", commands.redacted());
  }
  if (const auto n = commands.unreadable() + list.unreadable(); n > 0) {
    fmt::print(stderr, "{} command events make no sense and were left out\n", n);
  }
  if (const auto n = commands.left_out() + list.left_out(); n > 0) {
    fmt::print(stderr, "{} commands are beyond what is listed\n", n);
  }
  if (list.entries().empty()) {
    fmt::print(stderr, "no commands on record: the shell reported none\n");
  }
}

}  // namespace

Result<void> log_entries(const Arguments& args) {
  TRY_ASSIGN(auto session, open_session(args.word(0)));
  Times times;
  times.first = session.reader->first_time();
  TRY_ASSIGN(times.clock, session.reader->clock_map());
  TRY_ASSIGN(const auto filter, EntryFilter::parse(args, times.first, times.clock));
  TRY_ASSIGN(const auto list, EntryList::read(*session.reader));
  if (args.has("--divergence")) {
    print_divergences(list, find_divergences(list), filter, times, args.has("--json"));
  } else if (args.has("--json")) {
    print_json_lines(list, filter, times);
  } else {
    print_text(list, filter, times, args.has("--tree"));
    print_caveats(list);
  }
  if (const auto damaged = session.reader->damage().size(); damaged > 0) {
    fmt::print(stderr, "{} cannot be read: sworn verify says which\n",
               count(damaged, "place of the file", "places of the file"));
  }
  return {};
}

}  // namespace sworn::cli
