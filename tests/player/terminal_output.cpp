// SPDX-License-Identifier: Apache-2.0
#include "tests/player/terminal_output.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <set>

namespace sworn::test {
namespace {

// Characters that draw nothing or change the order of others.
bool shapeless(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF0 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE0FFF);
}

bool only(std::string_view text, std::string_view allowed) {
  return text.find_first_not_of(allowed) == std::string_view::npos;
}

// Modes that a full-screen program switches: application keys, origin of its own colours, cursor,
// mouse reports, the other screen, bracketed paste and the like are not among what we use.
bool known_mode(std::string_view parameters, char final) {
  static const std::set<std::string_view> k_private{
      "?1",    "?7",    "?12",   "?25",   "?1000",  "?1002",      "?1003",
      "?1006", "?1049", "?1004", "?2004", "?12;25", "?1006;1000", "?1000;1006"};
  static const std::set<std::string_view> k_plain{"4", "34"};
  (void) final;
  return k_private.contains(parameters) || k_plain.contains(parameters);
}

bool known_csi(std::string_view parameters, std::string_view intermediates, char final) {
  if (!intermediates.empty()) {
    return intermediates == "!" && final == 'p' && parameters.empty();  // soft reset
  }
  switch (final) {
    case 'h':
    case 'l':
      return known_mode(parameters, final);
    case 't':  // the title kept and brought back by smcup and rmcup
      return parameters == "22;0;0" || parameters == "23;0;0";
    case 'c':  // the linux console's cursor
      return parameters == "?0" || parameters == "?1" || parameters == "?8";
    case 'm':
      return only(parameters, "0123456789;:");
    case 'A':
    case 'B':
    case 'C':
    case 'D':
    case 'G':
    case 'H':
    case 'J':
    case 'K':
    case 'L':
    case 'M':
    case 'P':
    case 'S':
    case 'T':
    case 'X':
    case '@':
    case 'b':
    case 'd':
    case 'g':
    case 'r':
      return only(parameters, "0123456789;");
    default:
      return false;
  }
}

// Behind the sync marker that tests ask for; nullopt where it is none.
std::size_t end_of_sync(std::string_view output, std::size_t at) {
  constexpr std::string_view k_sync = "\x1b]7777;";
  if (output.substr(at, k_sync.size()) != k_sync) {
    return at;
  }
  auto i = at + k_sync.size();
  while (i < output.size() && ((output[i] >= '0' && output[i] <= '9') || output[i] == ';')) {
    ++i;
  }
  return i < output.size() && output[i] == '\a' ? i + 1 : at;
}

std::size_t end_of_csi(std::string_view output, std::size_t at) {
  auto i = at + 2;
  const auto begin = i;
  while (i < output.size() && output[i] >= 0x30 && output[i] <= 0x3F) {
    ++i;
  }
  const auto parameters = output.substr(begin, i - begin);
  const auto middle = i;
  while (i < output.size() && output[i] >= 0x20 && output[i] <= 0x2F) {
    ++i;
  }
  if (i >= output.size() || parameters.size() > 40 ||
      !known_csi(parameters, output.substr(middle, i - middle), output[i])) {
    return at;
  }
  return i + 1;
}

// Behind the sequence at `at`; `at` itself where it is none that we send.
std::size_t end_of_escape(std::string_view output, std::size_t at) {
  const char next = at + 1 < output.size() ? output[at + 1] : '\0';
  if (next == '[') {
    return end_of_csi(output, at);
  }
  if (next == ']') {
    const auto end = end_of_sync(output, at);
    // "\e]R" and "\e]104BEL" are how the linux console and xterm get their palette back: not ours.
    return output.substr(at, 3) == "\x1b]R" ? at + 3 : end;
  }
  if ((next == '(' || next == ')') && at + 2 < output.size() &&
      std::string_view("B0").find(output[at + 2]) != std::string_view::npos) {
    return at + 3;
  }
  constexpr std::string_view k_single = "=>78MHDE";
  return next != '\0' && k_single.find(next) != std::string_view::npos ? at + 2 : at;
}

}  // namespace

std::string foreign_output(std::string_view output) {
  std::size_t at = 0;
  const auto finding = [&](std::string_view what) {
    return fmt::format("{} at byte {}: {}", what, at, printable(output.substr(at, 60)));
  };
  while (at < output.size()) {
    const auto c = static_cast<unsigned char>(output[at]);
    if (c == 0x1B) {
      const auto end = end_of_escape(output, at);
      if (end == at) {
        return finding("a sequence that the player does not send");
      }
      at = end;
      continue;
    }
    if (c == '\r' || c == '\n' || c == '\b' || c == 0x0E || c == 0x0F || c == '\t') {
      ++at;
      continue;
    }
    const auto step = decode_utf8(output.substr(at));
    if (!step.valid) {
      return finding("bytes that are no UTF-8");
    }
    if (shapeless(step.code_point)) {
      return finding("a control or a character without a shape");
    }
    at += step.length;
  }
  return {};
}

}  // namespace sworn::test
