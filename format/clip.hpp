// SPDX-License-Identifier: Apache-2.0
// A clip: the events of a part of a session with everything that proves them, in one file that
// verifies offline. It is the session with records left out: all seals stay, chunks outside of the
// range go, events of the first and last chunk that lie outside become commitments as in a redacted
// copy. Proofs from the ledger may follow. docs/ledger.md, "Clips". Reading takes hostile bytes.
#pragma once

#include "base/clock.hpp"
#include "base/file.hpp"
#include "format/anchors.hpp"
#include "format/event.hpp"
#include "format/evidence.hpp"
#include "format/merkle_proof.hpp"
#include "format/session_header.hpp"
#include "format/trust.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sworn::format {

inline constexpr std::array<std::uint8_t, 8> k_clip_magic{0x89, 'S',  'W',  'C',
                                                          0x0D, 0x0A, 0x1A, 0x0A};
inline constexpr std::uint8_t k_clip_major = 0;
inline constexpr std::uint8_t k_clip_note_record = 0x22;   // first: what the clip is of
inline constexpr std::uint8_t k_clip_proof_record = 0x21;  // last: entries of the ledger

struct ClipRange {
  MonoTime from;  // record time, as events have it
  MonoTime to;
};

struct ClipTotals {
  std::uint64_t chunks = 0;
  std::uint64_t events = 0;  // shown
  std::uint64_t hidden = 0;  // outside of the range, in the same chunks
  std::uint64_t seals = 0;
  std::uint64_t proofs = 0;
};

// `session` must verify up to the end of the range; encrypted and redacted events stay as they are.
// `ledger` may be null, or its entries and a checkpoint (a note, cosigned or not) of a size that is
// in them. Errc::bad_usage: the range holds no sealed event; unsupported: an encrypted session.
struct ClipLedger {
  const ReadFile* entries = nullptr;
  std::string checkpoint;
};
Result<ClipTotals> make_clip(const ReadFile& session, const ClipRange& range,
                             const ClipLedger* ledger, WallTime now, AppendFile& out);

bool is_clip(const ReadFile& file);

struct ClipReport {
  Standing standing = Standing::tampered;
  std::optional<SessionHeader> header;
  ClipRange range;
  bool covers_range = false;  // no event of the range can be missing
  bool closed = false;        // the session's end is proven, too
  ClipTotals totals;
  std::optional<WallTime> first_time;  // of the first and last valid seal
  std::optional<WallTime> last_time;
  LedgerTrust trust = LedgerTrust::none;
  std::string origin;                   // of the ledger
  std::optional<std::uint64_t> opened;  // entry numbers that are proven
  std::optional<std::uint64_t> marked;  // the entry with the furthest mark
  std::vector<AnchorReport> anchors;
  std::vector<Finding> findings;
  std::vector<Event> events;  // of the range, for showing
};

// Only I/O trouble, and a file that is no clip, is an Error. `trust` may be null.
Result<ClipReport> verify_clip(const ReadFile& clip, const TrustStore* trust);

}  // namespace sworn::format
