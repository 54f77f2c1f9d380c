// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.hpp"

#include <array>

namespace sworn::cli {
namespace {

constexpr std::array k_table = {
    &k_cmd_rec,     &k_cmd_play,       &k_cmd_ls,        &k_cmd_info,   &k_cmd_log,   &k_cmd_screen,
    &k_cmd_search,  &k_cmd_index,      &k_cmd_export,    &k_cmd_tail,   &k_cmd_alert, &k_cmd_verify,
    &k_cmd_salvage, &k_cmd_redact,     &k_cmd_rewrap,    &k_cmd_shred,  &k_cmd_who,   &k_cmd_status,
    &k_cmd_config,  &k_cmd_doctor,     &k_cmd_retention, &k_cmd_ledger, &k_cmd_trust, &k_cmd_keys,
    &k_cmd_help,    &k_cmd_completion,
};

}  // namespace

std::span<const Command* const> commands() {
  return k_table;
}

const Command* find_command(std::string_view name) {
  for (const auto* command : k_table) {
    if (command->name == name) {
      return command;
    }
  }
  return nullptr;
}

}  // namespace sworn::cli
