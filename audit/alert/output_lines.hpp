// SPDX-License-Identifier: Apache-2.0
// Lines of text out of the raw output of a terminal, for matching: escape sequences and controls
// are dropped, a carriage return overwrites nothing, it ends the line like a line feed. An
// approximation on purpose: the exact screen is the player's business, and costs an emulator.
// Bounded. Takes hostile bytes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace sworn::audit::alert {

class OutputLines {
 public:
  static constexpr std::size_t k_max_line = 4096;

  using Take = std::function<void(std::string_view)>;
  void feed(std::string_view bytes, const Take& take);
  // The line that has no end yet, as it is now.
  [[nodiscard]] const std::string& unfinished() const { return line_; }

 private:
  enum class State : unsigned char { text, escape, csi, string, string_escape, charset };
  State state_ = State::text;
  std::string line_;
};

}  // namespace sworn::audit::alert
