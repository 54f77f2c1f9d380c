// SPDX-License-Identifier: Apache-2.0
#include "format/merkle_proof.hpp"

#include "format/digest.hpp"
#include "format/merkle.hpp"

#include <algorithm>
#include <bit>

namespace sworn::format {
namespace {

// The size of the left subtree: the largest power of two below n. n >= 2.
std::uint64_t split_of(std::uint64_t n) {
  return std::bit_floor(n - 1);
}

}  // namespace

// From the root down; the standard counts from the leaf up.
Result<MerkleProof> inclusion_proof(std::span<const Digest> leaves, std::uint64_t index) {
  if (index >= leaves.size()) {
    return fail(Errc::bad_usage, "no such leaf in the tree");
  }
  MerkleProof proof;
  while (leaves.size() > 1) {
    const std::uint64_t split = split_of(leaves.size());
    if (index < split) {
      proof.push_back(merkle_root(leaves.subspan(split)));
      leaves = leaves.first(split);
    } else {
      proof.push_back(merkle_root(leaves.first(split)));
      leaves = leaves.subspan(split);
      index -= split;
    }
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

Result<MerkleProof> consistency_proof(std::span<const Digest> leaves, std::uint64_t old_size) {
  if (old_size == 0 || old_size > leaves.size()) {
    return fail(Errc::bad_usage, "the older tree must have between one leaf and all of them");
  }
  MerkleProof proof;
  bool whole_old_tree =
      true;  // the subtree that is left is the whole older tree: its root is known
  while (old_size != leaves.size()) {
    const std::uint64_t split = split_of(leaves.size());
    if (old_size <= split) {
      proof.push_back(merkle_root(leaves.subspan(split)));
      leaves = leaves.first(split);
    } else {
      proof.push_back(merkle_root(leaves.first(split)));
      leaves = leaves.subspan(split);
      old_size -= split;
      whole_old_tree = false;
    }
  }
  if (!whole_old_tree) {
    proof.push_back(merkle_root(leaves));
  }
  std::reverse(proof.begin(), proof.end());
  return proof;
}

// RFC 9162, 2.1.3.2.
Result<Digest> root_from_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                                   std::span<const Digest> proof) {
  if (index >= size) {
    return fail(Errc::bad_seal, "the proof is for a leaf that the tree does not have");
  }
  std::uint64_t place = index;
  std::uint64_t last = size - 1;
  Digest root = leaf;
  for (const auto& sibling : proof) {
    if (last == 0) {
      return fail(Errc::bad_seal, "the proof is longer than the tree is high");
    }
    if ((place & 1U) != 0 || place == last) {
      root = hash_node(sibling, root);
      while ((place & 1U) == 0 && place != 0) {  // levels where this subtree has no sibling
        place >>= 1U;
        last >>= 1U;
      }
    } else {
      root = hash_node(root, sibling);
    }
    place >>= 1U;
    last >>= 1U;
  }
  if (last != 0) {
    return fail(Errc::bad_seal, "the proof is shorter than the tree is high");
  }
  return root;
}

bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                      std::span<const Digest> proof, const Digest& root) {
  const auto found = root_from_inclusion(index, size, leaf, proof);
  return found && *found == root;
}

// RFC 9162, 2.1.4.2.
bool verify_consistency(std::uint64_t old_size, std::uint64_t new_size, const Digest& old_root,
                        const Digest& new_root, std::span<const Digest> proof) {
  if (old_size == new_size) {
    return proof.empty() && old_root == new_root;
  }
  if (old_size == 0 || old_size > new_size) {
    return false;
  }
  // An older tree that is complete is itself the first node: the proof leaves it out.
  const bool complete = std::has_single_bit(old_size);
  if (proof.empty()) {
    return false;
  }
  const Digest first = complete ? old_root : proof.front();
  const auto rest = complete ? proof : proof.subspan(1);
  std::uint64_t place = old_size - 1;
  std::uint64_t last = new_size - 1;
  while ((place & 1U) != 0) {
    place >>= 1U;
    last >>= 1U;
  }
  Digest old_found = first;
  Digest new_found = first;
  for (const auto& node : rest) {
    if (last == 0) {
      return false;
    }
    if ((place & 1U) != 0 || place == last) {
      old_found = hash_node(node, old_found);
      new_found = hash_node(node, new_found);
      while ((place & 1U) == 0 && place != 0) {
        place >>= 1U;
        last >>= 1U;
      }
    } else {
      new_found = hash_node(new_found, node);
    }
    place >>= 1U;
    last >>= 1U;
  }
  return last == 0 && old_found == old_root && new_found == new_root;
}

}  // namespace sworn::format
