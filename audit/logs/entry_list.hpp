// SPDX-License-Identifier: Apache-2.0
// What ran, put together: each command line with the processes that it started, what they wrote and
// where they connected. Built from the events of a session in any order of arrival; settle() joins.
//
// How a process finds its command line: it follows its parents up to the child of a hooked shell;
// that child belongs to the command line whose PS0 child ("anchor") the shell forked last before
// it. So the order of the kernel's own fork times decides, not the clock of the hook; where a shell
// has no anchors (zsh, fish), the time at which the line began does. Whatever has no such way up is
// said so: see Attribution. One thread; bounded.
#pragma once

#include "audit/capture_statement.hpp"
#include "audit/logs/command_list.hpp"
#include "audit/process_event.hpp"
#include "format/event_payload.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::logs {

enum class Attribution : std::uint8_t {
  session,         // the recorded program itself, its start-up files, or no shell above
  command,         // a command line started it
  prompt,          // the shell's prompt, completion or hook did
  unhooked_shell,  // a shell without hooks, which a command line started, did
  hook_lost,       // the shell did, after its hook had fallen silent
  detached,        // its way up is broken: orphaned before it executed, or its fork was lost
};
std::string_view name_of(Attribution attribution);

// What a shell or an interpreter was started to do.
enum class ShellUse : std::uint8_t { none, interactive, from_input, command_string, script };

struct Program {  // one exec
  std::uint64_t event = 0;
  MonoTime at;
  ExecFact fact;
  ShellUse use = ShellUse::none;
};

struct Touched {  // a file or a connection
  std::uint64_t event = 0;
  MonoTime at;
  std::string text;  // path; "tcp 10.0.0.1 port 443"
};

inline constexpr std::size_t k_no_index = static_cast<std::size_t>(-1);

struct Process {
  ProcessId id;
  std::size_t parent = k_no_index;  // index
  std::vector<std::size_t> children;
  std::vector<Program> programs;  // empty: a fork that executed nothing
  std::vector<Program> failed;    // tried and refused
  std::string comm;
  bool ended = false;
  std::uint64_t end_event = 0;
  MonoTime end;
  int status = 0;
  int signal = 0;
  std::vector<Touched> files;
  std::vector<Touched> connections;
  Attribution attribution = Attribution::session;
  std::size_t command = k_no_index;  // index of the entry, also of what is not `command`
  bool hooked = false;               // a shell that reports its command lines
  bool orphaned = false;             // another parent than the one that forked it
  bool outlives = false;             // its command line
  bool anchor = false;               // the PS0 child of a command line

  [[nodiscard]] const Program* program() const {
    return programs.empty() ? nullptr : &programs.back();
  }
};

struct Entry {
  CommandEntry command;
  std::vector<std::size_t> processes;  // direct children of the shell, in the order of their start
  std::vector<Touched> files;          // by the shell itself: redirections
  std::vector<Touched> connections;    // likewise: /dev/tcp
  bool privileged = false;             // something ran with another user's rights, or as root
  std::vector<std::string> flags;      // the command's, and "hook_lost", "background", ...
};

class EntryList {
 public:
  static constexpr std::size_t k_max_processes = 1'000'000;
  static constexpr std::size_t k_max_bytes = 512U << 20U;  // of words, paths and names

  void add(const format::EventView& event);
  // After the last event; more may follow, then settle again.
  void settle();

  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] const std::vector<Process>& processes() const { return processes_; }
  [[nodiscard]] const CommandList& commands() const { return commands_; }
  [[nodiscard]] const std::vector<std::pair<std::uint64_t, format::Gap>>& gaps() const {
    return gaps_;
  }
  [[nodiscard]] MonoTime gap_time(std::size_t i) const { return gap_times_[i]; }
  [[nodiscard]] const std::optional<CaptureStatement>& statement() const { return statement_; }
  [[nodiscard]] const std::optional<format::SessionStart>& start() const { return start_; }
  [[nodiscard]] std::uint64_t unreadable() const { return unreadable_; }
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }

  static Result<EntryList> read(format::SessionReader& reader);

 private:
  std::size_t find(const ProcessId& id);  // made where it is not there; k_no_index: too many
  void link(const ProcessId& child, const ProcessId& parent);
  void add_exec(const format::EventView& event);
  void add_exit(const format::EventView& event);
  void add_file(const format::EventView& event);
  void add_connect(const format::EventView& event);
  void find_shells();
  void attribute();
  void attribute_child_of_shell(std::size_t top, std::size_t shell);
  void inherit(std::size_t top);
  void finish_entries();
  void give_to_lines(const Process& shell, const std::map<std::int64_t, std::size_t>& lines);
  [[nodiscard]] bool typed_between(MonoTime from, MonoTime to) const;
  bool room(std::size_t bytes);

  CommandList commands_;
  std::vector<Entry> entries_;
  std::vector<Process> processes_;
  std::map<ProcessId, std::size_t> by_id_;
  std::vector<std::pair<std::uint64_t, format::Gap>> gaps_;
  std::vector<MonoTime> gap_times_;
  std::vector<MonoTime> enters_;
  std::optional<CaptureStatement> statement_;
  std::optional<format::SessionStart> start_;
  // Of each hooked shell: its command lines by the moment from which forks are theirs.
  std::map<std::size_t, std::map<std::int64_t, std::size_t>> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t unreadable_ = 0;
  std::uint64_t left_out_ = 0;
};

// Of a program by its words: what a shell would do with them.
ShellUse shell_use(const ExecFact& exec);
std::string_view base_name(std::string_view path);

}  // namespace sworn::audit::logs
