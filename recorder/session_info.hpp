// SPDX-License-Identifier: Apache-2.0
// Who records what, where: gathered once at the start, for the header and the session_start event.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/event_payload.hpp"
#include "format/session_header.hpp"
#include "recorder/policy.hpp"

#include <string>
#include <vector>

namespace sworn::recorder {

format::SessionHeader make_header(const Options& options, Clock& clock);

std::string host_name();
std::string user_name();  // of the effective user; empty where the account has no name

// Everything but terminal, size, argv and pids, which the caller knows better.
format::SessionStart make_session_start(const Options& options);

// As much of a command line as an event may hold; what was left out is said in its last word.
std::vector<std::string> bounded_argv(const std::vector<std::string>& argv);

// The user's shell: $SHELL where it can be executed, else the one of the account, else /bin/sh.
std::string user_shell();

// NAME=value of our own environment, each name once (the first, as the C library has it).
std::vector<std::string> own_environment();
void set_variable(std::vector<std::string>& environment, const std::string& name,
                  const std::string& value);

// These may be recorded; an environment is full of secrets.
bool may_record_variable(std::string_view name);

}  // namespace sworn::recorder
