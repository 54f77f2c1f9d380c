// SPDX-License-Identifier: Apache-2.0
// One line of text being typed at a prompt, with a history. Pure; UTF-8; printable characters only.
#pragma once

#include "player/view.hpp"

#include <string>
#include <vector>

namespace sworn::player {

class LineEditor {
 public:
  static constexpr std::size_t k_longest = 1'000;  // characters

  void start(std::string_view text = {});
  // True where the key meant something to the line.
  bool handle(const Key& key);
  void remember();  // the present text goes to the history

  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::size_t cursor() const { return cursor_; }
  [[nodiscard]] std::string before_cursor() const;

 private:
  void recall(std::size_t index);

  std::u32string text_;
  std::size_t cursor_ = 0;
  std::vector<std::u32string> history_;
  std::size_t recalled_ = 0;  // history_.size(): the line being typed
  std::u32string typed_;
};

}  // namespace sworn::player
