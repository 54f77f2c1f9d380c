// SPDX-License-Identifier: Apache-2.0
// The .zshenv that a hooked zsh reads first; it puts ZDOTDIR back, sources the user's own .zshenv
// and leaves the other start-up files to zsh. Needs the modules zsh/datetime and zsh/system, which
// every distribution ships with zsh; without them the shell runs unhooked and says so. Pure.
#pragma once

#include <string>
#include <vector>

namespace sworn::audit {

struct ZshScriptOptions {
  std::string key;  // hex; proves that a datagram comes from this script
  int socket_fd = -1;
  int memory_fd = -1;  // the memfd that holds the script
  bool had_zdotdir = false;
  std::string zdotdir;
};

struct ZshStart {
  bool hookable = false;
  std::string reason;  // why not
  ZshScriptOptions options;
};

// Reads zsh's own command line the way zsh does: will an interactive shell start that reads
// .zshenv?
ZshStart read_zsh_start(const std::vector<std::string>& argv,
                        const std::vector<std::string>& environment);

std::string zsh_script(const ZshScriptOptions& options);

}  // namespace sworn::audit
