// SPDX-License-Identifier: Apache-2.0
#include "format/merkle.hpp"

#include "format/constants.hpp"
#include "format/digest.hpp"

#include <bit>
#include <cstring>

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

// A node without a sibling goes up as it is: that gives the tree of RFC 9162, whose left subtrees
// are the largest complete ones, level by level and so two nodes at a time.
Digest merkle_root_in_place(std::span<Digest> nodes) {
  if (nodes.empty()) {
    return sha256({});
  }
  TwoMessages<65> two;
  two.a()[0] = two.b()[0] = static_cast<std::byte>(k_hash_node);
  while (nodes.size() > 1) {
    const std::size_t parents = nodes.size() / 2;
    for (std::size_t i = 0; i < parents; i += 2) {
      Digest unwanted;
      const bool both = i + 1 < parents;
      std::memcpy(two.a() + 1, nodes[2 * i].data(), 2 * sizeof(Digest));
      std::memcpy(two.b() + 1, nodes[2 * (both ? i + 1 : i)].data(), 2 * sizeof(Digest));
      two.hash(nodes[i], both ? nodes[i + 1] : unwanted);
    }
    if (nodes.size() % 2 != 0) {
      nodes[parents] = nodes.back();
    }
    nodes = nodes.first(parents + nodes.size() % 2);
  }
  return nodes.front();
}

Digest merkle_root(std::span<const Digest> leaf_hashes) {
  std::vector<Digest> nodes(leaf_hashes.begin(), leaf_hashes.end());
  return merkle_root_in_place(nodes);
}

}  // namespace sworn::format
