// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/clip_commands.hpp"
#include "cli/commands.hpp"
#include "cli/explain.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/progress.hpp"
#include "cli/verify_sources.hpp"
#include "cli/verify_text.hpp"
#include "cli/verify_trail.hpp"
#include "format/clip.hpp"

#include <fmt/format.h>

#include <filesystem>

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

// Nothing is remembered of a ledger that somebody could not vouch for, unless he is told to.
void remember(const Arguments& args, const VerifySources& sources,
              const format::Evidence& evidence) {
  const auto remembered = sources.remember(evidence, args.has("--remember"));
  if (!remembered) {
    complain("verify",
             {"what was seen of the ledger could not be remembered", describe(remembered.error()),
              "an older copy of it will not be noticed; see sworn trust ls"});
  }
}

Result<std::vector<Ground>> grounds_of(const VerifySources& sources,
                                       const format::Evidence& evidence, const ReadFile& file) {
  const auto& header = evidence.session.header;
  const std::string directory = sources.ledger_directory(header ? &*header : nullptr);
  std::unique_ptr<PosixReadFile> ledger;
  if (!directory.empty()) {
    TRY_ASSIGN(ledger, open_ledger_entries(directory));
  }
  return explain_evidence(evidence, file, ledger.get());
}

int verify_one(const Arguments& args, const VerifySources& sources, const std::string& path,
               Clock& clock, bool first) {
  const auto file = PosixReadFile::open(path);
  if (!file) {
    return complain("verify", explain_session_error(path, file.error()));
  }
  if (format::is_clip(**file)) {
    return verify_clip_file(args, sources, path, **file);
  }
  Result<format::Evidence> evidence;
  {
    ProgressLine progress(clock, "verify " + path);
    evidence = sources.gather(**file, [&](auto done, auto total) { progress.update(done, total); });
  }
  if (!evidence) {
    return complain("verify", explain_session_error(path, evidence.error()));
  }
  const auto context = look_around(path);
  std::vector<Ground> grounds;
  if (args.has("--explain")) {
    auto explained = grounds_of(sources, *evidence, **file);
    if (!explained) {
      return complain("verify", explain_session_error(path, explained.error()));
    }
    grounds = std::move(*explained);
  }
  if (args.has("--json")) {
    auto json = verify_to_json(*evidence, context);
    if (args.has("--explain")) {
      json["explain"] = grounds_json(grounds);
    }
    print_json(json);
  } else if (!args.has("--quiet")) {
    fmt::print("{}{}", first ? "" : "\n", render_verify(*evidence, context));
    if (args.has("--explain")) {
      fmt::print("\n{}", render_grounds(grounds));
    }
  }
  remember(args, sources, *evidence);
  const int status = evidence->exit_status();
  if (status != k_exit_ok) {
    complain("verify", explain_verdict(*evidence, context));
  }
  return status;
}

bool is_regular_file(const std::string& path) {
  std::error_code problem;
  return std::filesystem::is_regular_file(path, problem);
}

int run(const Arguments& args) {
  const auto sources = VerifySources::from(args);
  if (!sources) {
    return complain("verify", {"what to verify with cannot be used", describe(sources.error()),
                               "see --ledger, --trust and --anchor in sworn verify --help"});
  }
  if (args.has("--prove")) {
    return args.words().size() == 1
               ? prove_range(args, *sources, args.word(0))
               : complain_usage("verify", "--prove makes a clip of one recording");
  }
  SystemClock clock;
  int worst = k_exit_ok;
  bool first = true;
  std::vector<std::string> trails;
  for (const auto& path : args.words()) {
    // Only a regular file is looked into: the first look at a FIFO waits for a writer, for ever.
    if (is_regular_file(path) && is_trail_file(path)) {
      trails.push_back(path);
      continue;
    }
    worst = worse_status(worst, verify_one(args, *sources, path, clock, first));
    first = false;
  }
  if (!trails.empty()) {
    worst = worse_status(worst, verify_trail(trails, args.has("--json"), args.has("--quiet")));
  }
  return worst;
}

constexpr Option k_options[] = {
    {"--ledger", ValueKind::directory, "DIR|none",
     "the ledger to hold it against (default: the user's or the host's, where the session is in "
     "it)"},
    {"--trust", ValueKind::file, "FILE|none",
     "whom to believe (default: $XDG_CONFIG_HOME/sworn/trust and /etc/sworn/trust)"},
    {"--anchor", ValueKind::file, "FILE",
     "checkpoints of the ledger that were kept elsewhere: a note, or the log of a log host"},
    {"--require", ValueKind::choice, "ledger|pin|anchor",
     "more than sealed and closed: in a ledger, in one that an administrator pinned, anchored"},
    {"--no-redaction", ValueKind::none, "", "refuse redacted copies"},
    {"--remember", ValueKind::none, "",
     "pin a ledger that the trust store does not know, as first use"},
    {"--explain", ValueKind::none, "", "also which bytes of which file each statement rests on"},
    {"--prove", ValueKind::text, "T1..T2",
     "make a clip of this part that proves itself offline (-o), as 12.5..60 or \"cmd 3..cmd 5\""},
    {"-o,--output", ValueKind::file, "CLIP", "--prove: its name; never over another file"},
    {"--events", ValueKind::none, "", "of a clip: what it shows, one JSON object a line"},
    {"--json", ValueKind::none, "", "one JSON object a line for each file (schema sworn.verify/1)"},
    {"-q,--quiet", ValueKind::none, "",
     "print nothing where the policy is met, else only the reason"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "sealed, closed, unchanged, and as much as --require wants"},
    {"1", "a file cannot be read, or the command line is wrong"},
    {"2", "a valid prefix only (open, crashed, unsealed at the end), or times in doubt"},
    {"3", "changed, truncated, not in its ledger, or the ledger was rolled back or does not hold"},
    {"4", "not one valid seal, or less than --require wants"},
    {"5", "redacted by somebody whom nobody named, or --no-redaction"},
    {"6", "a version, or a critical record, that this build does not know"},
};
constexpr Example k_examples[] = {
    {"sworn verify web1.sworn", "what is proven, what is missing, whose key it is"},
    {"sworn verify --json *.sworn | jq -r 'select(.exit_status!=0).path'",
     "the recordings that need a look"},
    {"sworn verify --require anchor --anchor /var/log/loghost/db-07.log web1.sworn",
     "also that nothing was removed, by the checkpoints on the log host"},
};

}  // namespace

constinit const Command k_cmd_verify = {
    .name = "verify",
    .summary = "say what is proven about recordings",
    .usage = "[OPTIONS] FILE...",
    .details =
        "Checks every record, hash and seal of each FILE. Integrity (what is sealed is unchanged), "
        "completeness (what is missing, open or lost) and identity (whose key) are three answers. "
        "Where "
        "its ledger is at hand, the ledger says whether it is the whole session, and witnesses, "
        "time "
        "stamps and checkpoints kept elsewhere whether it is the whole ledger. "
        "With several files the exit status is the worst: 3, 1, 6, 4, 5, 2, 0.",
    .operands = {"FILE", ValueKind::session, 1, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
