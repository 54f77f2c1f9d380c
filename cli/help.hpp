// SPDX-License-Identifier: Apache-2.0
// Help texts, rendered from the table of commands. Pure; 80 columns.
#pragma once

#include "cli/command.hpp"

#include <string>

namespace sworn::cli {

std::string render_overview();
std::string render_help(const Command& command);
std::string render_version();

}  // namespace sworn::cli
