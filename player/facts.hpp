// SPDX-License-Identifier: Apache-2.0
// What one walk through the events tells beside the picture: commands, marks for the timeline,
// silences, activity, clock. Bounded: what goes beyond a limit is counted, never stored.
// FactsBuilder belongs to one thread; finished Facts are shared as immutable copies.
#pragma once

#include "base/clock.hpp"
#include "format/clock_map.hpp"
#include "format/event.hpp"
#include "format/event_payload.hpp"
#include "player/activity.hpp"
#include "player/idle_map.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sworn::player {

// A command line from its Enter to the next prompt. Texts are as recorded: unsanitised.
struct CommandItem {
  std::uint64_t begin_event = 0;
  std::uint64_t end_event = 0;  // 0: it did not end within the recording
  MonoTime begin;
  MonoTime end;
  std::string text;
  std::string cwd;
  std::string shell;
  std::string text_source;
  std::int64_t shell_pid = 0;
  std::uint64_t n = 0;  // of its shell
  std::optional<int> exit_status;
  [[nodiscard]] bool failed() const { return exit_status && *exit_status != 0; }
};

enum class MarkKind : std::uint8_t { resize, marker, gap, alert, signal, hidden_input, exit };

// One point of interest for the timeline and the jump keys.
struct Mark {
  MarkKind kind = MarkKind::marker;
  std::uint64_t event = 0;
  MonoTime t;
  std::string text;  // unsanitised
};

struct Facts {
  std::uint64_t events = 0;
  std::uint64_t output_bytes = 0;
  MonoTime first;
  MonoTime last;
  std::vector<CommandItem> commands;  // by begin_event
  std::vector<Mark> marks;            // by event
  std::vector<IdleGap> idle;          // silences of at least k_least_idle_us
  Activity activity;
  format::ClockMap clock;
  std::optional<format::Exit> exit;
  std::uint64_t gaps = 0;
  std::uint64_t left_out = 0;  // items beyond the limits

  static constexpr std::int64_t k_least_idle_us = 500'000;
  static constexpr std::size_t k_max_items = 200'000;
};

class FactsBuilder {
 public:
  void add(const format::EventView& event);
  [[nodiscard]] const Facts& facts() const { return facts_; }

 private:
  void add_visible(MonoTime t);
  void add_command(const format::EventView& event);
  void end_command(const format::EventView& event);
  void add_mark(MarkKind kind, const format::EventView& event, std::string text);

  Facts facts_;
  std::map<std::pair<std::int64_t, std::uint64_t>, std::size_t> open_;  // (shell, n) -> command
  std::optional<MonoTime> last_visible_;
};

}  // namespace sworn::player
