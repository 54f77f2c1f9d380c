// SPDX-License-Identifier: Apache-2.0
// Recognises that the last thing on the screen is a question for a password. Needed where echo is
// switched off out of our sight: over ssh, and in programs that read passwords in raw mode. Errs
// towards "yes".
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstddef>

namespace sworn::recorder {

class PromptDetector {
 public:
  // Output as it passes by; keeps the last few hundred bytes.
  void on_output(ByteView data);
  [[nodiscard]] bool at_password_prompt() const;

 private:
  static constexpr std::size_t k_keep = 256;
  std::array<std::byte, k_keep> last_{};
  std::size_t used_ = 0;
};

// The last line of `text`, escape sequences taken out, asks for a password or the like: one of the
// words in the languages that sudo, su and ssh speak, and a colon or question mark at its end.
bool asks_for_password(ByteView text);

}  // namespace sworn::recorder
