// SPDX-License-Identifier: Apache-2.0
#include "player/matcher.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace sworn::player {

struct Matcher::Impl {
  explicit Impl(const re2::StringPiece& pattern, const RE2::Options& options)
      : re(pattern, options) {}
  RE2 re;
};

Matcher::Matcher() = default;
Matcher::~Matcher() = default;

Result<std::shared_ptr<const Matcher>> Matcher::compile(std::string_view pattern,
                                                        PatternKind kind) {
  constexpr std::size_t k_longest = 2'000;
  if (pattern.empty()) {
    return fail(Errc::bad_usage, "the pattern is empty");
  }
  if (pattern.size() > k_longest) {
    return fail(Errc::bad_usage, "the pattern is longer than 2,000 bytes");
  }
  RE2::Options options(RE2::Quiet);
  options.set_literal(kind == PatternKind::text);
  options.set_never_nl(true);
  options.set_case_sensitive(
      std::any_of(pattern.begin(), pattern.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
  options.set_max_mem(16 << 20);
  std::shared_ptr<Matcher> matcher(new Matcher());
  matcher->impl_ =
      std::make_unique<Impl>(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!matcher->impl_->re.ok()) {
    return fail(Errc::bad_usage, "the pattern is not usable: " + matcher->impl_->re.error());
  }
  matcher->pattern_ = std::string(pattern);
  return std::shared_ptr<const Matcher>(std::move(matcher));
}

Result<std::shared_ptr<const Matcher>> Matcher::compile_typed(std::string_view typed) {
  if (typed.starts_with("\\v")) {
    return compile(typed.substr(2), PatternKind::regex);
  }
  return compile(typed, PatternKind::text);
}

std::optional<Matcher::Match> Matcher::find(std::string_view text, std::size_t from) const {
  if (from > text.size()) {
    return std::nullopt;
  }
  re2::StringPiece found;
  if (!impl_->re.Match(re2::StringPiece(text.data(), text.size()), from, text.size(),
                       RE2::UNANCHORED, &found, 1)) {
    return std::nullopt;
  }
  return Match{static_cast<std::size_t>(found.data() - text.data()), found.size()};
}

}  // namespace sworn::player
