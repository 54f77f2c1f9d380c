// SPDX-License-Identifier: Apache-2.0
// Bytes that come in pieces, as well-formed UTF-8: a character cut by the end of a piece waits for
// the next one, what can be no UTF-8 becomes U+FFFD and is counted. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::player {

class Utf8Stream {
 public:
  // The text that is complete with this piece.
  std::string add(std::string_view piece);
  // What was held back can no longer become a character.
  std::string finish();
  [[nodiscard]] std::uint64_t replaced() const { return replaced_; }

 private:
  std::string held_;
  std::uint64_t replaced_ = 0;
};

}  // namespace sworn::player
