// SPDX-License-Identifier: Apache-2.0
// A seal signs the tree over all records so far with a one-time key and announces the next key. It
// carries the leaves it adds, so that a damaged record is named and the seals behind it still hold.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/constants.hpp"
#include "format/sign.hpp"

#include <cstdint>
#include <vector>

namespace sworn::format {

struct Seal {
  std::uint32_t seal_no = 0;
  std::uint16_t flags = 0;
  MonoTime t;
  WallTime wall;
  PublicKey next_key{};  // all zero in the final seal
  Signature signature{};
  std::vector<Digest> leaves;  // of the records since the last seal
  [[nodiscard]] bool final() const { return (flags & k_seal_final) != 0; }
};
inline constexpr std::size_t k_max_seal_leaves = 65'535;

void append_seal(Bytes& out, const Seal& seal);
Result<Seal> decode_seal(ByteView body);

// What the signature covers: domain, file id, number, flags, leaf count, tree size and root, both
// times and the next key.
Bytes seal_message(const FileId& id, const Seal& seal, std::uint64_t tree_size, const Digest& root);

}  // namespace sworn::format
