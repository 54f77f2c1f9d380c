// SPDX-License-Identifier: Apache-2.0
// What is proven about a session file, as three answers that are never folded into one "OK":
// integrity (what is sealed is unchanged), completeness (what is missing, open or lost), identity
// (whose key). Takes hostile bytes; bounded memory. docs/format.md, "Verification".
#pragma once

#include "base/file.hpp"
#include "format/event.hpp"
#include "format/key_ring.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sworn::format {

enum class Verdict : std::uint8_t {
  self_consistent,    // every record sealed, closed, signer not pinned
  incomplete,         // a valid sealed prefix only: open, crashed, or an unsealed tail behind it
  unsealed,           // not one valid seal
  redaction_refused,  // intact, but events were removed by somebody whom neither header nor
                      // verifier names
  locked,             // a redacted copy of an encrypted session: what it holds cannot be compared
                      // with what was sealed, for want of its key
  tampered,           // something sealed was changed, removed, reordered or replaced
  unsupported,        // a version or a critical record that this build does not know
};
std::string_view name_of(Verdict verdict);  // "SELF-CONSISTENT", "INCOMPLETE", ...

// 0 policy met, 2 valid prefix only, 3 tampered, 4 unsealed, 5 redaction refused, 6 unsupported (1:
// I/O or usage).
int exit_status_of(Verdict verdict);

enum class Severity : std::uint8_t { note, warning, failure };

struct Finding {
  Severity severity = Severity::note;
  std::string
      code;  // stable, for scripts: "bad_signature", "chunk_root_mismatch", "index_damaged", ...
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::string text;
};

// What a redacted copy says of itself, signature checked.
struct RedactionInfo {
  std::string actor;
  std::string reason;
  WallTime when;
  std::uint64_t events = 0;  // removed up to and including this redaction
  PublicKey key{};
  Digest source_digest{};
  bool named = false;  // by the signed header, or trusted by the verifier
};

// Of an encrypted session.
enum class EventAccess : std::uint8_t {
  clear,   // the session is not encrypted
  opened,  // every event was decrypted and held against its leaf
  locked,  // seals and ciphertext were checked, events were not: no key
};

struct VerifyReport {
  Verdict verdict = Verdict::unsealed;
  EventAccess access = EventAccess::clear;
  std::string locked_reason;            // where access is locked
  std::vector<std::string> recipients;  // whom the recorder encrypted it to; signed
  std::uint64_t rewritten_chunks = 0;   // encrypted anew by a redaction
  std::optional<SessionHeader> header;
  std::uint64_t records = 0;
  std::uint64_t chunks = 0;
  std::uint64_t events = 0;        // in sealed chunks
  std::uint64_t seals = 0;         // valid ones
  std::uint64_t sealed_bytes = 0;  // file offset up to which everything is sealed
  std::uint64_t file_bytes = 0;
  std::uint64_t unsealed_records = 0;  // well-formed records behind the last valid seal
  std::uint64_t unsealed_bytes = 0;
  std::uint64_t gaps = 0;  // gap events in the sealed part
  std::uint64_t hidden_inputs = 0;
  std::uint64_t late_bytes = 0;    // output after the final drain, counted in END
  MonoTime max_silence;            // longest time without a seal
  std::int64_t clock_back_us = 0;  // furthest that the wall clock went back between two seals
  bool closed = false;             // END and final seal
  std::uint64_t redacted_events = 0;
  std::vector<RedactionInfo> redactions;  // oldest first
  bool recovered = false;                 // a salvaged copy: RECOVERED is never counted as sealed
  Digest recovered_from{};                // SHA-256 of the file that it was made from
  std::optional<WallTime> first_time;     // of the first and last valid seal
  std::optional<WallTime> sealed_until;
  std::optional<WallTime> good_until;  // tampered: of the last valid seal before the first fault
  PublicKey first_key{};
  Digest root{};                  // of the last valid seal
  std::uint64_t tree_size = 0;    // records under that root
  std::vector<Finding> findings;  // worst first, then in the order of the file; at most 1,000
  std::uint64_t findings_left_out = 0;
};

// `progress(done, total)` in bytes; may be empty. Only I/O trouble is an Error (and a file that is
// no session file: Errc::bad_usage); everything that the bytes can say is in the report. A file
// that grows meanwhile is checked as it was at the call.
using Progress = std::function<void(std::uint64_t, std::uint64_t)>;
struct VerifyOptions {
  std::vector<PublicKey> trusted_redactors;  // beside those that the header names
  // For the events of an encrypted session; null: none.
  const KeyRing* keys = &KeyRing::of_process();
};
Result<VerifyReport> verify(const ReadFile& file, const Progress& progress = {},
                            const VerifyOptions& options = {});

}  // namespace sworn::format
