// SPDX-License-Identifier: Apache-2.0
// Every failure says three things: what happened, why, and what to do. All parts may hold untrusted
// bytes (file names, texts of a recording); rendering escapes them.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>

namespace sworn::cli {

struct Message {
  std::string what;
  std::string why;   // may be empty
  std::string todo;  // may be empty
};

// "sworn verify: WHAT\n  why:  WHY\n  do:   TODO\n"; "sworn: ..." where `command` is empty.
std::string render(std::string_view command, const Message& message);

// Prints to stderr and returns `status`, so that a command can `return complain(...)`.
int complain(std::string_view command, const Message& message, int status = 1);
int complain_usage(std::string_view command, std::string_view what);

// Why a session file could not be opened or read, and what to do about it.
Message explain_session_error(const std::string& path, const Error& error);
// ... and a file that the command wants to create.
Message explain_output_error(const std::string& path, const Error& error);

// k_exit_unsupported for what a newer version wrote, else k_exit_failure.
int exit_status_for(const Error& error);

}  // namespace sworn::cli
