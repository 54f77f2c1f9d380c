// SPDX-License-Identifier: Apache-2.0
#include "format/salt.hpp"

#include "format/constants.hpp"
#include "format/digest.hpp"

#include <cstring>

namespace sworn::format {
namespace {

Digest child(std::uint8_t prefix, const Digest& node) {
  std::array<std::byte, 33> message;
  message[0] = static_cast<std::byte>(prefix);
  std::memcpy(message.data() + 1, node.data(), node.size());
  return sha256_short(message);
}

}  // namespace

void derive_salts(const Seed& seed, std::uint32_t n, std::vector<Digest>& salts) {
  salts.assign(1, seed);
  std::uint32_t width = 1;
  while (width < n) {
    width *= 2;
  }
  // Level by level in place, from the right, and only the nodes that have a wanted leaf below them.
  for (std::uint32_t span = width / 2; span >= 1; span /= 2) {
    const std::size_t parents = salts.size();
    const std::size_t children = (static_cast<std::size_t>(n) + span - 1) / span;
    salts.resize(children);
    for (std::size_t i = parents; i-- > 0;) {
      const Digest node = salts[i];
      if (2 * i + 1 < children) {
        salts[2 * i + 1] = child(k_hash_salt_right, node);
      }
      if (2 * i < children) {
        salts[2 * i] = child(k_hash_salt_left, node);
      }
    }
  }
}

}  // namespace sworn::format
