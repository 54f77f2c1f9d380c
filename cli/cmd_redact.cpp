// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "base/scope_exit.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "format/digest.hpp"
#include "format/ledger_session.hpp"
#include "format/redactor_key.hpp"
#include "format/trust.hpp"
#include "player/recording.hpp"
#include "player/redaction_finder.hpp"
#include "player/screen_dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iostream>
#include <map>
#include <optional>

#include <pwd.h>
#include <unistd.h>

namespace sworn::cli {
namespace {

constexpr int k_exit_refused = 5;
constexpr int k_max_rounds = 10;
constexpr std::uint64_t k_max_pattern_file = 1U << 20U;

// What a failure is about decides how it is told; empty: it was told.
struct Failure {
  int status = k_exit_failure;
};
using Outcome = std::optional<Failure>;  // nullopt: fine

struct Plan {
  std::string path;
  std::string out;
  std::string actor;
  std::string reason;
  player::RedactQuery query;
  std::optional<format::SigningKey> key;
  std::optional<std::string> key_name;  // as the trust file has it
  format::RecipientGroups recipients;   // of the copy of an encrypted recording
  format::Replacements replacements;
  player::RedactFound found;
};

Outcome told(int status) {
  return Failure{status};
}
Outcome usage(std::string_view what) {
  return told(complain_usage("redact", what));
}

// --- who

bool header_names(const format::SessionHeader& header, const format::PublicKey& key) {
  const auto& all = header.redactors;
  for (std::size_t at = 0; at + key.size() <= all.size(); at += key.size()) {
    if (std::equal(key.begin(), key.end(), all.begin() + static_cast<std::ptrdiff_t>(at))) {
      return true;
    }
  }
  return false;
}

// The name that a trust store gives to the key.
Result<std::optional<std::string>> name_in_trust(const format::PublicKey& key) {
  TRY_ASSIGN(const auto named, format::named_redactors());
  const auto found = std::find_if(named.begin(), named.end(),
                                  [&](const auto& redactor) { return redactor.key == key; });
  return found == named.end() ? std::nullopt : std::optional(found->name);
}

std::string own_name() {
  const auto* entry = ::getpwuid(::getuid());
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  return std::string(entry != nullptr ? entry->pw_name : std::to_string(::getuid())) + "@" + host;
}

Outcome find_redactor(const Arguments& args, const player::Recording& recording, Plan& plan) {
  const auto path = args.value("--key");
  if (!path) {
    return usage("the redactor's key is missing: --key FILE");
  }
  auto key = format::read_redactor_key(*path);
  if (!key) {
    return told(complain("redact", {*path + ": no key of a redactor", describe(key.error()),
                                    "sworn keys makes one; keep it readable by its owner only"}));
  }
  plan.key.emplace(*std::move(key));
  auto name = name_in_trust(plan.key->public_key());
  if (!name) {
    return told(complain("redact", {"the trust file cannot be used", describe(name.error()),
                                    "sworn trust ls says what is wrong with it"}));
  }
  plan.key_name = *std::move(name);
  if (!plan.key_name && !header_names(recording.header(), plan.key->public_key())) {
    return told(complain(
        "redact",
        {"this key may not redact: " + format::to_hex(plan.key->public_key()),
         "neither the signed header of the recording nor a trust file names it; verifiers would "
         "refuse the copy",
         "let the keeper of the trust file name it: sworn trust --help"},
        k_exit_refused));
  }
  plan.actor = args.value_or("--actor", plan.key_name.value_or(own_name()));
  return std::nullopt;
}

// --- what

Outcome add_pattern(const std::string& pattern, bool literal, Plan& plan) {
  auto matcher = player::Matcher::compile(
      pattern, literal ? player::PatternKind::text : player::PatternKind::regex);
  if (!matcher) {
    return usage(describe(matcher.error()));
  }
  plan.query.matchers.push_back(*std::move(matcher));
  return std::nullopt;
}

// One pattern on each line: they stand in no process list and in no shell history.
Outcome add_pattern_file(const std::string& path, bool literal, Plan& plan) {
  Bytes bytes;
  if (path == "-") {
    std::string line;
    while (std::getline(std::cin, line)) {
      append(bytes, as_bytes(line + "\n"));
    }
  } else {
    auto read = read_whole_file(path, k_max_pattern_file);
    if (!read) {
      return told(complain("redact", {path + ": the patterns cannot be read",
                                      describe(read.error()), "one pattern on each line"}));
    }
    bytes = *std::move(read);
  }
  std::string_view text = as_text(bytes);
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0) {
      if (auto failed = add_pattern(std::string(text.substr(0, end)), literal, plan)) {
        return failed;
      }
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::nullopt;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> number_range(const std::string& text) {
  std::uint64_t first = 0;
  const char* const end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, first);
  if (error != std::errc()) {
    return std::nullopt;
  }
  std::uint64_t last = first;
  if (at != end) {
    if (end - at < 3 || at[0] != '.' || at[1] != '.') {
      return std::nullopt;
    }
    const auto rest = std::from_chars(at + 2, end, last);
    if (rest.ec != std::errc() || rest.ptr != end) {
      return std::nullopt;
    }
  }
  return last < first ? std::nullopt : std::optional(std::pair(first, last));
}

// What a range of time takes with it: everything that says something. Sizes, clocks, the fact that
// keys were pressed, and gaps (which are evidence of loss) stay.
bool says_something(format::EventKind kind) {
  using format::EventKind;
  switch (kind) {
    case EventKind::input_hidden:
    case EventKind::typed:
    case EventKind::resize:
    case EventKind::signal:
    case EventKind::clock:
    case EventKind::gap:
    case EventKind::exit:
    case EventKind::end_of_input:
    case EventKind::capture:
      return false;
    default:
      return true;
  }
}

struct TimeRange {
  player::Place from;
  player::Place to;
  [[nodiscard]] bool holds(const format::EventView& event) const {
    const bool behind = from.by_position ? event.number >= from.position : event.t >= from.t;
    const bool before = to.by_position ? event.number < to.position : event.t <= to.t;
    return behind && before;
  }
};

Result<std::vector<TimeRange>> time_ranges(const Arguments& args,
                                           const player::Recording& recording) {
  std::vector<TimeRange> out;
  for (const auto& text : args.values("--time")) {
    const auto dots = text.find("..");
    if (dots == std::string::npos) {
      return fail(Errc::bad_usage, "--time is FROM..TO");
    }
    TimeRange range;
    TRY_ASSIGN(range.from, player::find_place(recording, text.substr(0, dots)));
    TRY_ASSIGN(range.to, player::find_place(recording, text.substr(dots + 2)));
    out.push_back(std::move(range));
  }
  return out;
}

struct Wanted {
  std::vector<TimeRange> times;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> numbers;
  std::set<std::uint64_t> found;
};

// Makes replacements of what is wanted. A stub opens each run of removed events of one kind.
class Masker {
 public:
  Masker(const Wanted& wanted, Plan& plan) : wanted_(wanted), plan_(plan) {}

  void take(const format::EventView& event) {
    const bool by_number =
        std::any_of(wanted_.numbers.begin(), wanted_.numbers.end(), [&](const auto& range) {
          return event.number >= range.first && event.number <= range.second;
        });
    const bool by_time = says_something(event.kind) &&
                         std::any_of(wanted_.times.begin(), wanted_.times.end(),
                                     [&](const TimeRange& range) { return range.holds(event); });
    if (event.redacted || !(by_number || by_time || wanted_.found.contains(event.number))) {
      return;
    }
    const auto last = last_.find(event.kind);
    const bool first = last == last_.end() || event.number - last->second > k_run_gap;
    last_[event.kind] = event.number;
    plan_.replacements[event.number] = player::redaction_stub(event, plan_.actor, first);
  }

 private:
  static constexpr std::uint64_t k_run_gap = 4;  // keys and their echoes take turns
  const Wanted& wanted_;
  Plan& plan_;
  std::map<format::EventKind, std::uint64_t> last_;
};

Result<void> mask(player::EventSource& source, const Wanted& wanted, Plan& plan) {
  constexpr std::size_t k_few = 2'000;  // looked up one by one; more are met on the way
  plan.replacements.clear();
  Masker masker(wanted, plan);
  if (wanted.times.empty() && wanted.numbers.empty() && wanted.found.size() <= k_few) {
    for (const auto number : wanted.found) {
      TRY(source.seek_event(number));
      TRY_ASSIGN(const auto event, source.next());
      if (event) {
        masker.take(*event);
      }
    }
    return {};
  }
  TRY(source.seek_event(0));
  while (true) {
    TRY_ASSIGN(const auto event, source.next());
    if (!event) {
      return {};
    }
    masker.take(*event);
  }
}

// Where a text may have been painted twice, the recording is searched again as the copy will be,
// until nothing is found any more.
Result<void> find_and_mask(const Arguments& args, const player::Recording& recording, Plan& plan) {
  Wanted wanted;
  TRY_ASSIGN(wanted.times, time_ranges(args, recording));
  for (const auto& text : args.values("--event")) {
    const auto range = number_range(text);
    if (!range) {
      return fail(Errc::bad_usage, "--event is a number, or FIRST..LAST");
    }
    wanted.numbers.push_back(*range);
  }
  TRY_ASSIGN(const auto source, recording.open_source());
  SystemClock clock;
  ProgressLine progress(clock, "search " + plan.path);
  const auto total = source->end_position();
  for (int round = 0; round < k_max_rounds; ++round) {
    const auto tell = [&](std::uint64_t event) { progress.update(event, total); };
    player::MaskedSource masked(*source, plan.replacements);
    TRY_ASSIGN(auto now, player::find_redactions(masked, recording.setup(), plan.query, tell));
    const bool named = round == 0 && !(wanted.times.empty() && wanted.numbers.empty());
    if (now.events.empty() && !named) {
      return {};
    }
    wanted.found.insert(now.events.begin(), now.events.end());
    plan.found.matches += now.matches;
    plan.found.widened_lines += now.widened_lines;
    TRY(mask(*source, wanted, plan));
    if (!now.look_again) {
      return {};
    }
  }
  return fail(Errc::exhausted, "the text keeps reappearing after ten rounds of removal");
}

bool would_tell(const Plan& plan) {
  for (const auto& matcher : plan.query.matchers) {
    for (const auto* text : {&plan.reason, &plan.actor}) {
      if (const auto match = matcher->find(*text); match && match->length > 0) {
        return true;
      }
    }
  }
  return false;
}

Outcome read_query(const Arguments& args, Plan& plan) {
  const bool literal = args.has("--literal");
  for (const auto& pattern : args.values("--match")) {
    if (auto failed = add_pattern(pattern, literal, plan)) {
      return failed;
    }
  }
  for (const auto& path : args.values("--match-file")) {
    if (auto failed = add_pattern_file(path, literal, plan)) {
      return failed;
    }
  }
  if (const auto scope = args.value("--scope")) {
    const auto scopes = player::parse_scopes(*scope);
    if (!scopes) {
      return usage(describe(scopes.error()));
    }
    plan.query.scopes = *scopes;
  }
  if (plan.query.matchers.empty() && args.values("--time").empty() &&
      args.values("--event").empty()) {
    return usage("it does not say what to remove: --match, --match-file, --time or --event");
  }
  return std::nullopt;
}

// Whom the copy of an encrypted recording is for: as named, else as the recording itself.
Outcome read_recipients(const Arguments& args, const player::Recording& recording, Plan& plan) {
  if (!recording.encrypted() || args.has("--decrypt")) {
    return std::nullopt;
  }
  const auto named = args.values("--encrypt-to");
  std::vector<std::vector<std::string>> groups{named};
  if (named.empty()) {
    const auto descriptor = format::decode_encryption_descriptor(recording.header().encryption);
    groups = descriptor ? descriptor->groups : groups;
  }
  for (const auto& group : groups) {
    auto& recipients = plan.recipients.emplace_back();
    for (const auto& text : group) {
      const auto read = format::read_recipients(text);
      if (!read) {
        return told(
            complain("redact", {"cannot tell whom to encrypt the copy to", describe(read.error()),
                                "name recipients with --encrypt-to, or --decrypt"}));
      }
      recipients.insert(recipients.end(), read->begin(), read->end());
    }
  }
  return std::nullopt;
}

// --- the copy

struct Done {
  format::RedactReport report;
  format::Digest digest{};
  std::uint64_t bytes = 0;
  std::string ledger;  // what became of the entry
};

Result<Done> write_copy(const player::Recording& recording, const Plan& plan, AppendFile& out) {
  SystemClock clock;
  format::SystemEntropy entropy;
  ProgressLine progress(clock, "redact " + plan.path);
  format::RedactRequest request;
  request.replacements = &plan.replacements;
  request.redactor = &*plan.key;
  request.actor = plan.actor;
  request.reason = plan.reason;
  request.keys = &format::KeyRing::of_process();
  request.recipients = plan.recipients.empty() ? nullptr : &plan.recipients;
  request.progress = [&](auto done, auto total) { progress.update(done, total); };
  Done done;
  TRY_ASSIGN(done.report, format::redact(recording.file(), request, clock, entropy, out));
  return done;
}

void print_report(const Plan& plan, const Done& done) {
  fmt::print("redacted      {} ({})\n", printable(plan.out), human_bytes(done.bytes));
  fmt::print("removed       {} in {}{}\n", count(done.report.removed_now, "event", "events"),
             count(done.report.chunks_touched, "chunk", "chunks"),
             done.report.removed_before > 0
                 ? fmt::format("; {} before", count(done.report.removed_before, "event", "events"))
                 : "");
  if (!plan.query.matchers.empty()) {
    fmt::print("matches       {}\n", grouped(plan.found.matches));
  }
  if (plan.found.widened_lines > 0) {
    fmt::print("typed lines   {} removed whole, so that their keystrokes do not tell a length\n",
               plan.found.widened_lines);
  }
  fmt::print("by            {} (key {})\n", printable(plan.actor),
             format::to_hex(plan.key->public_key()).substr(0, 16));
  fmt::print("reason        {}\n", printable(plan.reason));
  if (done.ledger == "entered") {
    fmt::print("ledger        tells of this copy\n");
  }
  fmt::print("kept          {}, unchanged: it still holds what was removed\n",
             printable(plan.path));
}

Json to_json(const Plan& plan, const Done& done) {
  return {{"schema", "sworn.redact/1"},
          {"path", plan.path},
          {"output", plan.out},
          {"removed", done.report.removed_now},
          {"removed_before", done.report.removed_before},
          {"chunks_touched", done.report.chunks_touched},
          {"matches", plan.found.matches},
          {"widened_lines", plan.found.widened_lines},
          {"actor", plan.actor},
          {"reason", plan.reason},
          {"key", format::to_hex(plan.key->public_key())},
          {"digest", format::to_hex(done.digest)},
          {"ledger", done.ledger}};
}

int explain_redact_error(const Plan& plan, const Error& error) {
  if (error.code == Errc::bad_usage) {
    return complain("redact",
                    {plan.path + ": cannot be redacted", describe(error),
                     "sworn verify says what state it is in; salvage a crashed one first"});
  }
  return complain("redact", explain_session_error(plan.path, error), exit_status_for(error));
}

// The copy is made: a ledger that cannot be written is told, not a reason to take it back.
std::string enter_in_ledger(const format::SessionHeader& header, const Plan& plan,
                            const Done& done) {
  const auto entered = note_in_ledger(
      header, format::LedgerRedaction{header.file_id, done.digest, plan.actor, plan.reason});
  if (!entered) {
    complain("redact", {"the copy was made, but the ledger does not tell of it",
                        describe(entered.error()), "enter it by hand: sworn ledger --help"});
    return "failed";
  }
  return *entered ? "entered" : "not here";
}

int redact_to(const player::Recording& recording, const Arguments& args, const Plan& plan) {
  auto out = PosixAppendFile::create(plan.out);
  if (!out) {
    return complain("redact", explain_output_error(plan.out, out.error()));
  }
  ScopeExit remove([&] { ::unlink(plan.out.c_str()); });  // half a copy looks like a whole one
  auto done = write_copy(recording, plan, **out);
  if (!done) {
    return explain_redact_error(plan, done.error());
  }
  auto finished = sync_parent_directory(plan.out);
  const auto copy = PosixReadFile::open(plan.out);
  if (!finished || !copy) {
    return complain("redact",
                    explain_output_error(plan.out, finished ? copy.error() : finished.error()));
  }
  const auto digest = format::digest_of(**copy);
  if (!digest) {
    return complain("redact", explain_output_error(plan.out, digest.error()));
  }
  done->digest = digest->digest;
  done->bytes = digest->bytes;
  remove.dismiss();
  done->ledger = enter_in_ledger(recording.header(), plan, *done);
  if (args.has("--json")) {
    print_json(to_json(plan, *done));
  } else {
    print_report(plan, *done);
  }
  return k_exit_ok;
}

int run(const Arguments& args) {
  Plan plan;
  plan.path = args.word(0);
  const auto out = args.value("--output");
  const auto reason = args.value("--reason");
  if (!out) {
    return complain_usage("redact", "the copy needs a name: -o OUT");
  }
  if (!reason || reason->empty()) {
    return complain_usage("redact",
                          "a redaction needs a reason, which the copy tells: --reason TEXT");
  }
  plan.out = *out;
  plan.reason = *reason;
  if (const auto failed = read_query(args, plan)) {
    return failed->status;
  }
  const auto recording = player::Recording::open(plan.path);
  if (!recording) {
    return complain("redact", explain_session_error(plan.path, recording.error()),
                    exit_status_for(recording.error()));
  }
  if (const auto failed = find_redactor(args, **recording, plan)) {
    return failed->status;
  }
  if (const auto failed = read_recipients(args, **recording, plan)) {
    return failed->status;
  }
  if (would_tell(plan)) {
    return complain("redact", {"the reason or the name would tell what is to be removed",
                               "it matches the pattern, and everybody who has the copy reads it",
                               "say it in other words"});
  }
  if (const auto found = find_and_mask(args, **recording, plan); !found) {
    return found.error().code == Errc::bad_usage ? complain_usage("redact", describe(found.error()))
                                                 : explain_redact_error(plan, found.error());
  }
  if (plan.replacements.empty()) {
    return complain("redact",
                    {plan.path + ": nothing to remove was found",
                     "no event matches in the scopes that were searched",
                     "no copy was made; check the pattern with sworn screen or sworn export"});
  }
  return redact_to(**recording, args, plan);
}

constexpr Option k_options[] = {
    {"-o,--output", ValueKind::file, "OUT",
     "name of the copy; an existing file is never overwritten"},
    {"--match", ValueKind::text, "REGEX",
     "remove every event that holds a part of a match; may be repeated. Shells and process lists "
     "remember it: see --match-file"},
    {"--match-file", ValueKind::file, "PATTERNS",
     "the same, one on each line; - is standard input"},
    {"--literal", ValueKind::none, "", "the patterns are plain text"},
    {"--scope", ValueKind::text, "LIST",
     "where to look: output,input,screen,commands,logs (default all)"},
    {"--time", ValueKind::time, "FROM..TO",
     "remove everything said in that time; places as sworn play takes them"},
    {"--event", ValueKind::number, "N", "remove event N, or N..M; may be repeated"},
    {"--reason", ValueKind::text, "TEXT", "why, told by the copy; needed"},
    {"--actor", ValueKind::text, "NAME",
     "who, told by the copy (default: the key's name in the trust file)"},
    {"--key", ValueKind::file, "KEY", "private key of a redactor whom header or trust file name"},
    {"--encrypt-to", ValueKind::file, "RECIPIENT|FILE",
     "of an encrypted recording: whom the copy is for (default: the same); may be repeated"},
    {"--decrypt", ValueKind::none, "", "of an encrypted recording: the copy is in clear"},
    {"--json", ValueKind::none, "", "what was done as one JSON object (schema sworn.redact/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the copy was made"},
    {"1", "nothing was found, a file cannot be read or written, or the command line is wrong"},
    {"5", "the key is not one that may redact this recording"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn redact web1.sworn -o r.sworn --match-file - --literal --reason token --key dpo.key",
     "the token is typed in, and stands in no history"},
    {"sworn redact web1.sworn -o r.sworn --time 1:02:03..1:05:00 --reason call --key dpo.key",
     "everything said in three minutes"},
};

}  // namespace

constinit const Command k_cmd_redact = {
    .name = "redact",
    .summary = "copy a recording without what must not be seen",
    .usage = "FILE -o OUT --reason=WHY --key=KEY --match=RE|--time=T..T [OPTIONS]",
    .details =
        "Writes OUT: every seal of the recorder still holds, each removed event is a marked hole, "
        "and a signed note tells who removed how much, when and why. Nothing of a removed event is "
        "left, not its length nor a hash that could be tried out. FILE is never changed. Text is "
        "found across events, under escape sequences and as it stood on the screen.",
    .operands = {"FILE", ValueKind::session, 1, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
