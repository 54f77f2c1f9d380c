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
// `smart`: without regard to case unless the pattern has a capital letter.
enum class CaseRule : std::uint8_t { smart, ignore, exact };

class Matcher {
 public:
  // Errc::bad_usage with what is wrong with the pattern. An empty pattern is refused.
  static Result<std::shared_ptr<const Matcher>> compile(std::string_view pattern, PatternKind kind,
                                                        CaseRule rule = CaseRule::smart);
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

  // Plain ASCII that every match contains, in small letters; empty where nothing is known. Text
  // that does not contain it, whatever its case, need not be looked at.
  [[nodiscard]] const std::string& required() const { return required_; }

 private:
  Matcher();
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::string pattern_;
  std::string required_;
};

// The longest run of plain characters that each match of the regular expression must contain; empty
// where the expression is too clever to tell. In small letters. `fold_case`: the expression ignores
// case.
std::string required_text(std::string_view regex, bool fold_case);

}  // namespace sworn::player
