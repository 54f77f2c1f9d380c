// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/progress.hpp"
#include "cli/verify_text.hpp"
#include "cli/verify_trail.hpp"
#include "format/trust.hpp"

#include <fmt/format.h>

namespace sworn::cli {
namespace {

// What lies beside the file; a file that a reader refuses has no tail worth naming.
VerifyContext look_around(const std::string& path) {
  VerifyContext context;
  context.path = path;
  if (const auto session = open_session(path)) {
    context.state = session->state;
    context.tail_events = session->tail_events;
    context.tail_error = session->tail_error;
  }
  return context;
}

int verify_one(const Arguments& args, const std::string& path, Clock& clock, bool first) {
  const auto file = PosixReadFile::open(path);
  if (!file) {
    return complain("verify", explain_session_error(path, file.error()));
  }
  Result<format::VerifyReport> report;
  format::VerifyOptions options;
  if (const auto named = format::named_redactors(); !named) {
    return complain("verify", {"the trust file cannot be used", describe(named.error()),
                               "correct it; nothing was verified"});
  } else {
    for (const auto& redactor : *named) {
      options.trusted_redactors.push_back(redactor.key);
    }
  }
  {
    ProgressLine progress(clock, "verify " + path);
    report = format::verify(
        **file, [&](auto done, auto total) { progress.update(done, total); }, options);
  }
  if (!report) {
    return complain("verify", explain_session_error(path, report.error()));
  }
  const auto context = look_around(path);
  if (args.has("--json")) {
    print_json(verify_to_json(*report, context));
  } else if (!args.has("--quiet")) {
    fmt::print("{}{}", first ? "" : "\n", render_verify(*report, context));
  }
  const int status = format::exit_status_of(report->verdict);
  if (status != k_exit_ok) {
    complain("verify", explain_verdict(*report, context));
  }
  return status;
}

int run(const Arguments& args) {
  SystemClock clock;
  int worst = k_exit_ok;
  bool first = true;
  std::vector<std::string> trails;
  for (const auto& path : args.words()) {
    if (is_trail_file(path)) {
      trails.push_back(path);
      continue;
    }
    worst = worse_status(worst, verify_one(args, path, clock, first));
    first = false;
  }
  if (!trails.empty()) {
    worst = worse_status(worst, verify_trail(trails, args.has("--json"), args.has("--quiet")));
  }
  return worst;
}

constexpr Option k_options[] = {
    {"--json", ValueKind::none, "", "one JSON object a line for each file (schema sworn.verify/1)"},
    {"-q,--quiet", ValueKind::none, "",
     "print nothing where the policy is met, else only the reason"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "sealed, closed and unchanged (identity: not pinned)"},
    {"1", "a file cannot be read, or the command line is wrong"},
    {"2", "a valid prefix only: open, crashed, or something unsealed at the end"},
    {"3", "something sealed was changed, removed, reordered or replaced"},
    {"4", "not one valid seal"},
    {"6", "a version, or a critical record, that this build does not know"},
};
constexpr Example k_examples[] = {
    {"sworn verify web1.sworn", "what is proven, what is missing, whose key it is"},
    {"sworn verify --json *.sworn | jq -r 'select(.exit_status!=0).path'",
     "the recordings that need a look"},
};

}  // namespace

constinit const Command k_cmd_verify = {
    .name = "verify",
    .summary = "say what is proven about recordings",
    .usage = "[--json] [--quiet] FILE...",
    .details =
        "Checks every record, hash and seal of each FILE. Integrity (what is sealed is unchanged), "
        "completeness (what is missing, open or lost) and identity (whose key) are three answers. "
        "With several files the exit status is the worst: 3, 1, 6, 4, 2, 0.",
    .operands = {"FILE", ValueKind::session, 1, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
