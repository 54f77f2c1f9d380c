// SPDX-License-Identifier: Apache-2.0
#include "format/merkle.hpp"

#include "format/digest.hpp"

#include <bit>

namespace sworn::format {

void MerkleTree::add(const Digest& leaf_hash) {
  complete_.push_back(leaf_hash);
  // Each trailing one bit of the old size is a complete subtree as large as the one just finished.
  for (std::uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1U) {
    const Digest right = complete_.back();
    complete_.pop_back();
    complete_.back() = hash_node(complete_.back(), right);
  }
  ++size_;
}

Digest MerkleTree::root() const {
  if (complete_.empty()) {
    return sha256({});
  }
  Digest root = complete_.back();
  for (std::size_t i = complete_.size() - 1; i-- > 0;) {
    root = hash_node(complete_[i], root);
  }
  return root;
}

std::optional<MerkleTree> MerkleTree::from_frontier(std::uint64_t size,
                                                    std::vector<Digest> frontier) {
  if (frontier.size() != static_cast<std::size_t>(std::popcount(size))) {
    return std::nullopt;
  }
  MerkleTree out;
  out.size_ = size;
  out.complete_ = std::move(frontier);
  return out;
}

Digest merkle_root(std::span<const Digest> leaf_hashes) {
  MerkleTree tree;
  for (const auto& leaf : leaf_hashes) {
    tree.add(leaf);
  }
  return tree.root();
}

}  // namespace sworn::format
