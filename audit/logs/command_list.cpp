// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/command_list.hpp"

#include "format/event_payload.hpp"

#include <algorithm>

namespace sworn::audit::logs {
namespace {

using format::EventKind;

constexpr std::size_t k_max_open = 4096;  // command lines that never ended, over all shells

bool contains(const std::vector<std::string>& flags, std::string_view flag) {
  return std::find(flags.begin(), flags.end(), flag) != flags.end();
}

void add_flag(std::vector<std::string>& flags, std::string_view flag) {
  if (!contains(flags, flag)) {
    flags.emplace_back(flag);
  }
}

}  // namespace

bool CommandEntry::has_flag(std::string_view flag) const {
  return contains(flags, flag);
}

void CommandList::add(const format::EventView& event) {
  if (event.kind != EventKind::command_begin && event.kind != EventKind::command_end) {
    return;
  }
  if (event.redacted) {
    remove(event);
  } else if (event.kind == EventKind::command_begin) {
    begin(event);
  } else {
    end(event);
  }
}

void CommandList::begin(const format::EventView& event) {
  auto fact = format::decode_command_begin(event.data);
  if (!fact) {
    ++unreadable_;
    return;
  }
  const Key key{fact->shell_pid, fact->n};
  if (text_bytes_ + fact->text.size() > k_max_text_bytes) {
    ++left_out_;
    return;
  }
  const bool continued = contains(fact->flags, "continued");
  if (const auto found = open_.find(key); continued && found != open_.end()) {
    auto& entry = commands_[found->second];
    entry.text += fact->text;
    text_bytes_ += fact->text.size();
    return;
  }
  if (commands_.size() >= k_max_commands) {
    ++left_out_;
    return;
  }
  if (open_.size() >= k_max_open) {
    open_.erase(open_.begin());
  }
  CommandEntry entry;
  entry.n = fact->n;
  entry.shell_pid = fact->shell_pid;
  entry.shell = std::move(fact->shell);
  entry.text = std::move(fact->text);
  entry.text_source = std::move(fact->text_source);
  entry.cwd = std::move(fact->cwd);
  entry.begin_event = event.number;
  entry.begin = event.at;
  entry.anchor_pid = fact->anchor_pid;
  for (auto& flag : fact->flags) {
    if (flag != "more" && flag != "continued") {
      add_flag(entry.flags, flag);
    }
  }
  if (continued) {  // its first part was removed or lost
    add_flag(entry.flags, "truncated");
  }
  text_bytes_ += entry.text.size();
  open_[key] = commands_.size();
  push(std::move(entry));
}

void CommandList::end(const format::EventView& event) {
  auto fact = format::decode_command_end(event.data);
  if (!fact) {
    ++unreadable_;
    return;
  }
  const auto found = open_.find({fact->shell_pid, fact->n});
  if (found == open_.end()) {
    return;  // its beginning was removed or lost
  }
  auto& entry = commands_[found->second];
  entry.ended = true;
  entry.end_event = event.number;
  entry.end = std::max(event.at, entry.begin);
  entry.exit_status = fact->exit_status;
  entry.pipestatus = std::move(fact->pipestatus);
  entry.cwd_after = std::move(fact->cwd_after);
  for (const auto& flag : fact->flags) {
    add_flag(entry.flags, flag);
  }
  open_.erase(found);
}

// A removed beginning still was a command: it keeps its place in the list.
void CommandList::remove(const format::EventView& event) {
  ++redacted_;
  if (event.kind != EventKind::command_begin) {
    return;
  }
  if (commands_.size() >= k_max_commands) {
    ++left_out_;
    return;
  }
  CommandEntry entry;
  entry.text_source = "none";
  entry.begin_event = event.number;
  entry.begin = event.at;
  entry.flags = {"redacted"};
  push(std::move(entry));
}

void CommandList::settle() {
  for (const auto& [key, index] : open_) {
    add_flag(commands_[index].flags, "no_end");
  }
  for (auto& entry : commands_) {
    if (!entry.ended) {
      add_flag(entry.flags, "no_end");
    } else {
      entry.flags.erase(std::remove(entry.flags.begin(), entry.flags.end(), "no_end"),
                        entry.flags.end());
    }
  }
}

std::optional<std::size_t> CommandList::at(MonoTime t) const {
  const auto next = std::upper_bound(reached_.begin(), reached_.end(), t);
  if (next == reached_.begin()) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(next - reached_.begin() - 1);
}

void CommandList::push(CommandEntry entry) {
  reached_.push_back(reached_.empty() ? entry.begin : std::max(reached_.back(), entry.begin));
  commands_.push_back(std::move(entry));
}

Result<CommandList> CommandList::read(format::SessionReader& reader) {
  CommandList list;
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
