// SPDX-License-Identifier: Apache-2.0
// Clips on the command line: `sworn verify --prove T1..T2` makes one, `sworn verify CLIP` checks
// it.
#pragma once

#include "cli/verify_sources.hpp"

#include <string>

namespace sworn::cli {

class Arguments;

int prove_range(const Arguments& args, const VerifySources& sources, const std::string& path);
int verify_clip_file(const Arguments& args, const VerifySources& sources, const std::string& path,
                     const ReadFile& file);

}  // namespace sworn::cli
