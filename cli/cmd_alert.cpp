// SPDX-License-Identifier: Apache-2.0
#include "audit/alert/alert_actions.hpp"
#include "audit/alert/alert_engine.hpp"
#include "audit/trail/trail_builder.hpp"
#include "base/printable.hpp"
#include "cli/alert_watch.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/progress.hpp"
#include "cli/session_link.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

namespace sworn::cli {
namespace {

using namespace audit::alert;

constexpr int k_exit_alerts = 2;

struct Tally {
  std::uint64_t alerts = 0;
  std::uint64_t commands = 0;
};

void print_hit(const AlertHit& hit, const AlertRule& rule, const std::string& path,
               const audit::trail::TrailEntry& entry, bool json) {
  if (json) {
    print_json({{"schema", "sworn.alert/1"},
                {"path", path},
                {"rule", rule.name},
                {"severity", rule.severity},
                {"about", rule.about},
                {"at", json_time(entry.at)},
                {"t", json_seconds(entry.t_us)},
                {"subject", name_of(hit.subject)},
                {"text", hit.text},
                {"command", hit.command == 0 ? Json() : Json(hit.command)},
                {"command_text", hit.command_text},
                {"event", hit.event},
                {"link", entry.link()}});
    return;
  }
  fmt::print("{}  {:<8}  {:<16}  {}{}\n", format_rfc3339(entry.at, 3), printable(rule.severity),
             printable(rule.name), hit.command == 0 ? "" : fmt::format("[cmd {}] ", hit.command),
             printable(entry.text));
}

Result<void> test_session(const std::string& word, const std::vector<AlertRule>& rules, bool json,
                          Tally& tally) {
  TRY_ASSIGN(const auto target, resolve_link(word));
  TRY_ASSIGN(auto session, open_session(target.file));
  auto& reader = *session.reader;
  TRY_ASSIGN(const auto clock, reader.clock_map());
  AlertEngine engine(rules);
  engine.set_clock(clock);
  audit::trail::TrailBuilder builder(reader.header(), clock, reader.first_time());
  std::vector<audit::trail::TrailEntry> ignored;
  SystemClock system_clock;
  ProgressLine progress(system_clock, "alert " + target.file);
  std::vector<AlertHit> hits;
  TRY(reader.seek_event(0));
  while (true) {
    TRY_ASSIGN(const auto event, reader.next());
    if (!event) {
      break;
    }
    progress.update(event->number, reader.event_count());
    if (event->kind == format::EventKind::session_start) {
      builder.add(*event, ignored);
    }
    tally.commands += event->kind == format::EventKind::command_end ? 1U : 0U;
    engine.add(*event, hits);
    for (const auto& hit : hits) {
      const auto& rule = engine.rules()[hit.rule];
      print_hit(hit, rule, target.file,
                entry_of(hit, rule, builder.session(), clock, reader.first_time()), json);
      ++tally.alerts;
    }
    hits.clear();
  }
  return {};
}

int complain_rules(const std::string& name, const Error& error) {
  return complain("alert", {"the rules cannot be used: " + name, describe(error),
                            "correct the file; sworn alert rules prints a working example"});
}

int test_rules(const Arguments& args) {
  if (args.words().size() < 3) {
    return complain_usage("alert", "test needs rules and at least one recording");
  }
  const auto rules = load_rules(args.word(1));
  if (!rules) {
    return complain_rules(args.word(1), rules.error());
  }
  Tally tally;
  int status = k_exit_ok;
  for (std::size_t i = 2; i < args.words().size(); ++i) {
    if (const auto done = test_session(args.word(i), *rules, args.has("--json"), tally); !done) {
      status = complain("alert", explain_session_error(args.word(i), done.error()),
                        exit_status_for(done.error()));
    }
  }
  if (!args.has("--json")) {
    fmt::print(stderr, "{} in {} of {}\n", count(tally.alerts, "alert", "alerts"),
               count(tally.commands, "command", "commands"),
               count(args.words().size() - 2, "recording", "recordings"));
  }
  return status != k_exit_ok ? status : tally.alerts > 0 ? k_exit_alerts : k_exit_ok;
}

int check_rules(const Arguments& args) {
  if (args.words().size() != 2) {
    return complain_usage("alert", "check needs one file of rules");
  }
  const auto rules = load_rules(args.word(1));
  if (!rules) {
    return complain_rules(args.word(1), rules.error());
  }
  for (const auto& rule : *rules) {
    fmt::print("{:<8}  {:<18}  {}\n", printable(rule.severity), printable(rule.name),
               printable(rule.about));
  }
  return k_exit_ok;
}

int watch(const Arguments& args) {
  if (args.words().size() != 3) {
    return complain_usage("alert", "watch needs rules and one recording");
  }
  AlertWatch watch;
  auto rules = load_rules(args.word(1));
  if (!rules) {
    return complain_rules(args.word(1), rules.error());
  }
  watch.rules = *std::move(rules);
  watch.session = args.word(2);
  watch.json = args.has("--json");
  return watch_session(watch);
}

int run(const Arguments& args) {
  const auto& what = args.word(0);
  if (what == "test") {
    return test_rules(args);
  }
  if (what == "check") {
    return check_rules(args);
  }
  if (what == "watch") {
    return watch(args);
  }
  if (what == "rules") {
    fmt::print("{}", default_alert_rules());
    return k_exit_ok;
  }
  return complain_usage(
      "alert", "the first word is test, watch, check or rules, not " + printable(what, 40));
}

constexpr Option k_options[] = {
    {"--json", ValueKind::none, "", "one JSON object a line for each alert (schema sworn.alert/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "no rule fired; check: the rules are good; watch: the session ended"},
    {"1", "rules or a recording cannot be read, or the command line is wrong"},
    {"2", "test: at least one rule fired"},
};
constexpr Example k_examples[] = {
    {"sworn alert test default web1.sworn", "what the shipped rules would have said"},
    {"sworn alert rules > my.toml; sworn alert check my.toml", "rules of your own"},
    {"sworn alert watch my.toml web1.sworn.part", "live, on a session that is being recorded"},
};

}  // namespace

constinit const Command k_cmd_alert = {
    .name = "alert",
    .summary = "run alert rules over recordings, old or live",
    .usage = "test [--json] RULES FILE... | watch [--json] RULES FILE | check RULES | rules",
    .details =
        "RULES is a TOML file, or the word default for the rules that sworn ships with, which "
        "sworn alert rules prints. A rule looks at command lines, executed programs, shown lines "
        "or opened files. sworn rec --alerts=RULES runs the rules while a session is recorded, and "
        "puts each alert on record.",
    .operands = {"WORD", ValueKind::file, 1, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
