// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "base/scope_exit.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/json.hpp"
#include "cli/ledger_place.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "format/ledger_session.hpp"
#include "format/salvage.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace sworn::cli {
namespace {

void print_report(const format::SalvageReport& r, const std::string& out) {
  fmt::print("salvaged      {}\n", printable(out));
  fmt::print("proven        {} events, {} bytes, copied unchanged with their seals\n",
             r.sealed_events, r.sealed_bytes);
  fmt::print(
      "recovered     {} events, {} bytes, behind the last seal: not proven, marked as such\n",
      r.recovered_events, r.recovered_bytes);
  fmt::print("unreadable    {} bytes left behind\n", r.unreadable_bytes);
  fmt::print("tail          {}{}\n", r.tail_used ? "used" : "none",
             r.tail_hole ? "; it has a hole, what follows it was left out" : "");
}

Json to_json(const format::SalvageReport& r, const std::string& from, const std::string& out) {
  return {{"schema", "sworn.salvage/1"},
          {"path", from},
          {"output", out},
          {"sealed_events", r.sealed_events},
          {"sealed_bytes", r.sealed_bytes},
          {"recovered_events", r.recovered_events},
          {"recovered_bytes", r.recovered_bytes},
          {"unreadable_bytes", r.unreadable_bytes},
          {"tail_used", r.tail_used},
          {"tail_hole", r.tail_hole}};
}

std::string existing_tail(const std::string& path) {
  auto tail = format::tail_path(path);
  return ::access(tail.c_str(), F_OK) == 0 ? tail : std::string();
}

// In which state the file was found, so that a later change of it is evident.
void note_recovery(const ReadFile& source, const std::string& reason) {
  const auto identity = format::read_session_identity(source);
  if (!identity || identity->header.ledger.empty() || !ledger_of(identity->header)) {
    return;
  }
  const auto report = format::verify(source);
  const auto digest = format::digest_of(source);
  if (report && digest && report->header && report->seals > 0) {
    note_in_ledger_or_warn(
        "salvage", *report->header,
        format::LedgerRecovery{format::mark_of(*report), digest->digest, reason});
  }
}

int salvage_to(const Arguments& args, const ReadFile& source, const std::string& path,
               const std::string& out_path) {
  auto out = PosixAppendFile::create(out_path);
  if (!out) {
    return complain("salvage", explain_output_error(out_path, out.error()));
  }
  // A half-written copy must not be taken for a whole one.
  ScopeExit remove([&] { ::unlink(out_path.c_str()); });
  SystemClock clock;
  format::SystemEntropy entropy;
  auto report = format::salvage(source, existing_tail(path), **out, clock, entropy,
                                args.value_or("--reason", "sworn salvage"));
  if (!report) {
    if (report.error().code == Errc::bad_usage) {
      return complain("salvage", {path + ": there is nothing to salvage", describe(report.error()),
                                  "use the file as it is; sworn verify says what is proven"});
    }
    return complain("salvage", explain_session_error(path, report.error()),
                    exit_status_for(report.error()));
  }
  auto synced = (*out)->sync();
  if (synced) {
    synced = sync_parent_directory(out_path);
  }
  if (!synced) {
    return complain("salvage", explain_output_error(out_path, synced.error()));
  }
  remove.dismiss();
  note_recovery(source, args.value_or("--reason", "sworn salvage"));
  if (args.has("--json")) {
    print_json(to_json(*report, path, out_path));
  } else {
    print_report(*report, out_path);
  }
  return k_exit_ok;
}

int run(const Arguments& args) {
  const auto& path = args.word(0);
  const auto out = args.value("--output");
  if (!out) {
    return complain_usage("salvage", "the copy needs a name: -o OUT");
  }
  const auto file = PosixReadFile::open(path);
  if (!file) {
    return complain("salvage", explain_session_error(path, file.error()));
  }
  const auto state = format::state_of(path);
  if (state && *state == format::StoredState::live) {
    return complain("salvage",
                    {path + ": is still being recorded", "its recorder holds the lock on it",
                     "wait for the end of the session"});
  }
  return salvage_to(args, **file, path, *out);
}

constexpr Option k_options[] = {
    {"-o,--output", ValueKind::file, "OUT",
     "name of the copy; an existing file is never overwritten"},
    {"--reason", ValueKind::text, "TEXT", "why, kept in the copy"},
    {"--json", ValueKind::none, "", "what was done as one JSON object (schema sworn.salvage/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "the copy was made"},
    {"1", "nothing to salvage, a file cannot be read or written, or the command line is wrong"},
    {"6", "the file was made by another version of sworn"},
};
constexpr Example k_examples[] = {
    {"sworn salvage web1.sworn.part -o web1-salvaged.sworn",
     "after a power cut: keeps what is proven, marks the rest"},
};

}  // namespace

constinit const Command k_cmd_salvage = {
    .name = "salvage",
    .summary = "copy what is provable of a crashed or damaged recording",
    .usage = "FILE -o OUT [--reason=TEXT] [--json]",
    .details =
        "Writes OUT: the original records unchanged through the last valid seal, then, marked and "
        "under another key, what could be recovered behind it (from the file and from the tail "
        "beside "
        "it). FILE is never changed.",
    .operands = {"FILE", ValueKind::session, 1, 1},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
