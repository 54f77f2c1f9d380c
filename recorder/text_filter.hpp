// SPDX-License-Identifier: Apache-2.0
// Takes the escape sequences out of terminal bytes, so that what is left is what a person would
// read. A helper of the input policy: it need not be exact, it must never grow, and it keeps its
// state between calls.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sworn::recorder {

class TextFilter {
 public:
  // True where this byte is text or a plain control character, false where it belongs to a
  // sequence.
  bool is_text(std::byte byte) {
    const auto c = std::to_integer<unsigned>(byte);
    switch (state_) {
      case State::ground:
        if (c == 0x1B) {
          state_ = State::escape;
          return false;
        }
        return true;
      case State::escape:
        state_ = c == '['                                       ? State::control
                 : c == 'O' || c == 'N'                         ? State::one_more
                 : c == ']' || c == 'P' || c == '_' || c == '^' ? State::string
                 : c >= 0x20 && c < 0x30                        ? State::escape
                                                                : State::ground;
        return false;
      case State::control:
        if (c >= 0x40 && c < 0x7F) {
          state_ = State::ground;
        }
        return false;
      case State::one_more:
        state_ = State::ground;
        return false;
      case State::string:  // ended by BEL or ESC \ (the backslash is then eaten as a two-byte
                           // escape)
        state_ = c == 0x07 ? State::ground : c == 0x1B ? State::escape : State::string;
        return false;
    }
    return true;
  }
  void reset() { state_ = State::ground; }
  [[nodiscard]] bool inside() const { return state_ != State::ground; }

 private:
  enum class State : std::uint8_t { ground, escape, control, one_more, string };
  State state_ = State::ground;
};

}  // namespace sworn::recorder
