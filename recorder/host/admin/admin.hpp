// SPDX-License-Identifier: Apache-2.0
// The commands of people who run a host: config, who, status, doctor, retention. The front end
// `sworn` executes sworn-host with the same words.
#pragma once

#include "base/result.hpp"

#include <string>
#include <vector>

namespace sworn::recorder::host::admin {

using Words = std::vector<std::string>;

// Each prints what was asked for and returns the exit status.
int run_config(const Words& words);     // check [FILE] | show [FILE]
int run_who(const Words& words);        // sessions being recorded now
int run_status(const Words& words);     // is this shell recorded
int run_doctor(const Words& words);     // what is wired and what is not
int run_retention(const Words& words);  // run [--dry-run]

// Shared by them.
bool has_flag(const Words& words, const std::string& flag);
int complain(const std::string& what, const std::string& why, const std::string& remedy);
void print(const std::string& text);
// Asks swornd; the answer is JSON.
Result<std::string> ask_daemon(const std::string& what, const Words& words = {});

}  // namespace sworn::recorder::host::admin
