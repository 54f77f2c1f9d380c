// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the nearest of some names by edit distance.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace sworn::cli {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

// nullopt where nothing is near enough to be a slip (at most 2 edits, and fewer than half of the
// letters), or where `word` is longer than 64 bytes.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> names);

}  // namespace sworn::cli
