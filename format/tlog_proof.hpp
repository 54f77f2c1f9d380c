// SPDX-License-Identifier: Apache-2.0
// C2SP tlog-proof: one ledger entry with its path to a checkpoint, as text that public tools check.
// The entry itself travels in the "extra" line; it is authenticated by the path.
#pragma once

#include "format/merkle_proof.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::format {

struct TlogProof {
  Bytes entry;
  std::uint64_t index = 0;
  MerkleProof path;
  std::string checkpoint;  // a note
};
std::string encode(const TlogProof& proof);
// Errc::corrupt where it is none. Nothing is verified.
Result<TlogProof> parse_tlog_proof(std::string_view text);

}  // namespace sworn::format
