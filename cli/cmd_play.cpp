// SPDX-License-Identifier: Apache-2.0
#include "base/file.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "cli/place_option.hpp"
#include "cli/session_link.hpp"
#include "player/player_app.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>

#include <unistd.h>

namespace sworn::cli {
namespace {

// A number from `least` to `most`; nullopt where it is none.
std::optional<double> number_in(const std::string& text, double least, double most) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool whole = !text.empty() && end == text.c_str() + text.size();
  return whole && std::isfinite(value) && value >= least && value <= most ? std::optional(value)
                                                                          : std::nullopt;
}

Result<player::PlayerOptions> player_options(const Arguments& args) {
  player::PlayerOptions options;
  TRY_ASSIGN(const auto target, resolve_link(args.word(0)));
  options.file = target.file;
  TRY_ASSIGN(options.at, place_option(args));
  if (!options.at) {
    options.at = target.place;
  }
  options.search = args.value("--search");
  options.play = args.has("--play");
  options.follow = args.has("--follow");
  for (const auto& log : args.values("--log")) {
    const auto line = log_line_ref(log);
    options.log_files.push_back(line ? line->file : log);
    if (line && !options.at) {
      TRY_ASSIGN(options.at, place_of_log_line(options.file, *line));
    }
  }
  options.cache = !args.has("--no-cache");
  options.verify =
      args.has("--no-verify") ? player::VerifyMode::off : player::VerifyMode::background;
  if (const auto speed = args.value("--speed")) {
    const auto value = number_in(*speed, 0.25, 64);
    if (!value) {
      return fail(Errc::bad_usage, "--speed is a number from 0.25 to 64");
    }
    options.speed = *value;
  }
  if (const auto limit = args.value("--idle-limit")) {
    options.idle_limit_seconds = number_in(*limit, 0, 86'400);
    if (!options.idle_limit_seconds) {
      return fail(Errc::bad_usage, "--idle-limit is a number of seconds");
    }
  }
  return options;
}

int run(const Arguments& args) {
  auto options = player_options(args);
  if (!options) {
    return options.error().code == Errc::bad_usage
               ? complain_usage("play", options.error().context)
               : complain("play", explain_session_error(args.word(0), options.error()),
                          exit_status_for(options.error()));
  }
  // A file that is none is the more useful thing to say.
  if (const auto file = PosixReadFile::open(options->file); !file && file.error().sys != ENOENT) {
    return complain("play", explain_session_error(args.word(0), file.error()));
  }
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
    return complain(
        "play", {"there is no terminal to play on", "standard input or output is not a terminal",
                 "sworn screen FILE prints one moment, sworn export FILE the whole"});
  }
  note_view("play", args.word(0), "play");
  const auto status = player::run_player(*options);
  if (!status) {
    return complain("play", explain_session_error(args.word(0), status.error()),
                    exit_status_for(status.error()));
  }
  return *status;
}

constexpr Option k_options[] = {
    {"--at", ValueKind::time, "TIME",
     "open at a moment: 12.5, 1:02:03, RFC 3339, \"cmd N\", \"event N\", 37%"},
    {"--event", ValueKind::number, "N", "open after event N"},
    {"--cmd", ValueKind::number, "N", "open where command N began"},
    {"--search", ValueKind::text, "REGEX", "open at the first match in the recording"},
    {"--play", ValueKind::none, "", "start playing at once"},
    {"--speed", ValueKind::number, "X", "from 0.25 to 64 (default 1)"},
    {"--idle-limit", ValueKind::number, "SECONDS", "show pauses no longer than this"},
    {"--follow", ValueKind::none, "", "stay at the end of a session that is being recorded"},
    {"--log", ValueKind::file, "LOGFILE[:LINE]",
     "show its lines beside the screen, and open at the moment of LINE; may be repeated"},
    {"--no-verify", ValueKind::none, "", "do not verify in the background"},
    {"--no-cache", ValueKind::none, "", "neither use nor leave an index in ~/.cache/sworn"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the viewer left"},
    {"1", "the file cannot be read, there is no terminal, or the command line is wrong"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn play web1.sworn", "q leaves, F1 explains the keys"},
    {"sworn play web1.sworn --at 14:07:33Z --log /var/log/auth.log",
     "that moment, with the log lines of that moment"},
    {"sworn play web1.sworn --log /var/log/auth.log:4711", "the moment of that line"},
    {"sworn play 'sworn://web1/0f3c...?t=12.5&n=4711'", "what a link in a log entry points to"},
};

}  // namespace

constinit const Command k_cmd_play = {
    .name = "play",
    .summary = "replay a recording",
    .usage = "FILE|LINK [--at=TIME|--event=N|--cmd=N|--search=REGEX] [OPTIONS]",
    .details =
        "Opens the player on a recording, also on one that is still being made. The recording is "
        "rendered by an emulator of its own: nothing in it can reach the terminal of who watches.",
    .operands = {"FILE", ValueKind::session, 1, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
