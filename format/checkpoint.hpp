// SPDX-License-Identifier: Apache-2.0
// C2SP checkpoints: the signed statement "the ledger of this origin has this size and this root",
// and the timestamped cosignatures (cosignature/v1) of witnesses that saw it grow consistently.
// docs/ledger.md, "Checkpoint".
#pragma once

#include "base/clock.hpp"
#include "format/note.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::format {

struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Digest root{};
  std::vector<std::string> extensions;
  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

std::string encode(const Checkpoint& checkpoint);  // the text of the note
Result<Checkpoint> parse_checkpoint_text(std::string_view text);

// The note with the log's own signature.
Result<Note> sign_checkpoint(const Checkpoint& checkpoint, std::string_view key_name,
                             const SigningKey& key);

struct Cosignature {
  std::string witness;
  WallTime when;  // whole seconds, the witness's clock
};
// What a witness makes; for tests and for a witness of one's own.
Result<NoteSignature> cosign(std::string_view checkpoint_text, std::string_view witness_name,
                             const SigningKey& key, WallTime when);
// Errc::bad_seal where it does not hold.
Result<Cosignature> verify_cosignature(std::string_view checkpoint_text,
                                       const NoteSignature& signature, const NoteKey& witness);

// A checkpoint that its log signed, and who of `witnesses` saw it. Errc::bad_seal: the log's
// signature is missing, or that of any known key does not hold; corrupt: not a checkpoint, or one
// of another origin.
struct OpenedCheckpoint {
  Checkpoint checkpoint;
  std::vector<Cosignature> cosignatures;
};
Result<OpenedCheckpoint> open_checkpoint(std::string_view note, const NoteKey& log,
                                         std::string_view origin,
                                         std::span<const NoteKey> witnesses = {});

}  // namespace sworn::format
