// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/message.hpp"

#include <fmt/format.h>

namespace sworn::cli {
namespace {

int run(const Arguments& args) {
  if (args.word(0) != "bash") {
    return complain_usage("completion",
                          fmt::format("no completion for the shell {}", args.word(0)));
  }
  fmt::print("{}", render_bash_completion());
  return k_exit_ok;
}

constexpr ExitStatus k_exits[] = {{"0", "the script was printed"},
                                  {"1", "there is none for this shell"}};

}  // namespace

constinit const Command k_cmd_completion = {
    .name = "completion",
    .summary = "print the completion script of a shell",
    .usage = "bash",
    .details = "",
    .operands = {"SHELL", ValueKind::text, 1, 1},
    .options = {},
    .examples = {},
    .exits = k_exits,
    .run = run,
    .hidden = true,
};

}  // namespace sworn::cli
