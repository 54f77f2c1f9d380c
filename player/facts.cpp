// SPDX-License-Identifier: Apache-2.0
#include "player/facts.hpp"

#include "base/bytes.hpp"

#include <fmt/format.h>

namespace sworn::player {
namespace {

constexpr std::size_t k_max_text = 4096;

std::string bounded(std::string text) {
  if (text.size() > k_max_text) {
    text.resize(k_max_text);
  }
  return text;
}

}  // namespace

void FactsBuilder::add_visible(MonoTime t) {
  if (last_visible_ && t.us - last_visible_->us >= Facts::k_least_idle_us) {
    if (facts_.idle.size() < Facts::k_max_items) {
      facts_.idle.push_back({*last_visible_, t});
    } else {
      ++facts_.left_out;
    }
  }
  last_visible_ = t;
}

void FactsBuilder::add_mark(MarkKind kind, const format::EventView& event, std::string text) {
  if (facts_.marks.size() >= Facts::k_max_items) {
    ++facts_.left_out;
    return;
  }
  facts_.marks.push_back({kind, event.number, event.t, bounded(std::move(text))});
}

void FactsBuilder::add_command(const format::EventView& event) {
  auto begin = format::decode_command_begin(event.data);
  if (!begin || facts_.commands.size() >= Facts::k_max_items) {
    ++facts_.left_out;
    return;
  }
  open_[{begin->shell_pid, begin->n}] = facts_.commands.size();
  CommandItem item;
  item.begin_event = event.number;
  item.begin = event.t;
  item.text = bounded(std::move(begin->text));
  item.cwd = bounded(std::move(begin->cwd));
  item.shell = bounded(std::move(begin->shell));
  item.text_source = bounded(std::move(begin->text_source));
  item.shell_pid = begin->shell_pid;
  item.n = begin->n;
  facts_.commands.push_back(std::move(item));
}

void FactsBuilder::end_command(const format::EventView& event) {
  const auto end = format::decode_command_end(event.data);
  if (!end) {
    ++facts_.left_out;
    return;
  }
  const auto it = open_.find({end->shell_pid, end->n});
  if (it == open_.end()) {
    return;
  }
  auto& item = facts_.commands[it->second];
  item.end_event = event.number;
  item.end = event.t;
  item.exit_status = end->exit_status;
  open_.erase(it);
}

void FactsBuilder::add(const format::EventView& event) {
  using format::EventKind;
  if (facts_.events++ == 0) {
    facts_.first = event.t;
    last_visible_ = event.t;
  }
  facts_.last = event.t;
  switch (event.kind) {
    case EventKind::output:
    case EventKind::error_output:
      facts_.output_bytes += event.data.size();
      facts_.activity.add_output(event.t, event.data.size());
      add_visible(event.t);
      break;
    case EventKind::input:
      facts_.activity.add_input(event.t);
      break;
    case EventKind::input_hidden:
      facts_.activity.add_input(event.t);
      add_mark(MarkKind::hidden_input, event, "input hidden (echo was off)");
      break;
    case EventKind::typed:
    case EventKind::end_of_input:
    case EventKind::side_output:  // went elsewhere, never to the screen
      break;
    case EventKind::resize:
      if (const auto resize = format::decode_resize(event.data)) {
        add_mark(MarkKind::resize, event,
                 fmt::format("resize to {}x{}", resize->size.cols, resize->size.rows));
        add_visible(event.t);
      }
      break;
    case EventKind::signal:
      if (const auto signal = format::decode_signal(event.data)) {
        add_mark(MarkKind::signal, event,
                 fmt::format("signal {} ({})", signal->number, signal->origin));
      }
      break;
    case EventKind::marker:
      if (auto marker = format::decode_marker(event.data)) {
        add_mark(MarkKind::marker, event, std::move(marker->label));
      }
      break;
    case EventKind::clock:
      if (const auto sample = format::decode_clock_sample(event.data)) {
        facts_.clock.add(event.t, sample->wall);
      }
      break;
    case EventKind::command_begin:
      add_command(event);
      break;
    case EventKind::command_end:
      end_command(event);
      break;
    case EventKind::alert:
      add_mark(MarkKind::alert, event, "alert");
      break;
    case EventKind::gap:
      ++facts_.gaps;
      if (const auto gap = format::decode_gap(event.data)) {
        add_mark(MarkKind::gap, event,
                 fmt::format("gap: {} ({} events, {} bytes) {}", gap->reason, gap->lost_events,
                             gap->lost_bytes, gap->detail));
      } else {
        add_mark(MarkKind::gap, event, "gap");
      }
      break;
    case EventKind::exit:
      if (auto exit = format::decode_exit(event.data)) {
        add_mark(MarkKind::exit, event,
                 exit->signal != 0 ? fmt::format("killed by signal {}", exit->signal)
                                   : fmt::format("exit status {}", exit->status));
        facts_.exit = std::move(*exit);
      }
      break;
    case EventKind::session_start:
    case EventKind::exec:
    case EventKind::exec_exit:
    case EventKind::file:
    case EventKind::connect:
    case EventKind::log_line:
    case EventKind::capture:
      break;
  }
}

}  // namespace sworn::player
