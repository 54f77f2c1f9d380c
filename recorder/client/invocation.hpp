// SPDX-License-Identifier: Apache-2.0
// How the client was started, and what that asks for. Pure.
#pragma once

#include "recorder/host/wire.hpp"

#include <string>
#include <vector>

namespace sworn::recorder::client {

struct Invocation {
  host::Entry entry = host::Entry::login;
  bool login = false;                  // argv[0] of the shell gets a dash
  std::vector<std::string> arguments;  // of the shell, as they came
  std::vector<std::string> command;    // `rec`, `profile`: instead of a shell; may be empty
  std::string reason;
  std::string ticket;
  std::string problem;  // not empty: cannot be understood
};

// `original_command`: SSH_ORIGINAL_COMMAND, nullptr where it is not set. It counts where sshd's
// ForceCommand started us: without arguments, or through the login shell as `-c CLIENT`.
Invocation read_invocation(const std::vector<std::string>& argv, const char* original_command,
                           const std::string& own_path);

// argv of the shell: "-bash" for a login shell.
std::vector<std::string> shell_argv(const Invocation& invocation, const std::string& shell);

}  // namespace sworn::recorder::client
