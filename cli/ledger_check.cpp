// SPDX-License-Identifier: Apache-2.0
#include "cli/ledger_check.hpp"

#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/command.hpp"
#include "cli/json.hpp"
#include "cli/ledger_place.hpp"
#include "cli/ledger_text.hpp"
#include "cli/progress.hpp"
#include "cli/text.hpp"
#include "format/ledger_session.hpp"
#include "format/store.hpp"
#include "format/trust.hpp"
#include "format/verify_with_ledger.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::cli {
namespace {

constexpr int k_exit_partial = 2;
constexpr int k_exit_broken = 3;

struct Counts {
  std::uint64_t open = 0;
  std::uint64_t closed = 0;
  std::uint64_t lost = 0;
  std::uint64_t deleted = 0;
};

Counts count_sessions(const format::LedgerReport& report) {
  Counts out;
  for (const auto& [id, facts] : report.sessions) {
    if (facts.deletion) {
      ++out.deleted;
    } else if (facts.closed) {
      ++out.closed;
    } else if (facts.lost || facts.recovery) {
      ++out.lost;
    } else {
      ++out.open;
    }
  }
  return out;
}

// What the trust store says of this ledger.
struct Standing {
  std::string identity;
  std::optional<Message> trouble;
};

Standing held_against(const format::TrustStore& trust, const format::LedgerReport& report) {
  const auto* known = trust.find(report.head.id);
  if (known == nullptr) {
    const auto* host = report.genesis && report.genesis->scope == "host"
                           ? trust.find_host(report.genesis->host_id)
                           : nullptr;
    if (host != nullptr) {
      return {"ANOTHER LEDGER stands for this host in the trust store",
              Message{"this is not the ledger that the trust store knows for this host",
                      fmt::format("it knows {} ({})", printable(host->name, 80),
                                  format::to_hex(host->id)),
                      "find out who replaced it; sworn trust rm forgets the old one"}};
    }
    return {"NOT PINNED: nobody vouches for it; sworn trust add pins it", std::nullopt};
  }
  if (known->genesis != report.head.genesis) {
    return {"ANOTHER BEGINNING than the pinned one",
            Message{"the ledger begins with another entry than the pinned one",
                    "somebody made it anew", "ask who pinned it"}};
  }
  std::string text = known->pinned_by == format::PinnedBy::administrator
                         ? "pinned by an administrator at "
                         : "FIRST USE: taken over when it was first seen, at ";
  text += format_rfc3339(known->pinned_at, 0);
  if (!known->seen) {
    return {text, std::nullopt};
  }
  text += fmt::format("; {} seen at {}", count(known->seen->size, "entry", "entries"),
                      format_rfc3339(known->seen->when, 0));
  const auto root = report.roots.find(known->seen->size);
  if (root != report.roots.end() && root->second == known->seen->root) {
    return {text, std::nullopt};
  }
  const bool shorter = known->seen->size > report.head.size;
  return {text + (shorter ? ": ROLLED BACK" : ": FORKED"),
          Message{shorter ? "the ledger was rolled back" : "the ledger is not the one seen before",
                  shorter ? fmt::format("it had {} entries at {}; now it has {}", known->seen->size,
                                        format_rfc3339(known->seen->when, 0), report.head.size)
                          : fmt::format("its first {} entries are not those of {}",
                                        known->seen->size, format_rfc3339(known->seen->when, 0)),
                  "an older copy was restored, or entries were removed: keep this one, look for "
                  "backups and anchors that are newer"}};
}

Result<std::vector<format::FileId>> ids_in(const std::string& directory) {
  TRY_ASSIGN(const auto sessions, format::list_sessions(directory));
  std::vector<format::FileId> out;
  for (const auto& session : sessions) {
    const auto file = PosixReadFile::open(session.path);
    const auto identity = file ? format::read_session_identity(**file)
                               : Result<format::SessionIdentity>(tl::make_unexpected(file.error()));
    if (identity) {
      out.push_back(identity->file_id);
    }
  }
  return out;
}

void line(std::string_view label, const std::string& text) {
  fmt::print("{}", labelled(label, text, 14));
}

void print_text(const format::LedgerReport& report, const std::string& directory,
                const Standing& standing, const std::vector<format::MissingSession>& missing) {
  const auto counts = count_sessions(report);
  line("ledger", directory);
  line("id", format::to_hex(report.head.id));
  line("origin", report.head.origin);
  line("entries",
       fmt::format("{}, {} bytes{}", grouped(report.head.size), grouped(report.file_bytes),
                   report.last_time ? ", the last of " + format_rfc3339(*report.last_time, 0)
                                    : std::string()));
  line("root", format::to_hex(report.head.tree.root()));
  line("genesis", format::to_hex(report.head.genesis));
  line("sessions", fmt::format("{} closed, {} open, {} lost, {} deleted by retention",
                               counts.closed, counts.open, counts.lost, counts.deleted));
  line("anchors", grouped(report.anchors));
  line("identity", standing.identity);
  for (const auto& m : missing) {
    line("MISSING",
         fmt::format("{} {}, opened at {}", format::to_hex(m.file_id),
                     printable(m.facts->open.name, 80), format_rfc3339(m.facts->opened_at, 0)));
  }
  for (const auto& f : report.findings) {
    line(f.severity == format::Severity::failure ? "failure" : "note",
         fmt::format("{} at byte {}: {}", f.code, grouped(f.offset), f.text));
  }
  line("state", std::string(format::name_of(report.state)));
}

Json to_json(const format::LedgerReport& report, const std::string& directory,
             const Standing& standing, const std::vector<format::MissingSession>& missing,
             int status) {
  const auto counts = count_sessions(report);
  Json gone = Json::array();
  for (const auto& m : missing) {
    gone.push_back({{"file_id", format::to_hex(m.file_id)},
                    {"name", m.facts->open.name},
                    {"opened", json_time(m.facts->opened_at)}});
  }
  Json findings = Json::array();
  for (const auto& f : report.findings) {
    findings.push_back({{"code", f.code}, {"offset", f.offset}, {"text", f.text}});
  }
  return {{"schema", "sworn.ledger/1"},
          {"directory", directory},
          {"state", format::name_of(report.state)},
          {"exit_status", status},
          {"ledger_id", format::to_hex(report.head.id)},
          {"origin", report.head.origin},
          {"scope", report.genesis ? Json(report.genesis->scope) : Json(nullptr)},
          {"entries", report.head.size},
          {"bytes", report.file_bytes},
          {"root", format::to_hex(report.head.tree.root())},
          {"genesis", format::to_hex(report.head.genesis)},
          {"checkpoint_key", report.head.checkpoint_key},
          {"first_time", json_time(report.first_time)},
          {"last_time", json_time(report.last_time)},
          {"sessions",
           {{"closed", counts.closed},
            {"open", counts.open},
            {"lost", counts.lost},
            {"deleted", counts.deleted}}},
          {"anchors", report.anchors},
          {"identity", standing.identity},
          {"rolled_back", standing.trouble.has_value()},
          {"missing", std::move(gone)},
          {"findings", std::move(findings)}};
}

}  // namespace

Message explain_ledger_error(const std::string& directory, const Error& error) {
  if (error.sys == ENOENT || error.code == Errc::not_found) {
    return {"there is no ledger in " + directory, describe(error),
            "it is made by the first sworn rec; --ledger DIR names another one, --host the host's"};
  }
  if (error.sys == EACCES || error.sys == EPERM) {
    return {directory + ": may not be used", describe(error),
            "only its owner appends to a ledger; a host's ledger is root's"};
  }
  if (error.code == Errc::bad_seal || error.code == Errc::corrupt) {
    return {directory + ": does not hold", describe(error),
            "keep a copy of the whole directory, then: sworn ledger check"};
  }
  if (error.code == Errc::exhausted) {
    return {directory + ": is in use", describe(error),
            "another process holds its lock for long: fuser " + directory + "/lock"};
  }
  return {directory + ": cannot be used as a ledger", describe(error), "sworn ledger check"};
}

int ledger_exit_status(const Error& error) {
  switch (error.code) {
    case Errc::bad_seal:
    case Errc::corrupt:
      return k_exit_broken;
    case Errc::unsupported:
      return k_exit_unsupported;
    default:
      return k_exit_failure;
  }
}

int report_state(std::string_view command, const format::LedgerReport& report,
                 const std::string& directory) {
  switch (report.state) {
    case format::LedgerState::intact:
      return k_exit_ok;
    case format::LedgerState::torn:
      return complain(command,
                      {directory + ": its last bytes are no whole entry",
                       "an entry is being written, a power cut interrupted one, or it was cut",
                       "the next sworn rec completes what was interrupted; check again then"},
                      k_exit_partial);
    case format::LedgerState::broken:
      return complain(
          command,
          {directory + ": LEDGER-BROKEN",
           report.findings.empty() ? "its entries do not hold" : report.findings.front().text,
           fmt::format("{} of it hold; keep a copy of the whole directory as it is",
                       count(report.head.size, "entry", "entries"))},
          k_exit_broken);
    case format::LedgerState::unsupported:
      return complain(
          command,
          {directory + ": is of a version that this sworn does not know", "", "use a newer one"},
          k_exit_unsupported);
  }
  return k_exit_failure;
}

int check_ledger(const Arguments& args, const std::string& directory) {
  const auto trust = load_trust(args.value("--trust"));
  if (!trust) {
    return complain("ledger", {"the trust store cannot be used", describe(trust.error()),
                               "repair the line, or name another file: --trust FILE"});
  }
  const auto entries = open_ledger_entries(directory);
  if (!entries) {
    return complain("ledger", explain_ledger_error(directory, entries.error()));
  }
  format::LedgerVerifyOptions options;
  for (const auto& known : trust->ledgers()) {
    if (known.seen) {
      options.sizes.push_back(known.seen->size);
    }
  }
  Result<format::LedgerReport> report;
  {
    SystemClock clock;
    ProgressLine progress(clock, "ledger check");
    options.progress = [&](auto done, auto total) { progress.update(done, total); };
    report = format::verify_ledger(**entries, options);
  }
  if (!report) {
    return complain("ledger", explain_ledger_error(directory, report.error()));
  }
  std::vector<format::MissingSession> missing;
  if (const auto sessions = args.value("--sessions")) {
    const auto present = ids_in(*sessions);
    if (!present) {
      return complain("ledger", {*sessions + ": cannot be listed", describe(present.error()),
                                 "name the directory with the recordings of this ledger"});
    }
    missing = format::missing_sessions(*report, *present);
  }
  const auto standing = held_against(*trust, *report);
  const bool worse = standing.trouble || !missing.empty();
  if (args.has("--json")) {
    int status = report->state == format::LedgerState::torn     ? k_exit_partial
                 : report->state == format::LedgerState::intact ? k_exit_ok
                                                                : k_exit_broken;
    print_json(to_json(*report, directory, standing, missing, worse ? k_exit_broken : status));
  } else {
    print_text(*report, directory, standing, missing);
  }
  const int state = report_state("ledger", *report, directory);
  if (standing.trouble) {
    complain("ledger", *standing.trouble);
  }
  if (!missing.empty()) {
    complain("ledger",
             {fmt::format("{} MISSING", count(missing.size(), "session is", "sessions are")),
              "the ledger opened them, did not delete them, and their files are not there",
              "look for copies; who could write to that directory removed them or moved them"});
  }
  return worse ? k_exit_broken : state;
}

}  // namespace sworn::cli
