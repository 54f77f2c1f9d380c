// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/link.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/log_entries.hpp"
#include "cli/log_trail.hpp"
#include "cli/log_with.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"

namespace sworn::cli {
namespace {

int run(const Arguments& args) {
  if (wants_trail(args)) {
    return log_trail(args);
  }
  if (wants_log_lines(args) || audit::logs::is_link(args.word(0))) {
    return log_with(args);
  }
  if (const auto done = log_entries(args); !done) {
    const auto& error = done.error();
    if (error.code == Errc::bad_usage && error.context.starts_with("--")) {
      return complain("log",
                      {"the options cannot be understood", error.context, "see: sworn log --help"},
                      k_exit_failure);
    }
    return complain("log", explain_session_error(args.word(0), error), exit_status_for(error));
  }
  return k_exit_ok;
}

constexpr auto k_options =
    joined(joined(k_log_entries_options, k_log_with_options), k_log_trail_options);
constexpr ExitStatus k_exits[] = {
    {"0", "the commands were listed, also where there are none"},
    {"1",
     "the file or one of the logs cannot be read, is not a session file, or the command line is "
     "wrong"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn log web1.sworn", "what ran, when, for how long, with which status"},
    {"sworn log --tree --privileged web1.sworn",
     "what was done with root's rights, with the processes of each command"},
    {"sworn log --divergence web1.sworn", "what does not add up"},
    {"sworn log web1.sworn --with /var/log/auth.log --with /var/log/audit/audit.log",
     "commands and log lines on one time line, with the lines that belong to the session marked"},
    {"sworn log web1.sworn --journal --at 14:07:33Z --window 10",
     "what the journal says about those twenty seconds"},
    {"sworn log --json web1.sworn | jq -r 'select(.status!=0).text'", "the commands that failed"},
};

}  // namespace

constinit const Command k_cmd_log = {
    .name = "log",
    .summary = "list the commands of a recording",
    .usage = "[OPTIONS] FILE|LINK",
    .details =
        "Lists the command lines that the shell reported while it was recorded, with the time of "
        "each, its duration and its exit status. The numbers are those that --cmd takes. Where the "
        "kernel was heard (sworn rec as root), --tree shows what each of them executed. With logs "
        "of other programs, prints one time line of commands and log lines: each line with the "
        "interval in which it was written, its source, and whether it belongs to this session, to "
        "another of the same user, or to the host.",
    .operands = {"FILE", ValueKind::session, 1, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
