// SPDX-License-Identifier: Apache-2.0
// What others say about a ledger: cosignatures of witnesses and RFC 3161 time stamps that the
// ledger keeps as `anchor` entries, and checkpoints found elsewhere (a log host, a mail, a piece of
// paper). An anchor that holds proves that the entries before it existed then and were these. Takes
// hostile bytes.
#pragma once

#include "format/ledger_verify.hpp"
#include "format/trust.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::format {

enum class AnchorState : std::uint8_t {
  holds,        // by somebody whom the verifier trusts
  not_trusted,  // nobody whom the verifier trusts: it proves nothing to him
  sent_only,    // the host says that it sent a checkpoint away; look for it there
  wrong,        // it does not hold, or it is about another ledger
};
std::string_view name_of(AnchorState state);

struct Anchor {
  std::string type;  // of the entry; "checkpoint" for one that was found elsewhere
  std::optional<std::uint64_t> entry;  // number of the ledger's entry; nullopt: from elsewhere
  std::string source;                  // where it was found, where it is from elsewhere
  std::uint64_t size = 0;              // the tree that it is about
  Digest root{};
  Bytes proof;  // a note, or a time stamp token
};

struct AnchorReport {
  Anchor anchor;
  AnchorState state = AnchorState::wrong;
  bool contradicts = false;      // rightly signed, but about another ledger than this one
  std::vector<std::string> by;   // who vouches
  std::optional<WallTime> when;  // by his clock; the earliest of several
  std::string why;               // where it does not hold or is not trusted
};

// Of the entries that can be read; verify_ledger() says whether those hold.
Result<std::vector<Anchor>> anchors_of(const ReadFile& entries);

// Checkpoints in any text: notes, or log lines with checkpoint_line(). `source` names the text. At
// most 10,000; the last ones count.
std::vector<Anchor> anchors_in(std::string_view text, const std::string& source);

// Holds one anchor against the ledger, whose report must have the root of its size among `roots`
// (LedgerVerifyOptions::sizes). `trust` may be null.
AnchorReport judge(const Anchor& anchor, const LedgerReport& ledger, const TrustStore* trust);

}  // namespace sworn::format
