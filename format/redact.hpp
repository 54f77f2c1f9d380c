// SPDX-License-Identifier: Apache-2.0
// A redacted copy: chosen events are replaced by their commitments, every seal of the recorder
// still holds, and a REDACTION record behind the final seal says who removed how much and why,
// signed by a redactor whom the header names (or the verifier trusts). Nothing of a removed event
// is left: no byte, no length, no hash that could be tried against candidates (its salt cannot be
// derived from the copy). docs/format.md, "REDACTION". The source is opened read-only and never
// changed.
#pragma once

#include "base/clock.hpp"
#include "base/file.hpp"
#include "format/digest.hpp"
#include "format/key_ring.hpp"
#include "format/sign.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace sworn::format {

struct RedactionNote {
  Digest source_digest{};  // SHA-256 of the file that was redacted; holds 256 random bits a chunk
  std::string actor;
  std::string reason;
  WallTime when;
  std::uint64_t events = 0;  // removed in this copy, earlier redactions included
  Digest list_digest{};  // over number, commitment and replacement of every removed event, in order
  PublicKey key{};
  // Of an encrypted session: SHA-256 of the KEY_BOX record behind its signed part, and
  // StoredList::finish() over all chunks, which the redactor encrypted anew.
  std::optional<Digest> key_box_digest;
  std::optional<Digest> stored_digest;
};

Result<Bytes> encode_redaction(const FileId& file_id, const RedactionNote& note,
                               const SigningKey& key);
struct DecodedRedaction {
  RedactionNote note;
  bool signature_holds = false;
};
Result<DecodedRedaction> decode_redaction(const FileId& file_id, ByteView body);

// Running digest over removed events, the same in redact() and verify().
class RedactionList {
 public:
  RedactionList();
  ~RedactionList();
  RedactionList(const RedactionList&) = delete;
  RedactionList& operator=(const RedactionList&) = delete;
  void add(std::uint64_t number, ByteView commitment, ByteView replacement);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Digest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::uint64_t count_ = 0;
};

// Running digest over what a redaction stored, the same in redact() and verify().
class StoredList {
 public:
  void add(std::uint32_t chunk_no, const Digest& stored);
  [[nodiscard]] Digest finish() { return hash_.finish(); }

 private:
  Sha256 hash_;
};

struct RedactReport {
  std::uint64_t removed_now = 0;
  std::uint64_t removed_before = 0;
  std::uint64_t chunks_touched = 0;
};

// event number -> what to show in its place (may be empty; for structured kinds a payload of the
// same form).
using Replacements = std::map<std::uint64_t, Bytes>;

struct RedactRequest {
  const Replacements* replacements = nullptr;
  const SigningKey* redactor = nullptr;
  std::string actor;
  std::string reason;
  // An encrypted session: what opens it, and whom the copy, under a key of its own, is for. No
  // recipients: the copy is in clear.
  const KeyRing* keys = nullptr;
  const RecipientGroups* recipients = nullptr;
  std::function<void(std::uint64_t done, std::uint64_t total)> progress;  // in bytes; may be empty
};

// Only closed sessions that verify; Errc::bad_usage otherwise, and where nothing is to be removed;
// locked where no key opens it.
Result<RedactReport> redact(const ReadFile& source, const RedactRequest& request, Clock& clock,
                            Entropy& entropy, AppendFile& out);

// The same for a session in clear.
Result<RedactReport> redact(const ReadFile& source, const Replacements& replacements,
                            const SigningKey& redactor, const std::string& actor,
                            const std::string& reason, Clock& clock, AppendFile& out);

}  // namespace sworn::format
