// SPDX-License-Identifier: Apache-2.0
// From the words of the command line to the exit status of a command.
#pragma once

#include <span>
#include <string>

namespace sworn::cli {

// `words` without the program name. Prints help, versions and usage errors itself.
int dispatch(std::span<const std::string> words);

}  // namespace sworn::cli
