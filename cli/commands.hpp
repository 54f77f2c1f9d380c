// SPDX-License-Identifier: Apache-2.0
// The one table of subcommands. To add one: write cmd_NAME.cpp with its Command, declare it here,
// list it in commands.cpp, write docs/man/sworn-NAME.1.scd (a test compares the page with the
// table).
#pragma once

#include "cli/command.hpp"

#include <span>
#include <string_view>

namespace sworn::cli {

extern const Command k_cmd_rec;
extern const Command k_cmd_info;
extern const Command k_cmd_ls;
extern const Command k_cmd_verify;
extern const Command k_cmd_salvage;
extern const Command k_cmd_play;
extern const Command k_cmd_log;
extern const Command k_cmd_screen;
extern const Command k_cmd_export;
extern const Command k_cmd_redact;
extern const Command k_cmd_rewrap;
extern const Command k_cmd_shred;
extern const Command k_cmd_who;
extern const Command k_cmd_status;
extern const Command k_cmd_config;
extern const Command k_cmd_doctor;
extern const Command k_cmd_retention;
extern const Command k_cmd_tail;
extern const Command k_cmd_alert;
extern const Command k_cmd_ledger;
extern const Command k_cmd_trust;
extern const Command k_cmd_keys;
extern const Command k_cmd_search;
extern const Command k_cmd_index;
extern const Command k_cmd_help;
extern const Command k_cmd_completion;

// In the order of the help text.
std::span<const Command* const> commands();
const Command* find_command(std::string_view name);

}  // namespace sworn::cli
