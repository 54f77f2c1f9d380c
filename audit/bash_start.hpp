// SPDX-License-Identifier: Apache-2.0
// Reads bash's own command line and environment the way bash does, to tell whether an interactive
// shell will start and which start-up files it would read. Pure.
#pragma once

#include "audit/bash_script.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit {

struct BashStart {
  bool hookable = false;
  std::string reason;         // why not
  BashScriptOptions options;  // what the script must know; descriptors and key are the caller's
};

BashStart read_bash_start(const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment);

// POSIX mode refuses to import functions with names such as "log-it", and complains: the script
// defines them (options.functions), and they are taken out of the environment.
void drop_odd_functions(std::vector<std::string>& environment);

// Value of NAME in "NAME=value" strings; nullptr where it is not there.
const char* environment_value(const std::vector<std::string>& environment, std::string_view name);

}  // namespace sworn::audit
