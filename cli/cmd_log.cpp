// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/command_list.hpp"
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

namespace sworn::cli {
namespace {

using audit::logs::CommandEntry;
using audit::logs::CommandList;

struct Times {
  format::ClockMap clock;
  MonoTime first;

  [[nodiscard]] std::optional<WallTime> wall(MonoTime t) const {
    return clock.empty() ? std::nullopt : std::optional(clock.to_wall(t));
  }
};

std::string status_text(const CommandEntry& command) {
  return command.ended ? std::to_string(command.exit_status) : "?";
}

void print_text(const CommandList& list, const Times& times) {
  if (!list.commands().empty()) {
    fmt::print("{:>4}  {:<24}  {:>9}  {:>6}  {}\n", "CMD", "BEGAN", "TOOK", "STATUS", "COMMAND");
  }
  std::size_t number = 0;
  for (const auto& command : list.commands()) {
    const auto wall = times.wall(command.begin);
    fmt::print("{:>4}  {:<24}  {:>9}  {:>6}  {}\n", ++number,
               wall ? format_rfc3339(*wall, 3) : format_duration(command.begin.us - times.first.us),
               command.ended ? fmt::format("{:.2f} s", json_seconds(command.duration_us())) : "?",
               status_text(command), printable(command.text));
    if (!command.flags.empty()) {
      std::string flags;
      for (const auto& flag : command.flags) {
        flags += (flags.empty() ? "" : ", ") + flag;
      }
      fmt::print("{:>4}  note: {}\n", "", printable(flags));
    }
  }
}

void print_json_lines(const CommandList& list, const Times& times) {
  std::size_t number = 0;
  for (const auto& c : list.commands()) {
    print_json({{"schema", "sworn.command/1"},
                {"command", ++number},
                {"began", json_time(times.wall(c.begin))},
                {"t", json_seconds(c.begin.us - times.first.us)},
                {"duration", c.ended ? Json(json_seconds(c.duration_us())) : Json(nullptr)},
                {"status", c.ended ? Json(c.exit_status) : Json(nullptr)},
                {"pipestatus", c.pipestatus},
                {"text", c.text},
                {"text_source", c.text_source},
                {"cwd", c.cwd},
                {"cwd_after", c.cwd_after},
                {"shell", c.shell},
                {"shell_pid", c.shell_pid},
                {"n", c.n},
                {"begin_event", c.begin_event},
                {"end_event", c.ended ? Json(c.end_event) : Json(nullptr)},
                {"flags", c.flags}});
  }
}

// What the listing cannot show must not be mistaken for nothing.
void print_caveats(const CommandList& list) {
  if (list.redacted() > 0) {
    fmt::print(stderr, "{} command events were redacted\n", list.redacted());
  }
  if (list.unreadable() > 0) {
    fmt::print(stderr, "{} command events make no sense and were left out\n", list.unreadable());
  }
  if (list.left_out() > 0) {
    fmt::print(stderr, "{} commands are beyond what is listed\n", list.left_out());
  }
  if (list.commands().empty()) {
    fmt::print(stderr, "no commands on record: the shell reported none\n");
  }
}

Result<void> list_commands(const Arguments& args) {
  TRY_ASSIGN(auto session, open_session(args.word(0)));
  TRY_ASSIGN(const auto list, CommandList::read(*session.reader));
  Times times;
  times.first = session.reader->first_time();
  TRY_ASSIGN(times.clock, session.reader->clock_map());
  if (args.has("--json")) {
    print_json_lines(list, times);
  } else {
    print_text(list, times);
    print_caveats(list);
  }
  if (const auto damaged = session.reader->damage().size(); damaged > 0) {
    fmt::print(stderr, "{} cannot be read: sworn verify says which\n",
               count(damaged, "place of the file", "places of the file"));
  }
  return {};
}

int run(const Arguments& args) {
  if (const auto done = list_commands(args); !done) {
    return complain("log", explain_session_error(args.word(0), done.error()),
                    exit_status_for(done.error()));
  }
  return k_exit_ok;
}

constexpr Option k_options[] = {
    {"--json", ValueKind::none, "",
     "one JSON object a line for each command (schema sworn.command/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the commands were listed, also where there are none"},
    {"1", "the file cannot be read, is not a session file, or the command line is wrong"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn log web1.sworn", "what ran, when, for how long, with which status"},
    {"sworn log --json web1.sworn | jq -r 'select(.status!=0).text'", "the commands that failed"},
};

}  // namespace

constinit const Command k_cmd_log = {
    .name = "log",
    .summary = "list the commands of a recording",
    .usage = "[--json] FILE",
    .details =
        "Lists the command lines that the shell reported while it was recorded, with the time of "
        "each, its duration and its exit status. The numbers are those that --cmd takes.",
    .operands = {"FILE", ValueKind::session, 1, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
