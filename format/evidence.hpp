// SPDX-License-Identifier: Apache-2.0
// Everything that is known about one session file, put together into one standing: the file alone,
// its ledger, what others say of that ledger, and what the verifier trusts and wants. The three
// answers (integrity, completeness, identity) stay apart in the parts; the standing is the worst of
// what they say. docs/ledger.md, "Standing". Takes hostile bytes.
#pragma once

#include "format/anchors.hpp"
#include "format/verify.hpp"
#include "format/verify_with_ledger.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::format {

// In the order of gravity; the worst of several wins.
enum class Standing : std::uint8_t {
  intact_anchored,    // in its ledger from beginning to end, and others saw that
  intact_ledgered,    // in its ledger from beginning to end
  self_consistent,    // sealed and closed; no ledger was there to say that it is the whole of it
  clock_anomaly,      // unchanged, but its times cannot be believed
  incomplete,         // a valid prefix
  unpinned,           // the policy wants somebody who vouches, and nobody does
  unsealed,           // not one valid seal
  redaction_refused,  // redacted by somebody whom nobody named
  locked,             // a redacted copy of an encrypted session, without its key
  truncated,          // the ledger saw more of it
  tampered,
  not_in_ledger,  // the ledger that should know it does not
  rollback,       // the ledger itself is older than, or another than, the one seen before
  ledger_broken,
  unsupported,
};
std::string_view name_of(Standing standing);  // "INTACT+ANCHORED", "TRUNCATED", ...
// 0 policy met, 2 a valid prefix or times in doubt, 3 changed or missing, 4 unsealed, unpinned or
// less than the policy wants, 5 redaction refused, 6 unsupported.
int exit_status_of(Standing standing);

struct EvidencePolicy {
  bool require_pin = false;     // the ledger must be pinned by an administrator
  bool require_ledger = false;  // SELF-CONSISTENT is not enough
  bool require_anchor = false;  // INTACT+LEDGERED is not enough
  bool forbid_redaction = false;
};

struct EvidenceSources {
  const ReadFile* ledger = nullptr;  // its entries file
  const TrustStore* trust = nullptr;
  std::span<const Anchor> found;  // checkpoints from elsewhere
};

struct Evidence {
  Standing standing = Standing::unsealed;
  VerifyReport session;
  std::optional<LedgeredReport> ledger;
  std::vector<AnchorReport> anchors;   // of the ledger, those that cover the session's end first
  std::vector<Finding> findings;       // of the whole; the parts have their own
  std::optional<WallTime> not_before;  // somebody else's clock, before the session began
  std::optional<WallTime> not_after;   // ... after its end was in the ledger
  [[nodiscard]] std::string verdict() const;  // "INTACT+ANCHORED, REDACTED(1)"
  [[nodiscard]] int exit_status() const { return exit_status_of(standing); }
};

// Only I/O trouble, and a file that is no session file, is an Error.
Result<Evidence> gather_evidence(const ReadFile& session, const EvidenceSources& sources,
                                 const EvidencePolicy& policy = {}, const Progress& progress = {});

}  // namespace sworn::format
