// SPDX-License-Identifier: Apache-2.0
// A search pattern: plain text or a regular expression (RE2: linear time whatever people type),
// smart case (a capital letter makes it exact). The only user of RE2. Const use from several
// threads is safe.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::player {

enum class PatternKind : std::uint8_t { text, regex };

class Matcher {
 public:
  // Errc::bad_usage with what is wrong with the pattern. An empty pattern is refused.
  static Result<std::shared_ptr<const Matcher>> compile(std::string_view pattern, PatternKind kind);
  // As typed at the prompt: \v in front makes it a regular expression.
  static Result<std::shared_ptr<const Matcher>> compile_typed(std::string_view typed);

  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  struct Match {
    std::size_t offset = 0;
    std::size_t length = 0;
  };
  // The first match at or behind `from`; never across a line feed. Broken UTF-8 in `text` is fine.
  [[nodiscard]] std::optional<Match> find(std::string_view text, std::size_t from = 0) const;
  [[nodiscard]] const std::string& pattern() const { return pattern_; }

 private:
  Matcher();
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string pattern_;
};

}  // namespace sworn::player
