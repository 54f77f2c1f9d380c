// SPDX-License-Identifier: Apache-2.0
// Recordings made of a few lines, for tests: events in memory and an EventSource on them.
#pragma once

#include "format/event_payload.hpp"
#include "player/event_source.hpp"

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace sworn::test {

// Times in the script are seconds from the start; the recording's clock begins at k_start.
class EventScript {
 public:
  static constexpr std::int64_t k_start_us = 1'000'000'000;
  // 2026-11-20T14:02:11Z
  static constexpr std::int64_t k_wall_us = 1'795'183'331'000'000;

  explicit EventScript(TermSize size = {80, 24}, bool terminal = true) {
    format::SessionStart start;
    start.user = "alice";
    start.hostname = "db1";
    start.pts = "/dev/pts/3";
    start.size = size;
    start.terminal = terminal;
    start.argv = {"bash"};
    add(0, format::EventKind::session_start, format::encode(start));
    clock(0, 0);
  }

  EventScript& out(double t, std::string_view text) {
    return add(t, format::EventKind::output, to_bytes(text));
  }
  EventScript& err(double t, std::string_view text) {
    return add(t, format::EventKind::error_output, to_bytes(text));
  }
  EventScript& in(double t, std::string_view text) {
    return add(t, format::EventKind::input, to_bytes(text));
  }
  EventScript& hidden(double t) { return add(t, format::EventKind::input_hidden, {}); }
  EventScript& resize(double t, TermSize size) {
    return add(t, format::EventKind::resize, format::encode(format::Resize{size}));
  }
  EventScript& clock(double t, double wall_offset) {
    format::ClockSample sample;
    sample.wall = {k_wall_us + static_cast<std::int64_t>((t + wall_offset) * 1e6)};
    return add(t, format::EventKind::clock, format::encode(sample));
  }
  EventScript& begin(double t, std::uint64_t n, std::string_view text) {
    format::CommandBegin command;
    command.n = n;
    command.shell_pid = 100;
    command.text = std::string(text);
    command.cwd = "/root";
    command.shell = "bash";
    command.text_source = "hook";
    return add(t, format::EventKind::command_begin, format::encode(command));
  }
  EventScript& end(double t, std::uint64_t n, int status) {
    format::CommandEnd command;
    command.n = n;
    command.shell_pid = 100;
    command.exit_status = status;
    return add(t, format::EventKind::command_end, format::encode(command));
  }
  EventScript& gap(double t, std::string_view reason) {
    format::Gap gap;
    gap.reason = std::string(reason);
    gap.lost_bytes = 12;
    return add(t, format::EventKind::gap, format::encode(gap));
  }
  EventScript& add(double t, format::EventKind kind, Bytes data) {
    format::Event event;
    event.number = events_->size();
    event.kind = kind;
    event.t = at(t);
    event.at = event.t;
    event.data = std::move(data);
    events_->push_back(std::move(event));
    return *this;
  }

  static MonoTime at(double t) { return {k_start_us + static_cast<std::int64_t>(t * 1e6 + 0.5)}; }
  [[nodiscard]] const std::vector<format::Event>& events() const { return *events_; }
  [[nodiscard]] std::shared_ptr<std::vector<format::Event>> shared() const { return events_; }
  void set_live(bool live) { *live_ = live; }
  [[nodiscard]] std::unique_ptr<player::EventSource> source() const;

 private:
  std::shared_ptr<std::vector<format::Event>> events_ =
      std::make_shared<std::vector<format::Event>>();
  std::shared_ptr<bool> live_ = std::make_shared<bool>(false);
};

// What was in the script at the last refresh; the script may go on growing.
class MemorySource final : public player::EventSource {
 public:
  MemorySource(std::shared_ptr<std::vector<format::Event>> events, std::shared_ptr<bool> live)
      : events_(std::move(events)), live_flag_(std::move(live)) {
    known_ = events_->size();
    live_ = *live_flag_;
  }
  Result<std::optional<format::EventView>> next() override {
    if (at_ >= known_) {
      return std::nullopt;
    }
    // As with a file, the view must not be used after the next call.
    current_ = (*events_)[at_++];
    return current_.view();
  }
  Result<void> seek_event(std::uint64_t n) override {
    at_ = 0;
    while (at_ < known_ && (*events_)[at_].number < n) {
      ++at_;
    }
    return {};
  }
  Result<void> refresh() override {
    known_ = events_->size();
    live_ = *live_flag_;
    at_ = known_;
    return {};
  }
  [[nodiscard]] std::uint64_t end_position() const override {
    return known_ == 0 ? 0 : (*events_)[known_ - 1].number + 1;
  }
  [[nodiscard]] MonoTime first_time() const override {
    return known_ == 0 ? MonoTime{} : events_->front().t;
  }
  [[nodiscard]] MonoTime last_time() const override {
    return known_ == 0 ? MonoTime{} : (*events_)[known_ - 1].t;
  }
  [[nodiscard]] bool live() const override { return live_; }

 private:
  std::shared_ptr<std::vector<format::Event>> events_;
  std::shared_ptr<bool> live_flag_;
  format::Event current_;
  std::size_t known_ = 0;
  std::size_t at_ = 0;
  bool live_ = false;
};

inline std::unique_ptr<player::EventSource> EventScript::source() const {
  return std::make_unique<MemorySource>(events_, live_);
}

class FakeClock final : public Clock {
 public:
  MonoTime mono() override { return now; }
  WallTime wall() override { return {1'795'190'000'000'000 + now.us}; }
  ClockQuality quality() override { return {}; }
  void pass(double seconds) { now.us += static_cast<std::int64_t>(seconds * 1e6); }
  MonoTime now{5'000'000};
};

}  // namespace sworn::test
