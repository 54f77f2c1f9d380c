// SPDX-License-Identifier: Apache-2.0
// A session file held against the ledger of its host and against what the verifier trusts: whether
// it is the session that the ledger knows, whether something of it is missing, and whether the
// ledger itself is the one that was seen before. Adds to a VerifyReport, never softens it. Takes
// hostile bytes.
#pragma once

#include "format/ledger_verify.hpp"
#include "format/trust.hpp"
#include "format/verify.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sworn::format {

// In the order of gravity; the worst of several wins.
enum class LedgerVerdict : std::uint8_t {
  ledgered,       // opened and closed in the ledger with this content
  not_claimed,    // the session names no ledger, and this one does not know it
  incomplete,     // in the ledger and consistent with it so far, but not closed there
  unpinned,       // nobody vouches for this ledger: policy decides
  not_in_ledger,  // it should be in this ledger and is not
  truncated,      // the ledger saw more of it than the file holds
  tampered,       // the ledger saw another history
  rollback,       // the ledger itself is older than, or another than, the one seen before
  broken,         // the ledger does not hold
};
std::string_view name_of(LedgerVerdict verdict);  // "LEDGERED", "TRUNCATED", "LEDGER-BROKEN", ...
int exit_status_of(LedgerVerdict verdict);        // as exit_status_of(Verdict)

// How the verifier knows this ledger.
enum class LedgerTrust : std::uint8_t {
  none,       // no trust store, or not in it
  first_use,  // in it, taken over when it was first presented
  pinned,     // in it, vouched for by the administrator
};
std::string_view name_of(LedgerTrust trust);

struct LedgeredReport {
  LedgerVerdict verdict = LedgerVerdict::broken;
  LedgerTrust trust = LedgerTrust::none;
  LedgerReport ledger;
  std::optional<std::uint64_t> opened;  // entry numbers
  std::optional<std::uint64_t> closed;
  std::uint64_t marks = 0;               // heartbeats and others that were compared
  std::optional<SessionMark> last_mark;  // the furthest that the ledger saw
  std::vector<Finding> findings;         // of the comparison; the ledger's own are in `ledger`
};

struct LedgerPolicy {
  bool require_pin = false;          // unpinned (4) where nobody vouches for the ledger
  std::vector<std::uint64_t> sizes;  // trees whose roots are wanted in LedgerReport::roots
};

// `trust` may be null. Only I/O trouble is an Error.
Result<LedgeredReport> verify_with_ledger(const ReadFile& session, const VerifyReport& report,
                                          const ReadFile& ledger, const TrustStore* trust,
                                          const LedgerPolicy& policy = {});

// Without any ledger at hand: a session of a host that seals its sessions must name one.
std::optional<Finding> missing_ledger_claim(const VerifyReport& report, const TrustStore& trust);

// Sessions that the ledger opened and of which no file is present (deleted by retention is not
// missing).
struct MissingSession {
  FileId file_id{};
  const LedgerSessionFacts* facts = nullptr;
};
std::vector<MissingSession> missing_sessions(const LedgerReport& ledger,
                                             std::span<const FileId> present);

// What to remember after verify_with_ledger() or verify_ledger() (with the seen size among the
// sizes that it was asked for). The first time it becomes a first-use pin; Errc::bad_seal where it
// contradicts the store (then nothing is changed).
Result<void> remember_ledger(TrustStore& trust, const LedgerReport& ledger, std::string name,
                             WallTime now);

}  // namespace sworn::format
