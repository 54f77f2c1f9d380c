// SPDX-License-Identifier: Apache-2.0
// The RECOVERED record of salvaged copies: what lay behind the last valid seal, signed by the
// salvager under a domain of its own. It says what was found, not that it is true. docs/format.md,
// "RECOVERED".
#pragma once

#include "base/clock.hpp"
#include "format/chunk.hpp"
#include "format/session_key.hpp"
#include "format/session_writer.hpp"
#include "format/sign.hpp"

#include <string>
#include <vector>

namespace sworn::format {

struct RecoveredNote {
  Digest source_digest{};  // SHA-256 of the whole source file
  Digest tail_digest{};    // of the tail file; all zero without one
  std::string reason;
  WallTime when;
  PublicKey key{};  // made for this salvage, kept by nobody
};

// `events`: consecutive numbers, at most k_max_chunk_events of them, and about 512 KiB of data a
// record. None: the note alone, so that every salvaged copy says that it is one.
Result<Bytes> encode_recovered(const FileId& id, const RecoveredNote& note, const SigningKey& key,
                               std::span<const EventView> events, Entropy& entropy);
// What it holds behind the note. Of an encrypted session the ciphertext is carried over as it
// stood, so that a salvage needs no key and no nonce is used twice.
enum class RecoveredContent : std::uint8_t {
  events,  // a chunk body of its own group; empty where the record is a note alone
  chunk,   // the body of an encrypted chunk of the source
  tail,    // entries of an encrypted tail
};
struct RecoveredPart {
  RecoveredContent content = RecoveredContent::events;
  ByteView bytes;
};
Result<RecoveredPart> recovered_part(ByteView body);  // unchecked
Result<Bytes> encode_carried(const FileId& id, const RecoveredNote& note, const SigningKey& key,
                             RecoveredContent content, ByteView part);

// Entry of an encrypted tail, as it stands there.
struct SealedTailEntry {
  std::uint64_t generation = 0;
  std::uint64_t number = 0;
  Bytes sealed;
};
void append_carried(Bytes& part, const SealedTailEntry& entry);
Result<std::vector<SealedTailEntry>> decode_carried_tail(ByteView part);
// Errc::bad_seal where it does not open or makes no sense.
Result<Event> open_tail_entry(TailKey& key, const SealedTailEntry& entry);

struct Recovered {
  RecoveredNote note;
  RecoveredContent content = RecoveredContent::events;
  std::vector<Event> events;
  std::uint64_t first_event = 0;  // valid where n_events > 0
  std::uint64_t n_events = 0;
  bool signature_holds = false;
};

// Events are given where they can be read without a key; else only their numbers and the note.
Result<Recovered> decode_recovered(const FileId& id, ByteView body);

}  // namespace sworn::format
