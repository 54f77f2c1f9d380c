// SPDX-License-Identifier: Apache-2.0
// Finds a piece of plain ASCII in a lot of text, many bytes at a time, with or without regard to
// case. The case of A to Z only. Pure; const use from several threads is safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sworn::player {

class LiteralScan {
 public:
  static constexpr std::size_t k_not_found = static_cast<std::size_t>(-1);

  // `needle` is not empty; with `fold_case` it is ASCII.
  LiteralScan(std::string_view needle, bool fold_case);

  [[nodiscard]] std::size_t find(std::string_view text, std::size_t from = 0) const;
  [[nodiscard]] const std::string& needle() const { return needle_; }
  [[nodiscard]] bool fold_case() const { return fold_; }

 private:
  [[nodiscard]] bool matches_at(const char* at) const;

  std::string needle_;  // in small letters where case does not matter
  bool fold_ = false;
  std::size_t rare_ = 0;   // the byte of the needle that is least likely in text
  std::size_t other_ = 0;  // the next one
};

}  // namespace sworn::player
