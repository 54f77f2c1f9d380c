// SPDX-License-Identifier: Apache-2.0
// The bash completion script, rendered from the table of commands. Pure.
#pragma once

#include <string>

namespace sworn::cli {

std::string render_bash_completion();

}  // namespace sworn::cli
