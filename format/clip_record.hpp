// SPDX-License-Identifier: Apache-2.0
// The two records of a clip that a session does not have. docs/ledger.md, "Clips".
#pragma once

#include "format/clip.hpp"
#include "format/ledger_chain.hpp"

#include <vector>

namespace sworn::format {

// The preamble has the form of a ledger's: magic, version, crc, file id.
Bytes encode_clip_preamble(const FileId& id);
Result<FileId> decode_clip_preamble(ByteView bytes);

struct ClipNote {
  ClipRange range;
  WallTime made;
  Bytes preamble;  // of the session, 32 bytes
};
Bytes encode(const ClipNote& note);
Result<ClipNote> decode_clip_note(ByteView body);

// That entries are in the ledger with this checkpoint.
struct ClipProof {
  LedgerId ledger{};
  Digest genesis{};
  std::string checkpoint_key;  // vkey
  std::string checkpoint;      // a note
  struct Entry {
    std::uint64_t index = 0;
    Bytes entry;  // as stored
    MerkleProof path;
  };
  std::vector<Entry> entries;  // genesis, opening, furthest mark
};
Bytes encode(const ClipProof& proof);
Result<ClipProof> decode_clip_proof(ByteView body);

}  // namespace sworn::format
