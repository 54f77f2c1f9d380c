// SPDX-License-Identifier: Apache-2.0
// RFC 9162 (section 2.1.1) Merkle trees over leaves that are already hashed. Incremental: the tree
// keeps one root per complete subtree (at most 64), not the leaves.
#pragma once

#include "format/session_header.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sworn::format {

class MerkleTree {
 public:
  void add(const Digest& leaf_hash);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  // Of an empty tree: SHA-256 of the empty string.
  [[nodiscard]] Digest root() const;

  // The state, for a tree that goes on later: roots of the complete subtrees, largest first.
  [[nodiscard]] const std::vector<Digest>& frontier() const { return complete_; }
  // nullopt where a tree of this size has another number of complete subtrees.
  static std::optional<MerkleTree> from_frontier(std::uint64_t size, std::vector<Digest> frontier);

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> complete_;  // roots of the complete subtrees, largest first
};

Digest merkle_root(std::span<const Digest> leaf_hashes);
// The same, faster than a MerkleTree; the leaves are gone afterwards.
Digest merkle_root_in_place(std::span<Digest> leaf_hashes);

}  // namespace sworn::format
