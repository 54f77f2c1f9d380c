// SPDX-License-Identifier: Apache-2.0
// Finds sworn-recorder from where this program lies; never through PATH or the environment, which
// whoever is recorded may set.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace sworn::cli {

// The places where it may lie for a front end in `directory`: beside it, in libexec, in a build
// tree.
std::vector<std::string> recorder_candidates(const std::string& directory);

Result<std::string> find_recorder();

}  // namespace sworn::cli
