// SPDX-License-Identifier: Apache-2.0
// The RECOVERED record of salvaged copies: what lay behind the last valid seal, signed by the
// salvager under a domain of its own. It says what was found, not that it is true. docs/format.md,
// "RECOVERED".
#pragma once

#include "base/clock.hpp"
#include "format/chunk.hpp"
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

struct Recovered {
  RecoveredNote note;
  std::vector<Event> events;
  bool signature_holds = false;
};

// `events`: consecutive numbers, at most k_max_chunk_events of them, and about 512 KiB of data a
// record. None: the note alone, so that every salvaged copy says that it is one.
Result<Bytes> encode_recovered(const FileId& id, const RecoveredNote& note, const SigningKey& key,
                               std::span<const EventView> events, Entropy& entropy);
// The chunk body in it, unchecked; empty where the record is a note alone.
Result<ByteView> recovered_events_part(ByteView body);
Result<Recovered> decode_recovered(const FileId& id, ByteView body);

}  // namespace sworn::format
