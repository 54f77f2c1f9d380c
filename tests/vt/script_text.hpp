// SPDX-License-Identifier: Apache-2.0
// The small languages inside a script line: quoted strings with escapes, repetition and
// concatenation; lists of numbers.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::test {

// "a\e[m" . "x" x 3  ->  bytes; nullopt when it cannot be read.
std::optional<std::string> parse_bytes(std::string_view text);

// 0x41,0x301  ->  numbers; an empty text is an empty list.
std::optional<std::vector<unsigned>> parse_numbers(std::string_view text);

std::string_view trim(std::string_view text);

// "a = b" -> {a, b}; `b` is empty when there is no "=".
std::pair<std::string_view, std::string_view> split_at(std::string_view text, char separator);

std::vector<std::string_view> words_of(std::string_view text);

std::string to_utf8(const std::vector<unsigned>& points);

}  // namespace sworn::test
