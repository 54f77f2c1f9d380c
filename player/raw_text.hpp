// SPDX-License-Identifier: Apache-2.0
// The output as a stream of text, without escape sequences, whatever the screen made of it: text
// that was written and erased again in one go was never on the screen, but it is in here. Lines end
// at CR, LF and at every sequence that may move the cursor. One thread.
#pragma once

#include "base/clock.hpp"
#include "format/event.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sworn::player {

class RawText {
 public:
  struct Line {
    std::string_view text;  // unsanitised UTF-8 or what else was written
    MonoTime t;             // of the event that ended it
    std::uint64_t position = 0;
  };
  // `use` may return false: no more is wanted.
  explicit RawText(std::function<bool(const Line&)> use) : use_(std::move(use)) {}

  // False where no more is wanted.
  bool add(const format::EventView& event);
  void finish();

 private:
  enum class State : std::uint8_t { text, escape, intermediate, csi, string, string_escape };
  static constexpr std::size_t k_max_line = 64 * 1024;

  bool take(unsigned char c);
  bool end_line();

  std::function<bool(const Line&)> use_;
  State state_ = State::text;
  std::string line_;
  MonoTime t_;
  std::uint64_t position_ = 0;
};

}  // namespace sworn::player
