// SPDX-License-Identifier: Apache-2.0
// `sworn log --trail|--ecs|--ocsf`: a recording's entries as they leave for a SIEM, one JSON object
// a line.
#pragma once

#include "cli/arguments.hpp"
#include "cli/command.hpp"

#include <array>
#include <string_view>

namespace sworn::cli {

bool wants_trail(const Arguments& args);
int log_trail(const Arguments& args);

// `sworn export --format ecs|ocsf`: the same to a file, or to standard output.
bool is_trail_format(std::string_view name);
int export_trail(const Arguments& args, std::string_view format);

inline constexpr std::array k_log_trail_options = {
    Option{"--trail", ValueKind::none, "",
           "the audit trail: one JSON object a line (schema sworn.trail/1)"},
    Option{"--ecs", ValueKind::none, "", "the same in the Elastic Common Schema 9"},
    Option{"--ocsf", ValueKind::none, "",
           "the same as OCSF process activity with the record_integrity profile"},
};

}  // namespace sworn::cli
