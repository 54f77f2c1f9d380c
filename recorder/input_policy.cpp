// SPDX-License-Identifier: Apache-2.0
#include "recorder/input_policy.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include <string.h>  // explicit_bzero

namespace sworn::recorder {
namespace {

void wipe(std::span<std::byte> bytes) {
  ::explicit_bzero(bytes.data(), bytes.size());
}

}  // namespace

InputPolicy::InputPolicy(InputMode mode, std::span<std::byte> memory)
    : mode_(mode), memory_(memory) {}

InputPolicy::~InputPolicy() {
  wipe(memory_);
}

std::span<std::byte> InputPolicy::bytes(std::uint64_t begin, std::uint64_t end) const {
  return memory_.subspan(static_cast<std::size_t>(begin - base_),
                         static_cast<std::size_t>(end - begin));
}

void InputPolicy::compact() {
  const std::uint64_t keep_from =
      std::min(forwarded_, chunks_.empty() ? end_ : chunks_.front().begin);
  const auto used = static_cast<std::size_t>(end_ - base_);
  if (keep_from == base_ || (keep_from != end_ && memory_.size() - used >= k_max_read)) {
    return;
  }
  const auto kept = static_cast<std::size_t>(end_ - keep_from);
  std::memmove(memory_.data(), bytes(keep_from, end_).data(), kept);
  wipe(memory_.subspan(kept, used - kept));
  base_ = keep_from;
}

std::span<std::byte> InputPolicy::room() {
  if (chunks_.size() + 2 > k_max_chunks) {
    return {};
  }
  compact();
  const auto used = static_cast<std::size_t>(end_ - base_);
  last_room_ = std::min(memory_.size() - used, k_max_read);
  return memory_.subspan(used, last_room_);
}

void InputPolicy::add_chunk(const Read& read, std::uint64_t begin, std::uint64_t end, Judge judge) {
  Chunk chunk;
  chunk.begin = begin;
  chunk.end = end;
  chunk.at = read.at;
  chunk.judge = judge;
  chunk.raw = read.raw;
  chunk.ends_line = end < end_ || read.scan.ends_line;  // a read is only split behind a line end
  if (judge != Judge::drop) {
    for (const auto& run : read.scan.runs) {
      if (read.begin + run.begin >= begin && read.begin + run.end <= end) {
        runs_.push_back(
            {read.begin + run.begin, read.begin + run.end, first_chunk_ + chunks_.size()});
        ++chunk.runs_left;
      }
    }
  }
  chunks_.push_back(chunk);
}

void InputPolicy::update_hidden(const EchoState& before) {
  if (hidden_ == Hidden::by_terminal && !before.hides()) {
    hidden_ = Hidden::no;
  }
  if (hidden_ != Hidden::no) {
    return;
  }
  if (before.hides()) {
    hidden_ = Hidden::by_terminal;
  } else if (!before.canonical && prompt_.at_password_prompt()) {
    hidden_ = Hidden::until_line_end;
  }
  hidden_announced_ = false;
}

// A shell that was slow to take the Enter is still in raw mode when the answer to the password
// prompt of its command is typed ahead. Once it has answered, it leaves that mode at once or stays.
void InputPolicy::update_enter(const EchoState& before, MonoTime now) {
  if (enter_open_ && enter_answered_ && now.us - enter_answered_->us >= k_settle_us &&
      !before.canonical && !before.hides()) {
    enter_open_ = false;
  }
}

Announce InputPolicy::announce_hidden(bool answer_ends) {
  const auto announce = hidden_announced_ ? Announce::nothing : Announce::hidden;
  // What comes behind the Enter is the answer to the next question, if echo is still off then.
  hidden_announced_ = !answer_ends;
  if (answer_ends && hidden_ == Hidden::until_line_end) {
    hidden_ = Hidden::no;
  }
  return announce;
}

Announce InputPolicy::on_typed(std::size_t n, const EchoState& before, MonoTime now) {
  const std::uint64_t begin = end_;
  end_ += n;
  const Read read{begin, now, scanner_.scan(bytes(begin, end_), n < last_room_),
                  !before.canonical && !before.relays()};
  if (mode_ == InputMode::none) {
    add_chunk(read, begin, end_, Judge::drop);
    return Announce::nothing;
  }
  update_hidden(before);
  update_enter(before, now);
  if (hidden_ != Hidden::no) {
    add_chunk(read, begin, end_, Judge::drop);
    return announce_hidden(read.scan.first_line_end > 0);
  }
  const bool needs_echo =
      mode_ == InputMode::commands && (before.canonical || before.relays() || enter_open_);
  const std::uint64_t line_end = begin + read.scan.first_line_end;
  if (mode_ == InputMode::commands && !needs_echo && line_end > begin && line_end < end_) {
    // Typed ahead of a command that may ask for a password: only an echo can clear it.
    add_chunk(read, begin, line_end, Judge::direct);
    add_chunk(read, line_end, end_, Judge::echoed);
  } else {
    add_chunk(read, begin, end_, needs_echo ? Judge::echoed : Judge::direct);
  }
  return std::exchange(typed_announced_, true) ? Announce::nothing : Announce::typed;
}

ByteView InputPolicy::to_forward() const {
  return bytes(forwarded_, end_);
}

void InputPolicy::on_forwarded(std::size_t n, MonoTime now) {
  forwarded_ += n;
  for (std::size_t i = index_of(next_forward_); i < chunks_.size(); ++i) {
    Chunk& chunk = chunks_[i];
    if (chunk.begin >= forwarded_) {
      break;
    }
    if (!std::exchange(chunk.is_started, true)) {
      chunk.echo_from = window_.end();
    }
    if (chunk.end <= forwarded_) {
      chunk.is_forwarded = true;
      if (chunk.raw && chunk.ends_line) {
        enter_open_ = true;
        enter_answered_.reset();
      }
      next_forward_ = first_chunk_ + i + 1;
      chunk.forwarded = now;
    }
  }
  while (!chunks_.empty() && chunks_.front().judge == Judge::drop && chunks_.front().is_forwarded) {
    drop_front(1);
  }
}

void InputPolicy::on_output(ByteView data, MonoTime now) {
  if (mode_ == InputMode::none) {
    return;
  }
  if (enter_open_ && !enter_answered_) {
    enter_answered_ = now;
  }
  prompt_.on_output(data);
  if (runs_.empty() || !chunk_of(runs_.front()).is_started) {
    window_.skip();
    return;
  }
  window_.on_output(data);
  match_echo();
}

std::uint64_t InputPolicy::search_from(const Run& run) const {
  return std::max(matched_to_, chunk_of(run).echo_from);
}

void InputPolicy::match_echo() {
  while (!runs_.empty() && chunk_of(runs_.front()).is_started) {
    const Run& run = runs_.front();
    const auto found = window_.find(bytes(run.begin, run.end), search_from(run), k_echo_slack);
    if (!found) {
      return;
    }
    matched_to_ = *found;
    echo_found_ = true;
    --chunks_[run.chunk - first_chunk_].runs_left;
    runs_.pop_front();
  }
}

bool InputPolicy::front_echo_overdue(MonoTime now) const {
  const Run& run = runs_.front();
  const Chunk& chunk = chunk_of(run);
  const bool pushed_away = window_.end() > search_from(run) + k_echo_slack + (run.end - run.begin);
  return finishing_ || (chunk.is_started && pushed_away) ||
         (chunk.is_forwarded && now.us - chunk.forwarded.us >= k_echo_wait_us);
}

InputPolicy::Group InputPolicy::front_group() const {
  const Judge judge = chunks_.front().judge;
  if (judge != Judge::echoed) {
    return {1, true};
  }
  Group group;
  for (const auto& chunk : chunks_) {
    if (chunk.judge != Judge::echoed) {
      group.closed = true;  // another way of typing has begun
      break;
    }
    ++group.chunks;
    const bool too_long =
        chunk.end - chunks_.front().begin > k_max_line || group.chunks > k_max_chunks / 2;
    if (chunk.ends_line || too_long) {
      group.closed = true;
      break;
    }
  }
  group.closed = group.closed || finishing_;
  return group;
}

InputPolicy::Verdict InputPolicy::judge_direct(const Chunk& chunk, MonoTime now) const {
  if (!chunk.is_forwarded || !chunk.looked_after) {
    return Verdict::wait;
  }
  if (!chunk.hidden_after && !chunk.canonical_after) {
    return Verdict::keep;
  }
  // The Enter of a command that asks for a password at once: the line itself was on the screen
  // before.
  if (chunk.hidden_after && !chunk.ends_line) {
    return Verdict::hide;
  }
  if (chunk.runs_left == 0) {
    return Verdict::keep;
  }
  return front_echo_overdue(now) ? Verdict::hide : Verdict::wait;
}

InputPolicy::Verdict InputPolicy::judge_echoed(const Group& group, MonoTime now) const {
  bool ready = group.closed;
  for (std::size_t i = 0; i < group.chunks; ++i) {
    const Chunk& chunk = chunks_[i];
    if (chunk.hidden_after && !chunk.ends_line) {
      return Verdict::hide;
    }
    if (chunk.runs_left > 0 && chunk_of(runs_.front()).begin == chunk.begin &&
        front_echo_overdue(now)) {
      return Verdict::hide;
    }
    ready = ready && chunk.looked_after && chunk.runs_left == 0;
  }
  return ready ? Verdict::keep : Verdict::wait;
}

void InputPolicy::drop_front(std::size_t chunks) {
  for (; chunks > 0; --chunks) {
    const Chunk& chunk = chunks_.front();
    wipe(bytes(chunk.begin, std::max(chunk.begin, std::min(chunk.end, forwarded_))));
    chunks_.pop_front();
    ++first_chunk_;
  }
  next_forward_ = std::max(next_forward_, first_chunk_);
  next_look_ = std::max(next_look_, first_chunk_);
  while (!runs_.empty() && runs_.front().chunk < first_chunk_) {
    runs_.pop_front();
  }
}

void InputPolicy::keep(const Group& group, InputSink& sink) {
  for (std::size_t i = 0; i < group.chunks; ++i) {
    sink.record_input(bytes(chunks_[i].begin, chunks_[i].end), chunks_[i].at);
  }
  drop_front(group.chunks);
}

void InputPolicy::hide(const Group& group, InputSink& sink) {
  bool by_terminal = false;
  std::size_t done = 0;
  for (std::size_t i = 0; i < group.chunks; ++i) {
    // What was typed but not passed on yet may still be part of the answer, and is dropped with it.
    chunks_[i].judge = Judge::drop;
    chunks_[i].runs_left = 0;
    by_terminal = by_terminal || chunks_[i].hidden_after;
    done += chunks_[i].is_forwarded ? 1U : 0U;
  }
  const bool answer_ends = chunks_[group.chunks - 1].ends_line;
  if (hidden_ == Hidden::no || !hidden_announced_) {
    sink.record_hidden();
    if (hidden_ == Hidden::no && (by_terminal || !answer_ends)) {
      hidden_ = by_terminal ? Hidden::by_terminal : Hidden::until_line_end;
    }
    hidden_announced_ = hidden_ != Hidden::no && !answer_ends;
  }
  std::erase_if(runs_, [&](const Run& run) { return run.chunk < first_chunk_ + group.chunks; });
  drop_front(done);
}

void InputPolicy::decide(MonoTime now, InputSink& sink) {
  while (!chunks_.empty()) {
    if (chunks_.front().judge == Judge::drop) {
      if (!chunks_.front().is_forwarded) {
        break;
      }
      drop_front(1);
      continue;
    }
    const Group group = front_group();
    const Verdict verdict = chunks_.front().judge == Judge::direct
                                ? judge_direct(chunks_.front(), now)
                                : judge_echoed(group, now);
    if (verdict == Verdict::wait) {
      break;
    }
    if (verdict == Verdict::keep) {
      keep(group, sink);
    } else {
      hide(group, sink);
    }
    match_echo();  // what stood behind a missing echo
  }
  echo_found_ = false;
  typed_announced_ = std::any_of(chunks_.begin(), chunks_.end(),
                                 [](const Chunk& chunk) { return chunk.judge != Judge::drop; });
}

std::optional<MonoTime> InputPolicy::sample_due() const {
  std::optional<MonoTime> due;
  const auto take = [&due](MonoTime base, std::int64_t us) {
    const MonoTime at{base.us + us};
    due = due ? std::min(*due, at) : at;
  };
  if (echo_found_ && !chunks_.empty() && chunks_.front().looked_after) {
    take(chunks_.front().forwarded, 0);  // an echo came late: decide now
  }
  if (const Chunk* chunk = next_to_look_after()) {
    const std::int64_t settled = chunk->forwarded.us + k_settle_us;
    take(MonoTime{std::max(settled, last_look_.us + k_between_looks_us)}, 0);
  }
  if (!runs_.empty() && chunk_of(runs_.front()).is_forwarded) {
    take(chunk_of(runs_.front()).forwarded, k_echo_wait_us);
  }
  return due;
}

const InputPolicy::Chunk* InputPolicy::next_to_look_after() const {
  for (std::size_t i = index_of(next_look_); i < index_of(next_forward_); ++i) {
    if (chunks_[i].judge != Judge::drop) {
      return &chunks_[i];
    }
  }
  return nullptr;
}

bool InputPolicy::wants_look(MonoTime now) const {
  const Chunk* chunk = next_to_look_after();
  return chunk != nullptr && is_settled(*chunk, now) &&
         now.us - last_look_.us >= k_between_looks_us;
}

void InputPolicy::take_look(const EchoState& after, MonoTime now) {
  last_look_ = now;
  for (std::size_t i = index_of(next_look_); i < index_of(next_forward_); ++i) {
    if (!is_settled(chunks_[i], now)) {
      break;
    }
    chunks_[i].looked_after = true;
    chunks_[i].hidden_after = after.hides();
    chunks_[i].canonical_after = mode_ == InputMode::commands && after.canonical;
    next_look_ = first_chunk_ + i + 1;
  }
}

void InputPolicy::on_sample(const EchoState* after, MonoTime now, InputSink& sink) {
  if (after != nullptr) {
    take_look(*after, now);
  }
  decide(now, sink);
}

void InputPolicy::finish(const EchoState& last, MonoTime now, InputSink& sink) {
  while (!chunks_.empty() && !chunks_.back().is_forwarded) {
    end_ = chunks_.back().begin;
    std::erase_if(runs_, [&](const Run& run) { return run.begin >= end_; });
    chunks_.pop_back();
  }
  forwarded_ = end_;
  for (auto& chunk : chunks_) {
    chunk.hidden_after = chunk.looked_after ? chunk.hidden_after : last.hides();
    chunk.canonical_after =
        chunk.looked_after ? chunk.canonical_after : mode_ == InputMode::commands && last.canonical;
    chunk.looked_after = true;
  }
  finishing_ = true;
  decide(now, sink);
  wipe(memory_);
}

}  // namespace sworn::recorder
