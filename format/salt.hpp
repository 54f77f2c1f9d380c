// SPDX-License-Identifier: Apache-2.0
// Salts of the events of one chunk, derived from one seed by a GGM tree (Goldreich, Goldwasser,
// Micali 1986; for redactable signatures: Chang, Lim, Xu, CT-RSA 2009): left = SHA256(0x10 | node),
// right = SHA256(0x11 | node); salt j is leaf j at depth ceil(log2 n). A redacted copy hands out
// the nodes that cover what was kept instead of the seed, so that the salt of a removed event
// cannot be derived. docs/format.md, "Salts".
#pragma once

#include "base/result.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sworn::format {

using Seed = Digest;

// All n salts, in order. n >= 1.
void derive_salts(const Seed& seed, std::uint32_t n, std::vector<Digest>& salts);

// `removed[j]`: event j is redacted. `nodes`: the maximal subtrees without a removed event, left to
// right. Salts of removed events stay all zero. Errc::corrupt where the nodes do not fit the
// removed set.
Result<void> derive_punctured_salts(std::span<const Digest> nodes, const std::vector<bool>& removed,
                                    std::vector<Digest>& salts);

// The cover for `removed`, from the cover for `removed_before` (nothing removed: the seed alone).
// What was removed before must be removed still.
Result<std::vector<Digest>> puncture(std::span<const Digest> nodes,
                                     const std::vector<bool>& removed_before,
                                     const std::vector<bool>& removed);

}  // namespace sworn::format
