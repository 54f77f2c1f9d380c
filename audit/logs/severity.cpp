// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/severity.hpp"

#include <algorithm>
#include <array>

namespace sworn::audit::logs {
namespace {

struct Word {
  std::string_view text;
  LogSeverity severity;
};

constexpr auto k_error = LogSeverity::error;
constexpr auto k_warning = LogSeverity::warning;

// Lower case, by first letter. Whole words only.
constexpr std::array<Word, 37> k_words{{
    {"abort", k_error},         {"aborted", k_error},
    {"alert", k_error},         {"cannot", k_warning},
    {"corrupt", k_error},       {"corrupted", k_error},
    {"crash", k_error},         {"crashed", k_error},
    {"crit", k_error},          {"critical", k_error},
    {"denied", k_warning},      {"deprecated", k_warning},
    {"emerg", k_error},         {"err", k_error},
    {"error", k_error},         {"errors", k_error},
    {"exception", k_error},     {"fail", k_error},
    {"failed", k_error},        {"failure", k_error},
    {"fatal", k_error},         {"forbidden", k_warning},
    {"invalid", k_warning},     {"killed", k_warning},
    {"oom", k_error},           {"panic", k_error},
    {"refused", k_warning},     {"retry", k_warning},
    {"segfault", k_error},      {"severe", k_error},
    {"timeout", k_warning},     {"traceback", k_error},
    {"unable", k_warning},      {"unauthorized", k_warning},
    {"unreachable", k_warning}, {"warn", k_warning},
    {"warning", k_warning},
}};

constexpr std::size_t k_longest = 12;

// Where the words of a letter begin in k_words; [26] is the end.
constexpr std::array<std::uint8_t, 27> letter_starts() {
  std::array<std::uint8_t, 27> starts{};
  for (std::size_t letter = 0; letter <= 26; ++letter) {
    std::size_t n = 0;
    while (n < k_words.size() && static_cast<std::size_t>(k_words[n].text[0] - 'a') < letter) {
      ++n;
    }
    starts[letter] = static_cast<std::uint8_t>(n);
  }
  return starts;
}
constexpr auto k_starts = letter_starts();

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool is_letter(char c) {
  c = lower(c);
  return c >= 'a' && c <= 'z';
}

bool equal_lower(std::string_view text, std::string_view word) {
  return text.size() == word.size() && std::equal(text.begin(), text.end(), word.begin(),
                                                  [](char a, char b) { return lower(a) == b; });
}

std::optional<LogSeverity> look_up(std::string_view text) {
  const char first = lower(text.front());
  if (first < 'a' || first > 'z' || text.size() > k_longest) {
    return std::nullopt;
  }
  const auto letter = static_cast<std::size_t>(first - 'a');
  for (std::size_t i = k_starts[letter]; i < k_starts[letter + 1]; ++i) {
    if (equal_lower(text, k_words[i].text)) {
      return k_words[i].severity;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(LogSeverity severity) {
  constexpr std::array<std::string_view, 3> k_names{"normal", "warning", "error"};
  return k_names[static_cast<std::size_t>(severity) % k_names.size()];
}

LogSeverity severity_of_syslog(unsigned number) {
  return number <= 3 ? k_error : number == 4 ? k_warning : LogSeverity::normal;
}

LogSeverity severity_of_http(unsigned status) {
  return status >= 500 && status < 600   ? k_error
         : status >= 400 && status < 500 ? k_warning
                                         : LogSeverity::normal;
}

std::optional<LogSeverity> severity_of_level(std::string_view level) {
  if (level.size() == 1 && level[0] >= '0' && level[0] <= '7') {
    return severity_of_syslog(static_cast<unsigned>(level[0] - '0'));
  }
  if (level.empty()) {
    return std::nullopt;
  }
  if (const auto found = look_up(level)) {
    return found;
  }
  for (const auto* calm :
       {"info", "information", "informational", "notice", "debug", "trace", "verbose"}) {
    if (equal_lower(level, calm)) {
      return LogSeverity::normal;
    }
  }
  return std::nullopt;
}

LogSeverity severity_of_text(std::string_view text) {
  text = text.substr(0, k_severity_bytes);
  auto worst = LogSeverity::normal;
  std::size_t at = 0;
  while (at < text.size()) {
    if (!is_letter(text[at])) {
      ++at;
      continue;
    }
    auto end = at + 1;
    while (end < text.size() && is_letter(text[end])) {
      ++end;
    }
    if (end - at >= 3 && end - at <= k_longest) {
      const auto found = look_up(text.substr(at, end - at));
      if (found == k_error) {
        return k_error;
      }
      worst = found.value_or(worst);
    }
    at = end;
  }
  return worst;
}

}  // namespace sworn::audit::logs
