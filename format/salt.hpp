// SPDX-License-Identifier: Apache-2.0
// Salts of the events of one chunk, derived from one seed by a GGM tree (Goldreich, Goldwasser,
// Micali 1986; for redactable signatures: Chang, Lim, Xu, CT-RSA 2009): left = SHA256(0x10 | node),
// right = SHA256(0x11 | node); salt j is leaf j at depth ceil(log2 n). A redacted copy hands out
// the siblings on the path of a removed event instead of the seed, so that its salt cannot be
// derived.
#pragma once

#include "format/session_header.hpp"

#include <cstdint>
#include <vector>

namespace sworn::format {

using Seed = Digest;

// All n salts, in order. n >= 1.
void derive_salts(const Seed& seed, std::uint32_t n, std::vector<Digest>& salts);

}  // namespace sworn::format
