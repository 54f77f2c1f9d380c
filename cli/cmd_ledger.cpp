// SPDX-License-Identifier: Apache-2.0
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/ledger_anchor.hpp"
#include "cli/ledger_check.hpp"
#include "cli/ledger_place.hpp"
#include "cli/ledger_text.hpp"
#include "cli/message.hpp"
#include "cli/progress.hpp"
#include "format/ledger_tiles.hpp"
#include "format/ledger_verify.hpp"

#include <fmt/format.h>

namespace sworn::cli {
namespace {

bool wanted(const Arguments& args, const format::LedgerEntry& entry) {
  const auto kind = args.value("--kind");
  const auto session = args.value("--session");
  return (!kind || format::kind_of(entry.fact) == *kind) &&
         (!session || session_of(entry.fact).starts_with(*session));
}

int list(const Arguments& args, const std::string& directory) {
  const auto entries = open_ledger_entries(directory);
  if (!entries) {
    return complain("ledger", explain_ledger_error(directory, entries.error()));
  }
  format::LedgerVerifyOptions options;
  options.on_entry = [&](std::uint64_t index, ByteView stored, const format::LedgerEntry& entry) {
    if (!wanted(args, entry)) {
      return;
    }
    if (args.has("--json")) {
      print_json(entry_to_json(index, stored, entry));
    } else {
      fmt::print("{:>7}  {}  {:<16} {}\n", index, format_rfc3339(entry.wall, 0),
                 printable(format::kind_of(entry.fact), 16), describe_entry(entry.fact));
    }
  };
  const auto report = format::verify_ledger(**entries, options);
  if (!report) {
    return complain("ledger", explain_ledger_error(directory, report.error()));
  }
  return report_state("ledger", *report, directory);
}

int checkpoint(const Arguments& /*args*/, const std::string& directory) {
  SystemClock clock;
  format::SystemEntropy entropy;
  const auto ledger = open_ledger_for_writing(directory, clock, entropy);
  const auto note =
      ledger ? (*ledger)->checkpoint() : Result<std::string>(tl::make_unexpected(ledger.error()));
  if (!note) {
    return complain("ledger", explain_ledger_error(directory, note.error()),
                    ledger_exit_status(note.error()));
  }
  fmt::print("{}", *note);
  return k_exit_ok;
}

int tiles(const Arguments& args, const std::string& directory) {
  if (args.words().size() != 2) {
    return complain_usage("ledger", "tiles needs the directory to write to");
  }
  SystemClock clock;
  format::SystemEntropy entropy;
  const auto write = [&]() -> Result<format::TileExport> {
    TRY_ASSIGN(const auto ledger, open_ledger_for_writing(directory, clock, entropy));
    TRY_ASSIGN(const auto note, ledger->checkpoint());
    TRY_ASSIGN(const auto entries, open_ledger_entries(directory));
    return format::export_tiles(*entries, note, args.word(1));
  };
  const auto written = write();
  if (!written) {
    return complain("ledger", explain_ledger_error(directory, written.error()),
                    ledger_exit_status(written.error()));
  }
  if (args.has("--json")) {
    print_json({{"schema", "sworn.ledger_tiles/1"},
                {"directory", args.word(1)},
                {"size", written->size},
                {"root", format::to_hex(written->root)},
                {"files_written", written->files_written}});
  } else {
    fmt::print("{} entries in {}: {} files written\n", written->size, printable(args.word(1)),
               written->files_written);
  }
  return k_exit_ok;
}

int rotate_key(const Arguments& args, const std::string& directory) {
  SystemClock clock;
  format::SystemEntropy entropy;
  const auto rotate = [&]() -> Result<format::LedgerReceipt> {
    TRY_ASSIGN(const auto ledger, open_ledger_for_writing(directory, clock, entropy));
    TRY_ASSIGN(const auto receipt,
               ledger->rotate_checkpoint_key(actor_name(), args.value_or("--reason", "")));
    fmt::print("entry {}: the checkpoint key is now {}\n", receipt.index,
               printable(ledger->head().checkpoint_key));
    return receipt;
  };
  if (const auto rotated = rotate(); !rotated) {
    return complain("ledger", explain_ledger_error(directory, rotated.error()),
                    ledger_exit_status(rotated.error()));
  }
  return k_exit_ok;
}

struct Action {
  std::string_view name;
  int (*run)(const Arguments& args, const std::string& directory);
  bool takes_directory = false;
};
constexpr Action k_actions[] = {
    {"ls", list},           {"check", check_ledger},   {"checkpoint", checkpoint},
    {"tiles", tiles, true}, {"anchor", anchor_ledger}, {"rotate-key", rotate_key},
};

int run(const Arguments& args) {
  const auto directory = ledger_option(args);
  if (!directory) {
    return complain("ledger", {"cannot tell which ledger is meant", describe(directory.error()),
                               "name it: --ledger DIR"});
  }
  for (const auto& action : k_actions) {
    if (args.word(0) == action.name) {
      if (args.words().size() > 1 && !action.takes_directory) {
        return complain_usage("ledger", "one argument too many: " + args.word(1));
      }
      return action.run(args, *directory);
    }
  }
  return complain_usage("ledger", "there is no action " + args.word(0));
}

constexpr Option k_options[] = {
    {"--ledger", ValueKind::directory, "DIR", "the ledger (default: this user's)"},
    {"--host", ValueKind::none, "", "the ledger of this host: /var/lib/sworn/ledger"},
    {"--kind", ValueKind::text, "KIND", "ls: only entries of this kind, as session_open"},
    {"--session", ValueKind::text, "ID", "ls: only entries about the session whose id begins so"},
    {"--sessions", ValueKind::directory, "DIR",
     "check: report sessions that the ledger opened and that are not in DIR as MISSING"},
    {"--trust", ValueKind::file, "FILE|none",
     "check, anchor: the trust store (default: the user's and /etc/sworn/trust)"},
    {"--witness", ValueKind::text, "URL",
     "anchor: have a C2SP witness cosign the checkpoint; its key is in the trust store"},
    {"--tsa", ValueKind::text, "URL", "anchor: have an RFC 3161 authority stamp the checkpoint"},
    {"--syslog", ValueKind::none, "", "anchor: send the checkpoint to the system log"},
    {"--journal", ValueKind::none, "", "anchor: send the checkpoint to the journal"},
    {"--syslog-socket", ValueKind::file, "PATH", "anchor: where the system log listens", true},
    {"--journal-socket", ValueKind::file, "PATH", "anchor: where the journal listens", true},
    {"--timeout", ValueKind::number, "SECONDS", "anchor: how long an answer may take (default 20)"},
    {"--reason", ValueKind::text, "TEXT", "rotate-key: why; it is entered"},
    {"--json", ValueKind::none, "",
     "JSON (schemas sworn.ledger_entry/1, sworn.ledger/1, "
     "sworn.anchor/1, sworn.ledger_tiles/1)"},
};
constexpr ExitStatus k_exits[] = {
    {"0", "done; check: every entry holds"},
    {"1", "there is no ledger, it cannot be read or written, or the command line is wrong"},
    {"2", "the last bytes are no whole entry: cut, or being written"},
    {"3", "the ledger does not hold, was rolled back, or sessions are MISSING"},
    {"4", "anchor: nobody whom the trust store names has cosigned or stamped it"},
    {"6", "the ledger was written by a version that this one does not know"},
};
constexpr Example k_examples[] = {
    {"sworn ledger ls --kind session_open", "which sessions there were"},
    {"sworn ledger check --sessions ~/.local/share/sworn/sessions",
     "is the ledger whole, and is every session still there"},
    {"sworn ledger checkpoint | mail -s checkpoint auditor@example.org",
     "hand the state of today to somebody who keeps it"},
    {"sworn ledger anchor --witness https://witness.example.org/db-07",
     "have somebody else vouch that this is the whole ledger"},
    {"sworn ledger tiles /srv/www/ledger", "for public tools that speak C2SP tlog-tiles"},
};

}  // namespace

constinit const Command k_cmd_ledger = {
    .name = "ledger",
    .summary = "list, check, anchor and publish the ledger of sessions",
    .usage = "ls|check|checkpoint|tiles|anchor|rotate-key [OPTIONS] [DIR]",
    .details =
        "The ledger is the signed, append-only list of this user's (or this host's) sessions: each "
        "is "
        "opened, seen once a minute and closed there, so that a session that was cut or removed is "
        "missed. ls lists its entries; check verifies all of it; checkpoint prints the C2SP "
        "checkpoint; tiles writes C2SP tiles to DIR; anchor has others vouch for the checkpoint "
        "and "
        "enters what they answered; rotate-key replaces the checkpoint key.",
    .operands = {"ACTION", ValueKind::text, 1, 2},
    .options = k_options,
    .examples = k_examples,
    .exits = k_exits,
    .run = run,
};

}  // namespace sworn::cli
