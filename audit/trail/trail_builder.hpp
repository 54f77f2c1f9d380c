// SPDX-License-Identifier: Apache-2.0
// Makes trail entries out of the events of one session, in order, also of one that is still being
// recorded: a command's entry comes k_settle_us after its end, because what the kernel tells of its
// processes arrives a little later. Bounded memory. One thread.
#pragma once

#include "audit/logs/command_list.hpp"
#include "audit/trail/trail_entry.hpp"
#include "format/clock_map.hpp"
#include "format/event.hpp"
#include "format/session_header.hpp"

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sworn::audit::trail {

class TrailBuilder {
 public:
  static constexpr std::size_t k_max_open = 256;       // command lines at once
  static constexpr std::size_t k_max_processes = 200;  // of one command; more are counted
  static constexpr std::size_t k_max_files = 200;
  static constexpr std::int64_t k_settle_us = 300'000;

  TrailBuilder(const format::SessionHeader& header, format::ClockMap clock, MonoTime first);

  // The map grows while a session is recorded.
  void set_clock(format::ClockMap clock) { clock_ = std::move(clock); }

  void add(const format::EventView& event, std::vector<TrailEntry>& out);
  // The session's clock has come to `now`, without an event: entries that waited long enough.
  void advance(MonoTime now, std::vector<TrailEntry>& out);
  // After the last event of a session that is over: all that waits, and commands without an end.
  void settle(std::vector<TrailEntry>& out);

  [[nodiscard]] const TrailSession& session() const { return session_; }

 private:
  using Key = std::pair<std::int64_t, std::uint64_t>;  // shell, n
  TrailEntry entry_at(const format::EventView& event, TrailKind kind) const;
  void take(const format::EventView& event);
  void begin(const format::EventView& event);
  void end(const format::EventView& event);
  void exec(const format::EventView& event);
  void file(const format::EventView& event);
  void connect(const format::EventView& event);
  void alert(const format::EventView& event);
  void finish(const format::EventView& event);
  void close_open();
  // The command that ran at that moment, the one that began last.
  TrailEntry* running(MonoTime at);

  TrailSession session_;
  format::ClockMap clock_;
  MonoTime first_;
  std::uint64_t commands_ = 0;
  struct Command {
    TrailEntry entry;
    MonoTime begin;
  };
  struct Waiting {
    TrailEntry entry;
    MonoTime begin;  // of a command
    MonoTime end;
    MonoTime until;  // it is given out
  };
  void wait(TrailEntry entry) { waiting_.push_back({std::move(entry), {}, {}, {}}); }
  std::map<Key, Command> open_;
  std::deque<Waiting> waiting_;  // in the order in which they are given out
};

}  // namespace sworn::audit::trail
