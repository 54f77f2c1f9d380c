// SPDX-License-Identifier: Apache-2.0
// The commands of a session, one entry per command line: what the listing, the player's command
// pane and the exports show. Built from the events in order; parts of long lines are joined.
// Tolerant: a missing end, a shell that vanished, events that were removed and payloads that make
// no sense leave their traces in `flags` and in the counters, never an error. Texts are as
// recorded: unsanitised. One thread.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/event.hpp"
#include "format/session_reader.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sworn::audit::logs {

struct CommandEntry {
  std::uint64_t n = 0;  // of its shell
  std::int64_t shell_pid = 0;
  std::string shell;
  std::string text;
  std::string text_source;  // "hook", "none"
  std::string cwd;
  std::string cwd_after;
  std::uint64_t begin_event = 0;
  std::uint64_t end_event = 0;  // valid where `ended`
  MonoTime begin;               // when it happened
  MonoTime end;
  bool ended = false;
  int exit_status = 0;  // valid where `ended`
  std::string pipestatus;
  std::int64_t anchor_pid = 0;
  // "not_run", "late", "truncated", "shell_exit" from the hook; here "no_end", "redacted".
  std::vector<std::string> flags;

  [[nodiscard]] std::int64_t duration_us() const { return ended ? end.us - begin.us : 0; }
  [[nodiscard]] bool has_flag(std::string_view flag) const;
};

class CommandList {
 public:
  static constexpr std::size_t k_max_commands = 1'000'000;
  static constexpr std::size_t k_max_text_bytes = 256U << 20U;  // of all entries together

  // Takes in every event of the session, in order; others than commands cost nothing.
  void add(const format::EventView& event);
  // After the last event: marks what has no end. More events may follow (a live session).
  void settle();

  [[nodiscard]] const std::vector<CommandEntry>& commands() const { return commands_; }
  [[nodiscard]] std::uint64_t redacted() const { return redacted_; }  // command events without data
  [[nodiscard]] std::uint64_t unreadable() const {
    return unreadable_;
  }                                                                   // payloads that make no sense
  [[nodiscard]] std::uint64_t left_out() const { return left_out_; }  // beyond the limits

  // Index of the last command that began at or before `t`.
  [[nodiscard]] std::optional<std::size_t> at(MonoTime t) const;

  // Reads the whole session from its first event.
  static Result<CommandList> read(format::SessionReader& reader);

 private:
  using Key = std::pair<std::int64_t, std::uint64_t>;  // shell, n
  void begin(const format::EventView& event);
  void end(const format::EventView& event);
  void remove(const format::EventView& event);
  void push(CommandEntry entry);

  std::vector<CommandEntry> commands_;
  std::vector<MonoTime> reached_;  // running maximum of `begin`: late ones may come out of order
  std::map<Key, std::size_t> open_;
  std::size_t text_bytes_ = 0;
  std::uint64_t redacted_ = 0;
  std::uint64_t unreadable_ = 0;
  std::uint64_t left_out_ = 0;
};

}  // namespace sworn::audit::logs
