// SPDX-License-Identifier: Apache-2.0
// C2SP checkpoints: the signed statement "the ledger of this origin has this size and this root",
// and the timestamped cosignatures (cosignature/v1) of witnesses that saw it grow consistently.
// docs/ledger.md, "Checkpoint".
#pragma once

#include "base/clock.hpp"
#include "format/note.hpp"

#include <cstdint>
#include <optional>
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

// A checkpoint as one line of a system log, which a log host keeps out of our reach:
//   sworn-checkpoint ORIGIN SIZE ROOT SIGNATURE
// ROOT in base64, SIGNATURE as in the line of a note: base64 of key id and signature. The whole
// note can be made from it, because the name of the key is the origin.
inline constexpr std::string_view k_checkpoint_line = "sworn-checkpoint ";
// Errc::bad_usage where the note has extensions or is not signed under its origin.
Result<std::string> checkpoint_line(std::string_view note);
// The note of a line that holds one somewhere ("Nov 27 08:00:00 db-07 sworn[1]: sworn-checkpoint
// ..."); nullopt where it holds none. Nothing is verified.
std::optional<std::string> note_of_line(std::string_view line);

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
