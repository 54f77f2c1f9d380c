// SPDX-License-Identifier: Apache-2.0
// Texts for a terminal. Pure; widths count bytes, which is right for the ASCII that we write
// ourselves and safe (lines come out shorter) for the rest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::cli {

// Words of `text` in lines of at most `width`, each after `indent` blanks; ends with a line feed. A
// word that is longer than a line stays whole.
std::string wrap(std::string_view text, std::size_t indent, std::size_t width);

// "LABEL   text", the label `column` wide, wrapped at 100 with the text hanging. `text` is escaped
// first.
std::string labelled(std::string_view label, std::string_view text, std::size_t column);

std::string grouped(std::uint64_t n);  // "12,345"
std::string count(std::uint64_t n, std::string_view one,
                  std::string_view many);      // "1 seal", "2 seals"
std::string human_bytes(std::uint64_t bytes);  // "1.2 MiB"

}  // namespace sworn::cli
