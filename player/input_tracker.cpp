// SPDX-License-Identifier: Apache-2.0
#include "player/input_tracker.hpp"

#include "player/keystrokes.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

constexpr bool is_rub_out(std::byte byte) {
  return byte == std::byte{0x7F} || byte == std::byte{0x08};
}

// The line as backspaces left it.
Bytes corrected(ByteView typed) {
  Bytes line;
  for (const auto byte : typed) {
    if (!is_rub_out(byte)) {
      line.push_back(byte);
      continue;
    }
    while (!line.empty() && (line.back() & std::byte{0xC0}) == std::byte{0x80}) {
      line.pop_back();
    }
    if (!line.empty()) {
      line.pop_back();
    }
  }
  return line;
}

}  // namespace

void InputTracker::add(const format::EventView& event) {
  if (event.kind != format::EventKind::input) {
    return;
  }
  for (const auto byte : event.data) {
    if (line_.empty()) {
      since_ = event.number + 1;
    }
    from_ = event.number + 1;
    t_ = event.t;
    const bool enter = byte == std::byte{'\r'} || byte == std::byte{'\n'};
    if (!enter) {
      line_.push_back(byte);
    }
    if (enter || line_.size() >= k_max_line) {
      end_line();
    }
  }
}

void InputTracker::write(TextSegment& segment) const {
  if (line_.empty()) {
    return;
  }
  const auto add = [&](const std::string& text) {
    segment.add({since_, from_, from_ + 1, t_, t_, text});
  };
  add(keystroke_text(line_));
  if (std::any_of(line_.begin(), line_.end(), is_rub_out)) {
    add(keystroke_text(corrected(line_)));
  }
}

void InputTracker::end_line() {
  write(segment_);
  line_.clear();
  if (segment_.full()) {
    index_->add_segment(segment_);
    segment_.clear();
  }
}

void InputTracker::publish() {
  auto recent = std::make_shared<TextSegment>(segment_);
  write(*recent);
  index_->set_recent(std::move(recent));
}

}  // namespace sworn::player
