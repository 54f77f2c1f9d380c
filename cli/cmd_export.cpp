// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "base/scope_exit.hpp"
#include "cli/arguments.hpp"
#include "cli/case_bundle.hpp"
#include "cli/commands.hpp"
#include "cli/ledger_place.hpp"
#include "cli/log_trail.hpp"
#include "cli/message.hpp"
#include "cli/text.hpp"
#include "player/export.hpp"
#include "player/position_spec.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>

#include <unistd.h>

namespace sworn::cli {
namespace {

int explain(const std::string& file, const std::string& out, const Error& error, bool sink_failed) {
  if (sink_failed) {
    return complain("export", explain_output_error(out, error));
  }
  return complain("export", explain_session_error(file, error), exit_status_for(error));
}

int export_to_stdout(const std::string& file, const player::ExportOptions& options) {
  if (player::is_raw(options.format) && ::isatty(STDOUT_FILENO) == 1) {
    return complain("export",
                    {fmt::format("{} is not written to a terminal", name_of(options.format)),
                     "the bytes of a recording could do anything to it",
                     "name a file with -o, or sworn play FILE"});
  }
  bool sink_failed = false;
  const auto report = player::export_recording(file, options, [&](std::string_view bytes) {
    if (std::fwrite(bytes.data(), 1, bytes.size(), stdout) != bytes.size()) {
      sink_failed = true;
      return Result<void>(fail_sys(errno, "standard output"));
    }
    return Result<void>();
  });
  return report ? k_exit_ok : explain(file, "standard output", report.error(), sink_failed);
}

int export_to_file(const std::string& file, const std::string& out_path,
                   const player::ExportOptions& options) {
  auto out = PosixAppendFile::create(out_path);
  if (!out) {
    return complain("export", explain_output_error(out_path, out.error()));
  }
  ScopeExit remove([&] { ::unlink(out_path.c_str()); });  // half an export looks like a whole one
  bool sink_failed = false;
  const auto report = player::export_recording(file, options, [&](std::string_view bytes) {
    auto written = (*out)->append(as_bytes(bytes));
    sink_failed = !written;
    return written;
  });
  if (!report) {
    return explain(file, out_path, report.error(), sink_failed);
  }
  remove.dismiss();
  fmt::print(stderr, "{}: {} from {}, {}\n", printable(out_path), human_bytes(report->bytes),
             count(report->events, "event", "events"), report->verdict);
  return k_exit_ok;
}

int run(const Arguments& args) {
  if (const auto bundle = args.value("--bundle")) {
    return export_bundle(args, *bundle);
  }
  if (args.words().size() != 1) {
    return complain_usage("export", "one FILE at a time, but for --bundle");
  }
  if (const auto form = args.value_or("--format", "text"); is_trail_format(form)) {
    return export_trail(args, form);
  }
  player::ExportOptions options;
  const auto format = player::export_format_from_name(args.value_or("--format", "text"));
  if (!format) {
    return complain_usage("export", "there is no such format");
  }
  options.format = *format;
  for (const auto* option : {"--from", "--to"}) {
    if (const auto place = args.value(option)) {
      if (const auto parsed = player::parse_place(*place); !parsed) {
        return complain_usage("export", describe(parsed.error()));
      }
    }
  }
  options.from = args.value("--from");
  options.to = args.value("--to");
  options.verify = !args.has("--no-verify");
  note_view("export", args.word(0), "export " + std::string(name_of(options.format)));
  const auto out = args.value("--output");
  return out ? export_to_file(args.word(0), *out, options)
             : export_to_stdout(args.word(0), options);
}

constexpr Option k_options[] = {
    {"-f,--format", ValueKind::choice, "text|asciicast|asciicast2|html|svg|jsonl|raw|ecs|ocsf",
     "what to make (default text: a readable transcript)"},
    {"-o,--output", ValueKind::file, "OUT",
     "name of the copy, never overwritten (default: standard output)"},
    {"--from", ValueKind::time, "TIME",
     "begin here: 12.5, 1:02:03, RFC 3339, \"cmd N\", \"event N\", 37%"},
    {"--to", ValueKind::time, "TIME", "end here; for svg: the moment that is shown"},
    {"--bundle", ValueKind::file, "CASE.tar.zst",
     "everything that somebody without this program needs to check the recordings, in one archive"},
    {"--log", ValueKind::file, "FILE", "--bundle: with its lines of the time of each recording"},
    {"--with-ledger", ValueKind::none, "",
     "--bundle: with the whole ledger, which names all other sessions, too"},
    {"--ledger", ValueKind::directory, "DIR|none", "--bundle: the ledger of the recordings"},
    {"--trust", ValueKind::file, "FILE|none", "--bundle: whom the report believes"},
    {"--no-verify", ValueKind::none, "", "do not verify first; the copy says so"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the copy was made"},
    {"1",
     "a file cannot be read or written, there is no such moment, or the command line is wrong"},
    {"2",
     "--bundle: made, but a recording in it is a valid prefix only, or its times are in doubt"},
    {"3", "--bundle: made, but something in it was changed, truncated or is missing"},
    {"4", "--bundle: made, but a recording in it has no valid seal"},
    {"5", "--bundle: made, but a recording was redacted by somebody whom nobody named"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn export web1.sworn | less", "a transcript"},
    {"sworn export web1.sworn -f asciicast -o web1.cast", "for asciinema play"},
    {"sworn export web1.sworn -f svg --to \"cmd 12\" -o moment.svg", "a picture of one moment"},
    {"sworn export --bundle CASE-17.tar.zst --log /var/log/auth.log web1.sworn db1.sworn",
     "hand two recordings to an outside auditor"},
};

}  // namespace

constinit const Command k_cmd_export = {
    .name = "export",
    .summary = "make a copy of a recording in another format",
    .usage =
        "FILE [-f FORMAT] [-o OUT] [--from=TIME] [--to=TIME] [--no-verify]\n"
        "       sworn export --bundle CASE.tar.zst [--log FILE]... [--with-ledger]\n"
        "              [--ledger DIR|none] [--trust FILE|none] FILE...",
    .details =
        "Every copy says that it is derived, from which session, and what verification said; none "
        "is evidence. A bundle is: it holds the recordings themselves with what proves them.",
    .operands = {"FILE", ValueKind::session, 1, k_any},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
