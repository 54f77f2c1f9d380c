// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn {
namespace {

unsigned char at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// Characters that change how their neighbours are shown, or show nothing at all.
bool is_deceptive(char32_t c) {
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2060 && c <= 0x2069) || c == 0x061C || c == 0xFEFF || c == 0x00AD ||
         (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF);
}

}  // namespace

Utf8Step decode_utf8(std::string_view text) {
  const unsigned char lead = at(text, 0);
  if (lead < 0x80) {
    return {lead, 1, true};
  }
  std::size_t length = 0;
  char32_t code_point = 0;
  char32_t least = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
    code_point = lead & 0x1FU;
    least = 0x80;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    code_point = lead & 0x0FU;
    least = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    code_point = lead & 0x07U;
    least = 0x10000;
  } else {
    return {lead, 1, false};
  }
  for (std::size_t i = 1; i < length; ++i) {
    if (i >= text.size() || (at(text, i) & 0xC0U) != 0x80U) {
      return {lead, 1, false};
    }
    code_point = code_point << 6U | (at(text, i) & 0x3FU);
  }
  if (code_point < least || code_point > 0x10FFFF ||
      (code_point >= 0xD800 && code_point < 0xE000)) {
    return {lead, 1, false};
  }
  return {code_point, length, true};
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0U | c >> 6U);
    put(0x80U | (c & 0x3FU));
  } else if (c < 0x10000) {
    put(0xE0U | c >> 12U);
    put(0x80U | (c >> 6U & 0x3FU));
    put(0x80U | (c & 0x3FU));
  } else {
    put(0xF0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3FU));
    put(0x80U | (c >> 6U & 0x3FU));
    put(0x80U | (c & 0x3FU));
  }
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto step = decode_utf8(text);
    const auto c = step.code_point;
    if (!step.valid || c < 0x20 || c == 0x7F) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(at(text, 0)));
    } else if ((c >= 0x80 && c < 0xA0) || is_deceptive(c)) {
      out += fmt::format("\\u{{{:04x}}}", static_cast<unsigned>(c));
    } else {
      out.append(text.substr(0, step.length));
    }
    text.remove_prefix(step.length);
  }
  return out;
}

std::string printable(std::string_view text, std::size_t max_bytes) {
  // Each input byte gives at least one output byte, so a little more than the limit is enough to
  // look at.
  auto out = printable(text.substr(0, std::min(text.size(), max_bytes + 4)));
  if (out.size() <= max_bytes && text.size() <= max_bytes + 4) {
    return out;
  }
  std::size_t cut = std::min(out.size(), max_bytes > 3 ? max_bytes - 3 : 0);
  while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0U) == 0x80U) {
    --cut;
  }
  out.resize(cut);
  return out + "...";
}

}  // namespace sworn
