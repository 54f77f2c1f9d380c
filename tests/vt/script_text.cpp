// SPDX-License-Identifier: Apache-2.0
#include "tests/vt/script_text.hpp"

#include "player/vt/utf8.hpp"

#include <charconv>

namespace sworn::test {
namespace {

std::optional<unsigned> number(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) {
    text.remove_prefix(2);
  }
  unsigned value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// Behind a backslash; advances `at`.
std::optional<char> escaped(std::string_view text, std::size_t& at) {
  const char c = text[at++];
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'e':
      return '\x1b';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'x':
      break;
    default:
      return c;
  }
  const bool braces = at < text.size() && text[at] == '{';
  const std::size_t start = at + (braces ? 1 : 0);
  const std::size_t stop = braces ? text.find('}', start) : start + 2;
  if (stop == std::string_view::npos || stop > text.size()) {
    return std::nullopt;
  }
  at = stop + (braces ? 1 : 0);
  const auto value = number("0x" + std::string(text.substr(start, stop - start)));
  return value && *value < 256 ? std::optional(static_cast<char>(*value)) : std::nullopt;
}

// A string in quotes at the front of `text`, which is advanced behind it.
std::optional<std::string> quoted(std::string_view& text) {
  if (text.empty() || text.front() != '"') {
    return std::nullopt;
  }
  std::string bytes;
  std::size_t at = 1;
  while (at < text.size() && text[at] != '"') {
    if (text[at] != '\\' || at + 1 == text.size()) {
      bytes += text[at++];
      continue;
    }
    ++at;
    const auto c = escaped(text, at);
    if (!c) {
      return std::nullopt;
    }
    bytes += *c;
  }
  if (at >= text.size()) {
    return std::nullopt;
  }
  text.remove_prefix(at + 1);
  return bytes;
}

}  // namespace

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::pair<std::string_view, std::string_view> split_at(std::string_view text, char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos) {
    return {trim(text), {}};
  }
  return {trim(text.substr(0, at)), trim(text.substr(at + 1))};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    const auto end = std::min(text.find_first_of(" \t"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

std::optional<std::string> parse_bytes(std::string_view text) {
  std::string all;
  text = trim(text);
  while (true) {
    const auto part = quoted(text);
    if (!part) {
      return std::nullopt;
    }
    unsigned times = 1;
    text = trim(text);
    if (text.starts_with('x')) {
      text = trim(text.substr(1));
      const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
      const auto count = number(text.substr(0, digits));
      if (!count) {
        return std::nullopt;
      }
      times = *count;
      text = trim(text.substr(digits));
    }
    for (unsigned i = 0; i < times; ++i) {
      all += *part;
    }
    if (text.empty()) {
      return all;
    }
    if (text.front() != '.') {
      return std::nullopt;
    }
    text = trim(text.substr(1));
  }
}

std::optional<std::vector<unsigned>> parse_numbers(std::string_view text) {
  std::vector<unsigned> numbers;
  for (text = trim(text); !text.empty();) {
    const auto [head, rest] = split_at(text, ',');
    const auto value = number(head);
    if (!value) {
      return std::nullopt;
    }
    numbers.push_back(*value);
    text = rest;
  }
  return numbers;
}

std::string to_utf8(const std::vector<unsigned>& points) {
  std::string text;
  for (const unsigned point : points) {
    vt::append_utf8(text, point);
  }
  return text;
}

}  // namespace sworn::test
