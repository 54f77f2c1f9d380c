// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/message.hpp"
#include "cli/place_option.hpp"
#include "cli/progress.hpp"
#include "cli/session_link.hpp"
#include "player/screen_dump.hpp"

#include <fmt/format.h>

namespace sworn::cli {
namespace {

Result<player::ScreenDump> dump_with_progress(const Arguments& args,
                                              const std::optional<std::string>& place) {
  TRY_ASSIGN(const auto target, resolve_link(args.word(0)));
  SystemClock clock;
  ProgressLine progress(clock, "screen of " + target.file);
  player::ScreenRequest request;
  request.file = target.file;
  request.at = place.value_or(target.place.value_or("end"));
  request.cache = !args.has("--no-cache");
  request.progress = [&](auto done, auto total) { progress.update(done, total); };
  return player::dump_screen(request);
}

int run(const Arguments& args) {
  const auto place = place_option(args);
  if (!place) {
    return complain_usage("screen", place.error().context);
  }
  if (args.has("--text") && args.has("--json")) {
    return complain_usage("screen", "--text and --json exclude each other");
  }
  const auto dump = dump_with_progress(args, *place);
  if (!dump) {
    return complain("screen", explain_session_error(args.word(0), dump.error()),
                    exit_status_for(dump.error()));
  }
  const auto text =
      args.has("--json") ? player::screen_as_json(*dump) : player::screen_as_text(*dump);
  fmt::print("{}{}", text, text.ends_with('\n') || text.empty() ? "" : "\n");
  return k_exit_ok;
}

constexpr Option k_options[] = {
    {"--at", ValueKind::time, "TIME",
     "the moment: 12.5, 1:02:03, RFC 3339, \"cmd N\", \"event N\", 37%; "
     "default: the end"},
    {"--event", ValueKind::number, "N", "the moment after event N"},
    {"--cmd", ValueKind::number, "N", "the moment when command N began"},
    {"--text", ValueKind::none, "", "rows of text (default)"},
    {"--json", ValueKind::none, "", "one JSON object with attributes (schema sworn.screen/1)"},
    {"--no-cache", ValueKind::none, "", "neither use nor leave an index in ~/.cache/sworn"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the screen was printed"},
    {"1", "the file cannot be read, there is no such moment, or the command line is wrong"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn screen web1.sworn --at 1:02:03", "what stood on the screen after an hour"},
    {"sworn screen 'sworn://web1/0f3c...?t=12.5'", "what a link in a log entry points to"},
    {"sworn screen web1.sworn --cmd 12 --json", "with colours and cursor, for scripts"},
};

}  // namespace

constinit const Command k_cmd_screen = {
    .name = "screen",
    .summary = "print the screen at a moment of a recording",
    .usage = "FILE|LINK [--at=TIME|--event=N|--cmd=N] [--text|--json] [--no-cache]",
    .details =
        "Renders the recording up to the moment with the player's terminal and prints what stood "
        "there. What a recording shows cannot reach the terminal of who looks: it is escaped.",
    .operands = {"FILE", ValueKind::session, 1, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
