// SPDX-License-Identifier: Apache-2.0
// What `sworn verify` holds a session against: a ledger, checkpoints from elsewhere, the trust
// store, the policy. From the command line and the places where these usually are.
#pragma once

#include "base/file.hpp"
#include "format/evidence.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::cli {

class Arguments;

class VerifySources {
 public:
  // Options: --ledger, --trust, --anchor, --require, --no-redaction.
  static Result<VerifySources> from(const Arguments& args);
  static Result<VerifySources> from_parts(std::optional<std::string> ledger,
                                          std::optional<std::string> trust);

  // Opens the ledger that belongs to this file: the one that was named, else that of the user or
  // the host where the session says that it is in it.
  Result<format::Evidence> gather(const ReadFile& session, const format::Progress& progress) const;

  [[nodiscard]] const format::TrustStore& trust() const { return trust_; }

  // After evidence was good: how large the ledger was, so that an older copy is found next time.
  // Only of ledgers that the store knows, or of any with `first_use`.
  Result<void> remember(const format::Evidence& evidence, bool first_use) const;

  // The directory of the ledger for a session with this header; empty: none.
  [[nodiscard]] std::string ledger_directory(const format::SessionHeader* header) const;

 private:
  std::optional<std::string> ledger_;  // as given
  std::optional<std::string> trust_option_;
  format::TrustStore trust_;
  std::vector<format::Anchor> found_;
  format::EvidencePolicy policy_;
};

}  // namespace sworn::cli
