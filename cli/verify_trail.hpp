// SPDX-License-Identifier: Apache-2.0
// `sworn verify` for audit trails (JSON lines with a hash chain): each line by itself, and the
// whole.
#pragma once

#include <string>
#include <vector>

namespace sworn::cli {

// Whether the file begins like a trail.
bool is_trail_file(const std::string& path);

// All files are parts of one trail, in any order. Exit status: 0 unchanged and without a hole, 1
// cannot be read, 2 the last line is torn, 3 altered, missing or added lines.
int verify_trail(std::vector<std::string> paths, bool json, bool quiet);

}  // namespace sworn::cli
