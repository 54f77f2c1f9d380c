// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/message.hpp"
#include "cli/session_summary.hpp"

#include <fmt/format.h>

namespace sworn::cli {
namespace {

int run(const Arguments& args) {
  int worst = k_exit_ok;
  bool first = true;
  for (const auto& path : args.words()) {
    auto session = open_session(path);
    auto summary = session ? summarise(*session)
                           : Result<SessionSummary>(tl::make_unexpected(session.error()));
    if (!summary) {
      worst = std::max(worst, complain("info", explain_session_error(path, summary.error()),
                                       exit_status_for(summary.error())));
      continue;
    }
    if (args.has("--json")) {
      print_json(to_json(*summary));
    } else {
      fmt::print("{}{}", first ? "" : "\n", render_text(*summary));
    }
    first = false;
  }
  return worst;
}

constexpr Option k_options[] = {
    {"--json", ValueKind::none, "",
     "one JSON object a line for each file (schema sworn.session/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "every file could be read"},
    {"1", "a file could not be read, is not a session file, or the command line is wrong"},
    {"6", "a file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn info web1.sworn", "who recorded what, where, for how long"},
    {"sworn info --json *.sworn | jq -r .start.user", "the same for scripts"},
};

}  // namespace

constinit const Command k_cmd_info = {
    .name = "info",
    .summary = "say who and what a recording is of",
    .usage = "[--json] FILE...",
    .details =
        "Reads the header, the first event and the end of each recording. Proves nothing: sworn "
        "verify does that.",
    .operands = {"FILE", ValueKind::session, 1, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
