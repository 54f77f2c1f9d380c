// SPDX-License-Identifier: Apache-2.0
#include "cli/log_with.hpp"

#include "audit/logs/line_topic.hpp"
#include "audit/logs/link.hpp"
#include "audit/logs/log_merge.hpp"
#include "audit/logs/offset_probe.hpp"
#include "audit/logs/session_facts.hpp"
#include "audit/logs/source_spec.hpp"
#include "audit/logs/time_format.hpp"
#include "base/printable.hpp"
#include "cli/json.hpp"
#include "cli/log_place.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/progress.hpp"
#include "cli/session_link.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace sworn::cli {
namespace {

using namespace audit::logs;

struct Wanted {
  std::vector<SourceSpec> sources;
  bool json = false;
  bool mine = false;
};

Result<double> number_of(const std::string& text, std::string_view option) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size() || !std::isfinite(value) ||
      std::fabs(value) > 1e9) {
    return fail(Errc::bad_usage, fmt::format("{} is a number of seconds", option));
  }
  return value;
}

Result<LogSourceOptions> common_options(const Arguments& args) {
  LogSourceOptions options;
  const auto zone = Zone::parse(args.value_or("--zone", "local"));
  if (!zone) {
    return fail(Errc::bad_usage, "--zone is local, UTC or an offset such as +02:00");
  }
  options.zone = *zone;
  options.time_field = args.value_or("--time-field", "");
  if (const auto format = args.value("--time-format")) {
    TRY(TimeFormat::check(*format));
    options.time_format = *format;
  }
  if (const auto offset = args.value("--offset")) {
    TRY_ASSIGN(const auto seconds, number_of(*offset, "--offset"));
    options.offset_us = std::llround(seconds * 1e6);
  }
  return options;
}

Result<Wanted> wanted(const Arguments& args) {
  Wanted out;
  out.json = args.has("--json");
  out.mine = args.has("--mine");
  TRY_ASSIGN(const auto options, common_options(args));
  for (const auto& path : args.values("--with")) {
    SourceSpec spec;
    spec.path = path;
    spec.rotated = !args.has("--no-rotated");
    spec.options = options;
    spec.options.name = path == "-" ? "stdin" : path.substr(path.rfind('/') + 1);
    out.sources.push_back(std::move(spec));
  }
  if (args.has("--journal")) {
    SourceSpec spec;
    spec.journal = true;
    spec.options = options;
    spec.options.name = "journal";
    out.sources.push_back(std::move(spec));
  }
  auto config = args.value("--sources");
  if (!config && args.has("--host-logs")) {
    config = std::string(k_host_sources);
  }
  if (config) {
    TRY_ASSIGN(auto specs, read_source_config(*config));
    for (auto& spec : specs) {
      out.sources.push_back(std::move(spec));
    }
  }
  return out;
}

class TimeLine {
 public:
  TimeLine(const SessionFacts& facts, const LogMerge& merge, LogSpan span, const Wanted& wanted)
      : facts_(facts), merge_(merge), span_(span), wanted_(wanted) {}

  void head() const {
    if (!wanted_.json) {
      fmt::print("{:<24}  {:>6}  {:<14}  {:<12}  {}\n", "TIME", "WITHIN", "SOURCE", "WHOSE",
                 "WHAT");
    }
  }

  void put_commands_until(MonoTime t) {
    const auto& commands = facts_.commands.commands();
    for (; next_ < commands.size() && commands[next_].begin <= t; ++next_) {
      if (span_.holds(commands[next_].begin, commands[next_].begin)) {
        put(commands[next_], next_ + 1);
      }
    }
  }
  void put_rest() { put_commands_until({INT64_MAX}); }

  void put(const MergedLine& line) {
    put_commands_until(line.entry.t);
    if (!span_.holds(line.entry.t, line.entry.until) ||
        (wanted_.mine && line.entry.relation != LogRelation::this_session)) {
      return;
    }
    if (wanted_.json) {
      put_json(line);
    } else {
      put_text(line);
    }
  }

 private:
  [[nodiscard]] double seconds(MonoTime t) const {
    return json_seconds(t.us - facts_.placement.window.from.us);
  }
  [[nodiscard]] std::string link(MonoTime t, std::optional<std::uint64_t> event) const {
    const auto from = facts_.placement.window.from.us;
    return to_text(
        SessionLink{facts_.host(), facts_.file_id, std::max<std::int64_t>(0, t.us - from), event});
  }

  void put(const CommandEntry& command, std::size_t number) const {
    const auto wall = facts_.placement.clock.to_wall(command.begin);
    if (!wanted_.json) {
      const auto status = command.ended ? fmt::format("status {}, {:.2f} s", command.exit_status,
                                                      json_seconds(command.duration_us()))
                                        : std::string("no end on record");
      fmt::print("{:<24}  {:>6}  {:<14}  {:<12}  $ {}  [cmd {}, {}]\n", format_rfc3339(wall, 3), "",
                 "command", "this session", printable(command.text), number, status);
      return;
    }
    print_json({{"schema", "sworn.command/1"},
                {"command", number},
                {"began", json_time(wall)},
                {"t", seconds(command.begin)},
                {"duration", command.ended ? Json(json_seconds(command.duration_us())) : Json()},
                {"status", command.ended ? Json(command.exit_status) : Json()},
                {"text", command.text},
                {"text_source", command.text_source},
                {"cwd", command.cwd},
                {"shell_pid", command.shell_pid},
                {"begin_event", command.begin_event},
                {"flags", command.flags},
                {"link", link(command.begin, command.begin_event)}});
  }

  // Lines of log files hold line feeds only where several were joined.
  void put_text(const MergedLine& line) const {
    const auto& entry = line.entry;
    const auto wall = facts_.placement.clock.to_wall(entry.t);
    const auto width = entry.until.us - entry.t.us;
    const auto within = width < 1'000     ? std::string()
                        : width < 900'000 ? fmt::format("{} ms", (width + 999) / 1'000)
                                          : fmt::format("{} s", (width + 999'999) / 1'000'000);
    std::string whose = entry.relation == LogRelation::this_session ? "this session"
                        : entry.relation == LogRelation::same_user  ? "same user"
                                                                    : "host";
    std::string_view rest = line.text;
    const auto first = rest.substr(0, rest.find('\n'));
    fmt::print("{:<24}  {:>6}  {:<14}  {:<12}  {}{}{}{}\n", format_rfc3339(wall, 3), within,
               printable(merge_.source(entry.source).name, 14), whose, printable(first),
               line.why.empty() ? "" : fmt::format("  ({})", printable(line.why)),
               entry.cut ? "  [cut: longer than a line may be]" : "",
               entry.ambiguous ? "  [the clock showed this time twice]" : "");
    for (auto at = first.size(); at < rest.size();) {
      const auto end = std::min(rest.find('\n', at + 1), rest.size());
      fmt::print("{:<24}  {:>6}  {:<14}  {:<12}  {}\n", "", "", "", "",
                 printable(rest.substr(at + 1, end - at - 1)));
      at = end;
    }
  }

  void put_json(const MergedLine& line) const {
    const auto& entry = line.entry;
    const auto command = facts_.commands.at(entry.t);
    const auto& commands = facts_.commands.commands();
    const bool running = command && entry.relation == LogRelation::this_session &&
                         (!commands[*command].ended || commands[*command].end >= entry.t);
    print_json({{"schema", "sworn.line/1"},
                {"at", json_time(facts_.placement.clock.to_wall(entry.t))},
                {"t", seconds(entry.t)},
                {"until", seconds(entry.until)},
                {"source", merge_.source(entry.source).name},
                {"line", entry.line},
                {"relation", name_of(entry.relation)},
                {"why", line.why},
                {"command", running ? Json(*command + 1) : Json()},
                {"severity", name_of(entry.severity)},
                {"topic", topic_of(line.text)},
                {"text", line.text},
                {"guessed", entry.guessed},
                {"ambiguous", entry.ambiguous},
                {"out_of_order", entry.out_of_order},
                {"inherited_time", entry.inherited_time},
                {"cut", entry.cut},
                {"link", link(entry.t, std::nullopt)}});
  }

  const SessionFacts& facts_;
  const LogMerge& merge_;
  LogSpan span_;
  const Wanted& wanted_;
  std::size_t next_ = 0;
};

// What was guessed, corrected, left out or broken is said, never assumed.
void tell_source(const LogSourceInfo& info, bool json) {
  if (json) {
    print_json({{"schema", "sworn.log_source/1"},
                {"name", info.name},
                {"format", name_of(info.format)},
                {"lines", info.lines},
                {"bytes", info.bytes},
                {"kept", info.kept},
                {"outside", info.outside},
                {"no_time", info.no_time},
                {"left_out", info.left_out},
                {"out_of_order", info.out_of_order},
                {"cut", info.cut},
                {"guessed_year", info.guessed_year},
                {"guessed_zone", info.guessed_zone},
                {"ambiguous", info.ambiguous},
                {"offset", json_seconds(info.offset_us)},
                {"anchors", info.anchors},
                {"error", info.error.empty() ? Json() : Json(info.error)}});
  }
  std::string notes;
  const auto add = [&](const std::string& note) { notes += (notes.empty() ? "" : "; ") + note; };
  if (info.lines == 0) {
    add("empty");
  } else if (info.format == LineFormat::unknown) {
    add("no line has a time that is understood: try --time-format or --time-field");
  }
  if (info.guessed_year) {
    add("the year is not in its lines and was guessed");
  }
  if (info.guessed_zone) {
    add("the zone is not in its lines: taken as --zone says (default: local)");
  }
  if (info.ambiguous) {
    add("the clock was set back: some times stand for two moments, the order of lines decided");
  }
  if (info.offset_us != 0) {
    add(fmt::format("its clock was corrected by {:+.3f} s{}", json_seconds(info.offset_us),
                    info.anchors > 0
                        ? fmt::format(", measured on {}", count(info.anchors, "line", "lines"))
                        : ", as told"));
  } else if (info.anchors > 0) {
    add(fmt::format("its clock is in step, measured on {}", count(info.anchors, "line", "lines")));
  }
  if (info.no_time > 0) {
    add(count(info.no_time, "line has no time", "lines have no time"));
  }
  if (info.out_of_order > 0) {
    add(count(info.out_of_order, "line is out of order", "lines are out of order"));
  }
  if (info.cut > 0) {
    add(count(info.cut, "line was cut at 1 MiB", "lines were cut at 1 MiB"));
  }
  if (!info.error.empty()) {
    add("BROKE OFF: " + info.error);
  }
  fmt::print(stderr, "{}: {} of {} ({}){}{}\n", printable(info.name), grouped(info.kept),
             count(info.lines, "line", "lines"), name_of(info.format), notes.empty() ? "" : "; ",
             printable(notes));
}

// A source whose clock is off, as far as that can be measured, is put right, and that is said. One
// that was told an offset, or that cannot be read twice, is taken as it is.
void apply_offset(LogSourceOptions& options, const SourceSpec& spec, const SessionFacts& facts) {
  if (options.offset_us != 0 || spec.path == "-" || facts.commands.commands().size() < 2) {
    return;
  }
  auto again = open_source(spec, facts.placement);
  if (!again) {
    return;
  }
  const auto measured = measure_offset(std::move(again->stream), options, facts);
  if (!measured) {
    return;
  }
  options.anchors = measured->lines;
  if (std::abs(measured->add_us) > measured->fineness_us) {
    options.offset_us = measured->add_us;
  }
}

Result<int> show(const Arguments& args) {
  TRY_ASSIGN(const auto want, wanted(args));
  TRY_ASSIGN(const auto target, resolve_link(args.word(0)));
  TRY_ASSIGN(auto session, open_session(target.file));
  TRY_ASSIGN(auto facts, read_session_facts(*session.reader));
  TRY_ASSIGN(const auto span, log_span(args, target, facts));
  LogMerge merge(facts.placement, facts.lineage);
  int status = k_exit_ok;
  for (const auto& spec : want.sources) {
    auto opened = open_source(spec, facts.placement);
    if (!opened) {
      status = complain(
          "log", {fmt::format("cannot read {}", spec.path.empty() ? "the journal" : spec.path),
                  describe(opened.error()),
                  "check the name and the permissions; the other sources are shown"});
      continue;
    }
    if (opened->files > 1) {
      fmt::print(stderr, "{}: with {}\n", printable(spec.options.name),
                 count(opened->files - 1, "rotated file", "rotated files"));
    }
    auto options = spec.options;
    apply_offset(options, spec, facts);
    merge.add(std::move(opened->stream), std::move(options));
  }
  TimeLine line(facts, merge, span, want);
  line.head();
  while (auto next = merge.next()) {
    line.put(*next);
  }
  line.put_rest();
  std::fflush(stdout);
  for (std::size_t i = 0; i < merge.source_count(); ++i) {
    tell_source(merge.source(i), want.json);
    status = merge.source(i).error.empty() ? status : k_exit_failure;
  }
  return status;
}

}  // namespace

bool wants_log_lines(const Arguments& args) {
  return args.has("--with") || args.has("--journal") || args.has("--host-logs") ||
         args.has("--sources") || args.has("--at");
}

int log_with(const Arguments& args) {
  const auto done = show(args);
  if (done) {
    return *done;
  }
  if (done.error().code == Errc::bad_usage) {
    const auto config = args.value("--sources").value_or(std::string(k_host_sources));
    return done.error().context.starts_with(config + ":")
               ? complain("log", {"the list of logs cannot be used: " + config,
                                  done.error().context, "correct the file (man sworn-log, FILES)"})
               : complain_usage("log", done.error().context);
  }
  return complain("log", explain_session_error(args.word(0), done.error()),
                  exit_status_for(done.error()));
}

}  // namespace sworn::cli
