// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/message.hpp"
#include "cli/suggest.hpp"

#include <fmt/format.h>

#include <cstdio>

namespace sworn::cli {
namespace {

int run(const Arguments& args) {
  if (args.words().empty()) {
    fmt::print("{}", render_overview());
    return k_exit_ok;
  }
  const auto* command = find_command(args.word(0));
  if (command == nullptr) {
    return complain_usage("", fmt::format("there is no command {}", args.word(0)));
  }
  fmt::print("{}", render_help(*command));
  return k_exit_ok;
}

constexpr ExitStatus k_exits[] = {{"0", "the text was printed"}, {"1", "there is no such command"}};
constexpr Example k_examples[] = {
    {"sworn help verify", "what sworn verify does, takes and returns"}};

}  // namespace

constinit const Command k_cmd_help = {
    .name = "help",
    .summary = "explain a command",
    .usage = "[COMMAND]",
    .details = "",
    .operands = {"COMMAND", ValueKind::command, 0, 1},
    .options = {},
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
