// SPDX-License-Identifier: Apache-2.0
// What a hooked fish runs after its start-up files (fish -C 'source ...'). fish gives events before
// and after each command line; each sends one datagram, without a fork. Pure.
#pragma once

#include <string>
#include <vector>

namespace sworn::audit {

struct FishScriptOptions {
  std::string key;  // hex; proves that a datagram comes from this script
  int socket_fd = -1;
};

struct FishStart {
  bool hookable = false;
  std::string reason;  // why not
};

// Reads fish's own command line the way fish does: will an interactive shell start?
FishStart read_fish_start(const std::vector<std::string>& argv);

std::string fish_script(const FishScriptOptions& options);

}  // namespace sworn::audit
