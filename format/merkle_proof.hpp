// SPDX-License-Identifier: Apache-2.0
// Proofs over RFC 9162 trees: that a leaf is in a tree (section 2.1.3), and that a larger tree only
// appends to a smaller one (section 2.1.4). Pure; the verifying side takes hostile bytes and costs
// at most 64 hashes beyond the length of the proof, whatever the sizes claim.
#pragma once

#include "base/result.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sworn::format {

using MerkleProof = std::vector<Digest>;  // from the leaf's sibling towards the root

// `leaves`: all leaf hashes of the tree. Errc::bad_usage where `index` is not in it.
Result<MerkleProof> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index);
// From the tree over the first `old_size` leaves to the tree over all. Errc::bad_usage where
// old_size is 0 or more than there are.
Result<MerkleProof> consistency_proof(std::span<const Digest> leaves, std::uint64_t old_size);

// The root that the proof leads to from this leaf; Errc::bad_seal where the proof has the wrong
// length or the index is not in a tree of that size.
Result<Digest> root_from_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                                   std::span<const Digest> proof);

bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                      std::span<const Digest> proof, const Digest& root);

// Equal sizes: equal roots and an empty proof. Everything is consistent with an empty older tree,
// so a proof from it would prove nothing and is refused.
bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size, const Digest& old_root,
                        const Digest& new_root, std::span<const Digest> proof);

}  // namespace sworn::format
