// SPDX-License-Identifier: Apache-2.0
#include "player/raw_text.hpp"

namespace sworn::player {
namespace {

constexpr unsigned char k_escape = 0x1B;

}  // namespace

bool RawText::end_line() {
  if (line_.empty()) {
    return true;
  }
  const bool more = use_({line_, t_, position_});
  line_.clear();
  return more;
}

bool RawText::take(unsigned char c) {
  switch (state_) {
    case State::text:
      if (c == k_escape) {
        state_ = State::escape;
        return true;
      }
      if (c == '\t') {
        line_.push_back(' ');
        return true;
      }
      if (c < 0x20) {
        // A backspace is how programs overstrike and correct; bells and shifts move nothing.
        return c == 0x07 || c == 0x0E || c == 0x0F || c == 0x00 ? true : end_line();
      }
      if (c != 0x7F) {
        line_.push_back(static_cast<char>(c));
      }
      return line_.size() < k_max_line || end_line();
    case State::escape:
      if (c == '[') {
        state_ = State::csi;
      } else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_' || c == 'k') {
        state_ = State::string;
      } else if (c >= 0x20 && c < 0x30) {
        state_ = State::intermediate;
      } else if (c != k_escape) {
        state_ = State::text;
        return end_line();
      }
      return true;
    case State::intermediate:
      if (c >= 0x30) {
        state_ = State::text;
      }
      return true;
    case State::csi:
      if (c == k_escape) {
        state_ = State::escape;
      } else if (c >= 0x40 && c < 0x7F) {
        state_ = State::text;
        return c == 'm' || end_line();  // colours do not end a word
      }
      return true;
    case State::string:
      if (c == 0x07 || c == 0x18 || c == 0x1A) {
        state_ = State::text;
      } else if (c == k_escape) {
        state_ = State::string_escape;
      }
      return true;
    case State::string_escape:
      if (c == '\\') {
        state_ = State::text;
        return true;
      }
      state_ = State::escape;
      return take(c);
  }
  return true;
}

bool RawText::add(const format::EventView& event) {
  if (event.kind != format::EventKind::output && event.kind != format::EventKind::error_output) {
    return true;
  }
  t_ = event.t;
  position_ = event.number + 1;
  for (const auto byte : event.data) {
    if (!take(std::to_integer<unsigned char>(byte))) {
      return false;
    }
  }
  return true;
}

void RawText::finish() {
  end_line();
}

}  // namespace sworn::player
