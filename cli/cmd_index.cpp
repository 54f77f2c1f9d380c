// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/message.hpp"
#include "cli/progress.hpp"
#include "player/index_recording.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::cli {
namespace {

using player::RecordingIndex;

Result<RecordingIndex> make_index(const Arguments& args, const std::string& path) {
  TRY_ASSIGN(const auto recording, player::Recording::open(path));
  SystemClock clock;
  ProgressLine progress(clock, "index of " + path);
  player::IndexRequest request;
  request.afresh = args.has("--afresh");
  request.verify = !args.has("--no-verify");
  request.progress = [&progress](const std::string& /*what*/, auto done, auto total) {
    progress.update(done, total);
  };
  return player::index_recording(*recording, request);
}

void print_text(const std::string& path, const RecordingIndex& index) {
  const auto facts = index.state->facts();
  fmt::print("{}: {} events, {} commands, {} keyframes{}\n", printable(path), facts->events,
             facts->commands.size(), index.state->keyframes()->all().size(),
             index.from_cache ? ", was there already"
             : index.verified ? ", recording verified"
                              : ", recording not verified");
  if (!index.kept_in.empty()) {
    fmt::print("  {} bytes in {}\n", index.side_bytes, printable(index.kept_in));
  } else {
    fmt::print("  not kept: {}\n", printable(index.not_kept));
  }
  if (const auto trouble = index.state->text()->trouble(); !trouble.empty()) {
    fmt::print("  later text is not searched: {}\n", printable(trouble));
  }
}

void print_json_line(const std::string& path, const RecordingIndex& index) {
  const auto facts = index.state->facts();
  print_json({{"schema", "sworn.index/1"},
              {"file", path},
              {"events", facts->events},
              {"commands", facts->commands.size()},
              {"output_bytes", facts->output_bytes},
              {"keyframes", index.state->keyframes()->all().size()},
              {"from_cache", index.from_cache},
              {"verified", index.from_cache ? Json(nullptr) : Json(index.verified)},
              {"side_file", index.kept_in.empty() ? Json(nullptr) : Json(index.kept_in)},
              {"side_file_bytes", index.side_bytes}});
}

int run(const Arguments& args) {
  int status = k_exit_ok;
  for (const auto& path : args.words()) {
    const auto index = make_index(args, path);
    if (!index) {
      const int failed = complain("index", explain_session_error(path, index.error()),
                                  exit_status_for(index.error()));
      status = std::max(status, failed);
      continue;
    }
    if (args.has("--json")) {
      print_json_line(path, *index);
    } else {
      print_text(path, *index);
    }
    if (index->kept_in.empty()) {
      status = std::max(status, k_exit_failure);
    }
  }
  return status;
}

constexpr Option k_options[] = {
    {"--afresh", ValueKind::none, "", "make the index anew even where there is one"},
    {"--no-verify", ValueKind::none, "",
     "do not verify first: the index then counts for this very file only, not for copies of it"},
    {"--json", ValueKind::none, "", "one JSON object a line for each file (schema sworn.index/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "each file has an index now"},
    {"1", "a file cannot be read, an index could not be kept, or the command line is wrong"},
    {"6", "a file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn index /var/lib/sworn/2026-11-*.sworn", "so that these open and are searched at once"},
};

}  // namespace

constinit const Command k_cmd_index = {
    .name = "index",
    .summary = "make recordings quick to open and to search",
    .usage = "[--afresh] [--no-verify] [--json] FILE...",
    .details =
        "Walks through recordings once and keeps what it found in ~/.cache/sworn: screens to start "
        "from, commands, and the text that was shown and typed. The player does the same in the "
        "background. The side files can be deleted at any time and are no evidence.",
    .operands = {"FILE", ValueKind::session, 1, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
