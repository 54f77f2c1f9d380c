// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/message.hpp"
#include "cli/session_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace sworn::cli {
namespace {

struct Row {
  std::string path;
  std::optional<SessionSummary> summary;
  Error error;  // why there is no summary
};

Row read_row(const std::string& path) {
  auto session = open_session(path);
  if (!session) {
    return {path, std::nullopt, session.error()};
  }
  auto summary = summarise(*session);
  if (!summary) {
    return {path, std::nullopt, summary.error()};
  }
  return {path, std::move(*summary), {}};
}

void print_row(const Row& row, const std::string& directory) {
  const auto name = std::filesystem::path(row.path).lexically_relative(directory).string();
  if (!row.summary) {
    fmt::print("{:<20}  {:>10}  {:<8}  {}\n  {}\n", "?", "?", "unread", describe(row.error),
               printable(name));
    return;
  }
  const auto& s = *row.summary;
  fmt::print("{:<20}  {:>10}  {:<8}  {:<10}  {:<14}  {}\n", format_rfc3339(s.header.started, 0),
             format_duration(s.duration_us, 0), state_text(s),
             printable(s.start ? s.start->user : "?", 10), describe_end(s),
             printable(s.start ? join_argv(s.start->argv) : "?", 60));
  fmt::print("  {}\n", printable(name));
}

Json row_json(const Row& row) {
  if (row.summary) {
    return to_json(*row.summary);
  }
  return {{"schema", "sworn.session/1"}, {"path", row.path}, {"error", describe(row.error)}};
}

Result<std::string> directory_of(const Arguments& args) {
  if (!args.words().empty()) {
    return args.word(0);
  }
  return format::default_store();
}

int run(const Arguments& args) {
  const auto directory = directory_of(args);
  if (!directory) {
    return complain("ls", {"there is no place to look for recordings", describe(directory.error()),
                           "set HOME or XDG_DATA_HOME, or name a directory: sworn ls DIR"});
  }
  const auto sessions = format::list_sessions(*directory);
  if (!sessions) {
    if (sessions.error().sys == ENOENT && args.words().empty()) {
      fmt::print(stderr, "no recordings yet: {} does not exist; sworn rec makes the first\n",
                 printable(*directory));
      return k_exit_ok;
    }
    return complain("ls", {*directory + ": cannot be listed", describe(sessions.error()),
                           "name a directory with recordings that this user may read"});
  }
  std::vector<Row> rows;
  for (const auto& session : *sessions) {
    rows.push_back(read_row(session.path));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    const auto time = [](const Row& row) {
      return row.summary ? row.summary->header.started : WallTime{};
    };
    return time(a) < time(b);
  });
  if (!args.has("--json") && !rows.empty()) {
    fmt::print("{:<20}  {:>10}  {:<8}  {:<10}  {:<14}  {}\n", "STARTED", "LASTED", "STATE", "USER",
               "END", "COMMAND");
  }
  for (const auto& row : rows) {
    if (args.has("--json")) {
      print_json(row_json(row));
    } else {
      print_row(row, *directory);
    }
  }
  return k_exit_ok;
}

constexpr Option k_options[] = {
    {"--json", ValueKind::none, "",
     "one JSON object a line for each recording (schema sworn.session/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the directory was listed; recordings that cannot be read are listed as such"},
    {"1", "the directory cannot be read, or the command line is wrong"},
};
constexpr Example k_examples[] = {
    {"sworn ls", "the recordings of this user, oldest first"},
    {"sworn ls --json | jq -r 'select(.state==\"crashed\").path'",
     "recordings whose recorder died"},
};

}  // namespace

constinit const Command k_cmd_ls = {
    .name = "ls",
    .summary = "list recordings",
    .usage = "[--json] [DIRECTORY]",
    .details =
        "Lists the recordings in DIRECTORY; without one, those of this user in "
        "$XDG_DATA_HOME/sworn/sessions (else ~/.local/share/sworn/sessions).",
    .operands = {"DIRECTORY", ValueKind::directory, 0, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
