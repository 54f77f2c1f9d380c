// SPDX-License-Identifier: Apache-2.0
// Finds sworn-recorder from where this program lies; never through PATH or the environment, which
// whoever is recorded may set.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace sworn::cli {

// Beside the front end, in libexec, or in a build tree.
Result<std::string> find_recorder();
// The same for another program of ours: "sworn-host", "recorder/host".
Result<std::string> find_program(const std::string& name, const std::string& build_folder);

// A document or tool that is installed beside the programs: "format.md", "verify.py".
Result<std::string> find_shared_file(const std::string& name);

}  // namespace sworn::cli
