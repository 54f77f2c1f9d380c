// SPDX-License-Identifier: Apache-2.0
#include "player/matcher.hpp"

#include "player/literal_scan.hpp"

#include <re2/re2.h>

#include <algorithm>

namespace sworn::player {
namespace {

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool has_capital(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

char small(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// Behind a bracket expression that begins at `i`; npos where it does not end.
std::size_t end_of_class(std::string_view regex, std::size_t i) {
  ++i;
  if (i < regex.size() && regex[i] == '^') {
    ++i;
  }
  if (i < regex.size() && regex[i] == ']') {
    ++i;  // a bracket in first place stands for itself
  }
  for (; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (regex[i] == '[') {
      return std::string_view::npos;  // [:classes:] are left to RE2
    } else if (regex[i] == ']') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

std::string required_text(std::string_view regex, bool fold_case) {
  std::string best;
  std::string run;
  const auto end_run = [&] {
    if (run.size() > best.size()) {
      best = run;
    }
    run.clear();
  };
  std::size_t i = 0;
  while (i < regex.size()) {
    const char c = regex[i];
    std::optional<char> plain;
    switch (c) {
      case '|':
      case '(':
      case ')':
        return {};
      case '[':
        end_run();
        i = end_of_class(regex, i);
        if (i == std::string_view::npos) {
          return {};
        }
        break;
      case '\\': {
        const char next = i + 1 < regex.size() ? regex[i + 1] : '\0';
        const bool letter = (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z') ||
                            (next >= '0' && next <= '9') || next == '\0';
        if (letter && std::string_view("bBdDsSwW").find(next) == std::string_view::npos) {
          return {};
        }
        if (letter) {
          end_run();
        } else {
          plain = next;
        }
        i += 2;
        break;
      }
      case '.':
      case '^':
      case '$':
        end_run();
        ++i;
        break;
      case '*':
      case '?':
      case '+':
      case '{':
        return {};  // of something other than a plain character: rare, and easy to get wrong
      default:
        if (static_cast<unsigned char>(c) >= 0x80) {
          end_run();
        } else {
          plain = c;
        }
        ++i;
        break;
    }
    const char follower = i < regex.size() ? regex[i] : '\0';
    const bool repeated = follower == '*' || follower == '?' || follower == '{' || follower == '+';
    // Ignoring case, RE2 takes U+017F for s and U+212A for k.
    if (plain && fold_case && std::string_view("sSkK").find(*plain) != std::string_view::npos) {
      end_run();
    } else if (plain && (!repeated || follower == '+')) {
      run += small(*plain);
    }
    if (repeated) {
      end_run();
      if (follower == '{') {
        const auto close = regex.find('}', i);
        if (close == std::string_view::npos) {
          return {};
        }
        i = close;
      }
      ++i;
      if (i < regex.size() && (regex[i] == '?' || regex[i] == '+')) {
        ++i;  // lazy
      }
    }
  }
  end_run();
  return best;
}

struct Matcher::Impl {
  std::unique_ptr<RE2> re;                // what the pattern means
  std::unique_ptr<LiteralScan> literal;   // the same, where it is plain text
  std::unique_ptr<LiteralScan> required;  // what a match contains
};

Matcher::Matcher() = default;
Matcher::~Matcher() = default;

Result<std::shared_ptr<const Matcher>> Matcher::compile(std::string_view pattern, PatternKind kind,
                                                        CaseRule rule) {
  constexpr std::size_t k_longest = 2'000;
  if (pattern.empty()) {
    return fail(Errc::bad_usage, "the pattern is empty");
  }
  if (pattern.size() > k_longest) {
    return fail(Errc::bad_usage, "the pattern is longer than 2,000 bytes");
  }
  if (pattern.find('\n') != std::string_view::npos) {
    return fail(Errc::bad_usage, "the pattern has a line feed: rows are searched one by one");
  }
  const bool exact = rule == CaseRule::exact || (rule == CaseRule::smart && has_capital(pattern));
  std::shared_ptr<Matcher> matcher(new Matcher());
  matcher->pattern_ = std::string(pattern);
  matcher->impl_ = std::make_unique<Impl>();
  auto& impl = *matcher->impl_;
  if (kind == PatternKind::text && (exact || is_ascii(pattern))) {
    impl.literal = std::make_unique<LiteralScan>(pattern, !exact);
    if (is_ascii(pattern)) {
      std::transform(pattern.begin(), pattern.end(), std::back_inserter(matcher->required_), small);
    }
    return std::shared_ptr<const Matcher>(std::move(matcher));
  }
  RE2::Options options(RE2::Quiet);
  options.set_literal(kind == PatternKind::text);
  options.set_never_nl(true);
  options.set_case_sensitive(exact);
  options.set_max_mem(16 << 20);
  // ^ and $ mean the ends of a row, however many rows are looked at in one go.
  const auto meant = (kind == PatternKind::regex ? "(?m)" : "") + matcher->pattern_;
  impl.re = std::make_unique<RE2>(meant, options);
  if (!impl.re->ok()) {
    auto why = impl.re->error();
    if (const auto ours = why.find("(?m)"); ours != std::string::npos) {
      why.erase(ours, 4);
    }
    return fail(Errc::bad_usage, "the pattern is not usable: " + why);
  }
  if (kind == PatternKind::regex) {
    matcher->required_ = required_text(pattern, !exact);
  }
  if (!matcher->required_.empty()) {
    impl.required = std::make_unique<LiteralScan>(matcher->required_, true);
  }
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
  if (impl_->literal != nullptr) {
    const auto at = impl_->literal->find(text, from);
    return at == LiteralScan::k_not_found
               ? std::nullopt
               : std::optional(Match{at, impl_->literal->needle().size()});
  }
  const auto match = [&](std::size_t begin, std::size_t end) -> std::optional<Match> {
    re2::StringPiece found;
    if (!impl_->re->Match(re2::StringPiece(text.data(), text.size()), begin, end, RE2::UNANCHORED,
                          &found, 1)) {
      return std::nullopt;
    }
    return Match{static_cast<std::size_t>(found.data() - text.data()), found.size()};
  };
  if (impl_->required == nullptr) {
    return match(from, text.size());
  }
  // Only lines that contain what every match contains are worth the expression.
  std::size_t at = from;
  while ((at = impl_->required->find(text, at)) != LiteralScan::k_not_found) {
    const auto before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    const auto begin = before == std::string_view::npos ? 0 : before + 1;
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(begin, end - begin);
    // The line alone, so that ^ and $ mean its ends.
    const auto skip = from > begin ? from - begin : 0;
    re2::StringPiece found;
    if (impl_->re->Match(re2::StringPiece(line.data(), line.size()), skip, line.size(),
                         RE2::UNANCHORED, &found, 1)) {
      return Match{static_cast<std::size_t>(found.data() - text.data()), found.size()};
    }
    at = end;
    if (at >= text.size()) {
      break;
    }
  }
  return std::nullopt;
}

}  // namespace sworn::player
