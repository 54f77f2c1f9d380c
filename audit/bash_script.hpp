// SPDX-License-Identifier: Apache-2.0
// The start-up script that a hooked bash reads instead of its own start-up files; it sources those
// itself. Needs bash 5.1 (older ones run unhooked). docs/audit-sources.md explains the protocol and
// the limits.
#pragma once

#include <string>
#include <string_view>

namespace sworn::audit {

struct BashScriptOptions {
  std::string key;          // hex; proves that a datagram comes from this script
  int socket_fd = -1;       // as inherited; the script makes a close-on-exec copy and closes it
  int memory_fd = -1;       // the memfd that holds the script; becomes the script's scratch space
  int socket_copy_fd = -1;  // where the copies go
  int memory_copy_fd = -1;
  bool keep_posix = false;  // the user asked for POSIX mode himself
  bool keep_inherit_errexit = false;
  bool no_rc = false;       // --norc
  bool no_profile = false;  // --noprofile
  bool has_rc_file = false;
  std::string rc_file;  // --rcfile
  bool had_histfile = false;
  bool had_env = false;  // ENV was in the environment: put it back
  std::string env;
  std::string functions;  // definitions that POSIX mode did not import from the environment
};

std::string bash_script(const BashScriptOptions& options);

// 'text' for a shell, whatever it holds (no NUL).
std::string shell_quoted(std::string_view text);

}  // namespace sworn::audit
