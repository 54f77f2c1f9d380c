// SPDX-License-Identifier: Apache-2.0
// Recorded bytes are hostile. Whatever comes from a recording, a log, a file name or the
// environment goes through printable() before it reaches a terminal or a message. Well-formed UTF-8
// text stays; controls (C0, DEL, C1), bidi and zero-width formatting, line separators and broken
// UTF-8 become \xNN / \u{NNNN}.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sworn {

std::string printable(std::string_view text);

// The same, cut to `max_bytes` of output with "..." where something was left out.
std::string printable(std::string_view text, std::size_t max_bytes);

struct Utf8Step {
  char32_t code_point = 0;
  std::size_t length = 1;  // bytes consumed, at least 1
  bool valid = false;
};
// Decodes one code point (RFC 3629: no surrogates, no overlong forms). `text` must not be empty.
Utf8Step decode_utf8(std::string_view text);

void append_utf8(std::string& out, char32_t code_point);

}  // namespace sworn
