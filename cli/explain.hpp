// SPDX-License-Identifier: Apache-2.0
// Which bytes each statement of a verification rests on: the records that the seals cover, the
// seals, the ledger's entries about the session, the anchors. Scans both files once more.
#pragma once

#include "base/file.hpp"
#include "cli/json.hpp"
#include "format/evidence.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sworn::cli {

struct Ground {
  std::string about;  // "header", "seal 3", "chunk 7", "entry 12", ...
  std::string file;   // "recording", "ledger"
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::string text;
};

// `ledger` may be null.
Result<std::vector<Ground>> explain_evidence(const format::Evidence& evidence,
                                             const ReadFile& session, const ReadFile* ledger);
std::string render_grounds(const std::vector<Ground>& grounds);
Json grounds_json(const std::vector<Ground>& grounds);

}  // namespace sworn::cli
