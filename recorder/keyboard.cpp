// SPDX-License-Identifier: Apache-2.0
#include "recorder/keyboard.hpp"

#include <algorithm>

namespace sworn::recorder {
namespace {

constexpr int k_reads_in_a_row = 4;

}  // namespace

Keyboard::Keyboard(InputMode mode, LockedMemory memory, Channel source, Channel sink,
                   EchoProbe probe, KeyboardHost& host)
    : memory_(std::move(memory)),
      policy_(mode, memory_.bytes()),
      source_(std::move(source)),
      sink_(std::move(sink)),
      probe_(std::move(probe)),
      host_(host) {}

Keyboard::State Keyboard::on_readable(MonoTime now) {
  for (int i = 0; i < k_reads_in_a_row; ++i) {
    const auto room = policy_.room();
    if (room.empty()) {
      break;
    }
    const IoResult result = source_.read(room);
    if (result.state == IoState::again) {
      break;
    }
    if (result.state != IoState::done) {
      return State::ended;
    }
    last_look_ = probe_.look();
    switch (policy_.on_typed(result.n, last_look_, now)) {
      case Announce::nothing:
        break;
      case Announce::typed:
        host_.record_key_event(format::EventKind::typed, {}, std::nullopt);
        break;
      case Announce::hidden:
        host_.record_key_event(format::EventKind::input_hidden, {}, std::nullopt);
        break;
    }
    forward(now);
    if (result.n < room.size()) {
      break;
    }
  }
  return State::open;
}

void Keyboard::forward(MonoTime now) {
  forward_at_.reset();
  blocked_ = false;
  while (!policy_.to_forward().empty() && !sink_broken_) {
    const bool sealed = last_look_.needs_seal(policy_.to_forward());
    if (sealed) {
      const MonoTime allowed = host_.seal_allowed();
      if (now < allowed) {
        forward_at_ = allowed;
        return;
      }
      if (!host_.seal_before_forwarding(now)) {
        return;
      }
    }
    const IoResult result = sink_.write(policy_.to_forward());
    if (result.state == IoState::again) {
      blocked_ = true;
      return;
    }
    if (result.state != IoState::done) {
      sink_broken_ = true;
      return;
    }
    policy_.on_forwarded(result.n, now);
    if (sealed) {
      host_.after_forwarding();
    }
    if (!policy_.to_forward().empty()) {
      blocked_ = true;  // the rest has its own seal when there is room for it
      return;
    }
  }
}

void Keyboard::on_time(MonoTime now) {
  if (forward_at_ && now >= *forward_at_) {
    forward(now);
  }
  if (const auto due = policy_.sample_due(); due && now >= *due) {
    if (policy_.wants_look(now)) {
      const EchoState after = probe_.look_closely(now);
      policy_.on_sample(&after, now, *this);
    } else {
      policy_.on_sample(nullptr, now, *this);
    }
  }
}

void Keyboard::finish(MonoTime now) {
  policy_.finish(probe_.look_closely(now), now, *this);
}

std::optional<MonoTime> Keyboard::next_deadline() const {
  const auto due = policy_.sample_due();
  return due && forward_at_ ? std::min(due, forward_at_) : due ? due : forward_at_;
}

void Keyboard::close_sink() {
  sink_.close();
  sink_broken_ = true;
  blocked_ = false;
}

void Keyboard::record_input(ByteView bytes, MonoTime at) {
  host_.record_key_event(format::EventKind::input, bytes, at);
}

void Keyboard::record_hidden() {
  host_.record_key_event(format::EventKind::input_hidden, {}, std::nullopt);
}

}  // namespace sworn::recorder
