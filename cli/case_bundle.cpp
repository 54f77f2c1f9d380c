// SPDX-License-Identifier: Apache-2.0
#include "cli/case_bundle.hpp"

#include "audit/logs/log_index.hpp"
#include "base/printable.hpp"
#include "cli/arguments.hpp"
#include "cli/case_archive.hpp"
#include "cli/case_report.hpp"
#include "cli/command.hpp"
#include "cli/ledger_place.hpp"
#include "cli/ledger_text.hpp"
#include "cli/message.hpp"
#include "cli/open_session.hpp"
#include "cli/recorder_path.hpp"
#include "cli/text.hpp"
#include "cli/verify_sources.hpp"
#include "cli/verify_text.hpp"
#include "format/checkpoint.hpp"
#include "format/ledger_session.hpp"
#include "format/tlog_proof.hpp"
#include "player/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace sworn::cli {
namespace {

// "CASE" of "/tmp/CASE.tar.zst".
std::string root_of(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  name = name.substr(0, name.find('.'));
  return name.empty() ? "case" : name;
}

std::string base_name(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

class Bundle {
 public:
  Bundle(const Arguments& args, const VerifySources& sources, CaseArchive& archive)
      : args_(args), sources_(sources), archive_(archive) {}

  Result<void> add_session(const std::string& path);
  Result<void> finish();
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] const std::vector<CaseItem>& items() const { return items_; }

 private:
  std::string unique_name(const std::string& path);
  Result<void> add_entries(const std::string& path, const std::string& name);
  Result<void> add_log_lines(const std::string& path, const std::string& name);
  Result<void> add_proofs(const format::SessionIdentity& identity, const std::string& name);
  Result<std::string> take_ledger(const std::string& directory);

  struct Ledger {
    std::string name;  // in the archive
    std::string checkpoint;
    std::vector<format::Digest> leaves;
    std::map<std::uint64_t, Bytes> entries;  // of the sessions of this bundle, and entry 0
    std::map<format::FileId, std::vector<std::pair<std::string, std::uint64_t>>> about;
    format::LedgerReport report;
  };
  Result<Ledger> read_ledger(const std::string& directory);

  const Arguments& args_;
  const VerifySources& sources_;
  CaseArchive& archive_;
  std::vector<CaseItem> items_;
  std::set<std::string> names_;
  std::map<std::string, Ledger> ledgers_;  // by directory
  int status_ = k_exit_ok;
};

std::string Bundle::unique_name(const std::string& path) {
  std::string name = base_name(path);
  for (int i = 2; !names_.insert(name).second; ++i) {
    name = std::to_string(i) + "-" + base_name(path);
  }
  return name;
}

// Commands, executions, files, connections, gaps: every event but the bytes of the terminal.
Result<void> Bundle::add_entries(const std::string& path, const std::string& name) {
  std::string lines;
  player::ExportOptions options;
  options.format = player::ExportFormat::jsonl;
  options.verify = false;  // it is verified beside
  TRY(player::export_recording(path, options, [&](std::string_view line) -> Result<void> {
    static constexpr std::string_view k_bytes[] = {
        "\"kind\":\"output\"", "\"kind\":\"input\"", "\"kind\":\"typed\"",
        "\"kind\":\"error_output\"", "\"kind\":\"side_output\""};
    const bool bytes = std::any_of(std::begin(k_bytes), std::end(k_bytes), [&](auto kind) {
      return line.substr(0, 200).find(kind) != std::string_view::npos;
    });
    if (!bytes) {
      lines += line;
    }
    return {};
  }));
  return archive_.add_text("entries/" + name + ".jsonl", lines);
}

// The lines of each --log FILE within the time of the session, as they stand there.
Result<void> Bundle::add_log_lines(const std::string& path, const std::string& name) {
  for (const auto& log : args_.values("--log")) {
    TRY_ASSIGN(auto session, open_session(path));
    TRY_ASSIGN(auto clock, session.reader->clock_map());
    if (clock.empty()) {
      return fail(Errc::bad_usage, path + " has no clock to place log lines by");
    }
    audit::logs::LogWindow window;
    window.from = session.reader->first_time();
    window.to = session.reader->last_time();
    audit::logs::LogIndexBuilder builder(std::move(clock), window, {});
    TRY_ASSIGN(auto stream, audit::logs::open_byte_stream(log));
    audit::logs::LogSourceOptions options;
    options.name = log;
    TRY(builder.add(std::move(stream), options));
    const auto index = builder.finish();
    std::string lines =
        fmt::format("# lines of {} within a minute of {}; number in the file, line\n",
                    printable(log), printable(name));
    for (const auto& entry : index.entries()) {
      lines += fmt::format("{}\t{}\n", entry.line, index.text(entry));
    }
    TRY(archive_.add_text("logs/" + name + "/" + base_name(log), lines));
  }
  return {};
}

Result<Bundle::Ledger> Bundle::read_ledger(const std::string& directory) {
  Ledger out;
  SystemClock clock;
  format::SystemEntropy entropy;
  TRY_ASSIGN(const auto entries, open_ledger_entries(directory));
  if (auto writer = open_ledger_for_writing(directory, clock, entropy)) {
    TRY_ASSIGN(out.checkpoint, (*writer)->checkpoint());
  } else {
    // Somebody else's ledger: the newest checkpoint that it keeps itself.
    TRY_ASSIGN(const auto anchors, format::anchors_of(*entries));
    for (const auto& anchor : anchors) {
      if (anchor.type != "rfc3161") {
        out.checkpoint = std::string(as_text(anchor.proof));
      }
    }
  }
  std::uint64_t size = UINT64_MAX;
  if (!out.checkpoint.empty()) {
    TRY_ASSIGN(const auto note, format::parse_note(out.checkpoint));
    TRY_ASSIGN(const auto checkpoint, format::parse_checkpoint_text(note.text));
    size = checkpoint.size;
  }
  format::LedgerVerifyOptions options;
  options.on_entry = [&](std::uint64_t index, ByteView stored, const format::LedgerEntry& entry) {
    if (index >= size) {
      return;
    }
    out.leaves.push_back(format::ledger_leaf(stored));
    const auto note = [&](const format::FileId& id) {
      out.about[id].emplace_back(format::kind_of(entry.fact), index);
      out.entries[index].assign(stored.begin(), stored.end());
    };
    if (const auto* beat = std::get_if<format::LedgerHeartbeat>(&entry.fact)) {
      for (const auto& mark : beat->sessions) {
        note(mark.file_id);
      }
    } else if (const auto* open = std::get_if<format::LedgerSessionOpen>(&entry.fact)) {
      note(open->file_id);
    } else if (const auto* close = std::get_if<format::LedgerSessionClose>(&entry.fact)) {
      note(close->mark.file_id);
    } else if (const auto* redaction = std::get_if<format::LedgerRedaction>(&entry.fact)) {
      note(redaction->file_id);
    } else if (index == 0) {
      out.entries[0].assign(stored.begin(), stored.end());
    }
  };
  TRY_ASSIGN(out.report, format::verify_ledger(*entries, options));
  out.name = short_id(out.report.head.id);
  TRY(archive_.add_text("ledger/" + out.name + "/checkpoint", out.checkpoint));
  TRY(archive_.add_text(
      "keys/ledger-" + out.name + ".txt",
      fmt::format("ledger {}\norigin {}\ngenesis {}\ncheckpoint-key {}\n",
                  format::to_hex(out.report.head.id), out.report.head.origin,
                  format::to_hex(out.report.head.genesis), out.report.head.checkpoint_key)));
  if (args_.has("--with-ledger")) {
    TRY(archive_.add_file("ledger/" + out.name + "/entries", *entries));
  }
  return out;
}

// Genesis, opening, end, and the last two marks: enough to see that the session was not cut.
Result<void> Bundle::add_proofs(const format::SessionIdentity& identity, const std::string& name) {
  const std::string directory = sources_.ledger_directory(&identity.header);
  if (directory.empty()) {
    return {};
  }
  if (ledgers_.count(directory) == 0) {
    TRY_ASSIGN(auto read, read_ledger(directory));
    ledgers_.emplace(directory, std::move(read));
  }
  const Ledger& ledger = ledgers_.at(directory);
  if (ledger.checkpoint.empty()) {
    return {};  // nobody signed a root that a path could lead to
  }
  auto wanted = ledger.about.count(identity.file_id) != 0
                    ? ledger.about.at(identity.file_id)
                    : std::vector<std::pair<std::string, std::uint64_t>>{};
  wanted.insert(wanted.begin(), {"genesis", 0});
  std::uint64_t beats = 0;
  for (auto it = wanted.rbegin(); it != wanted.rend(); ++it) {
    const auto& [kind, index] = *it;
    if (kind == "heartbeat" && ++beats > 2) {
      continue;
    }
    format::TlogProof proof;
    proof.entry = ledger.entries.at(index);
    proof.index = index;
    proof.checkpoint = ledger.checkpoint;
    TRY_ASSIGN(proof.path, format::inclusion_proof(ledger.leaves, index));
    TRY(archive_.add_text(
        fmt::format("ledger/{}/{}/{}-{}.tlog-proof", ledger.name, name, index, kind),
        encode(proof)));
  }
  return {};
}

Result<void> Bundle::add_session(const std::string& path) {
  TRY_ASSIGN(const auto file, PosixReadFile::open(path));
  TRY_ASSIGN(const auto identity, format::read_session_identity(*file));
  CaseItem item;
  item.name = unique_name(path);
  TRY_ASSIGN(const auto evidence, sources_.gather(*file, {}));
  VerifyContext context;
  context.path = "recordings/" + item.name;
  if (const auto session = open_session(path)) {
    context.state = session->state;
  }
  item.verdict = evidence.verdict();
  item.text = render_verify(evidence, context);
  item.json = verify_to_json(evidence, context);
  const auto explained = explain_verdict(evidence, context);
  item.why = evidence.exit_status() == k_exit_ok ? "" : explained.what + ". " + explained.why;
  status_ = worse_status(status_, evidence.exit_status());
  TRY(archive_.add_file("recordings/" + item.name, *file));
  TRY(add_entries(path, item.name));
  TRY(add_log_lines(path, item.name));
  TRY(add_proofs(identity, item.name));
  items_.push_back(std::move(item));
  return {};
}

Result<void> Bundle::finish() {
  SystemClock clock;
  TRY(archive_.add_text("report/verify.txt", report_text(items_)));
  TRY(archive_.add_text("report/verify.html", report_html(items_, clock.wall())));
  std::string json;
  for (const auto& item : items_) {
    json += one_line(item.json);
  }
  TRY(archive_.add_text("report/verify.jsonl", json));
  TRY(archive_.add_text("README.txt", bundle_readme(items_)));
  for (const auto* text : {"format.md", "ledger.md", "bundle.md", "verify.py"}) {
    TRY_ASSIGN(const auto path, find_shared_file(text));
    TRY_ASSIGN(const auto file, PosixReadFile::open(path));
    const bool tool = std::string_view(text).ends_with(".py");
    TRY(archive_.add_file((tool ? "tools/" : "docs/") + std::string(text), *file));
  }
  return archive_.finish();
}

}  // namespace

int export_bundle(const Arguments& args, const std::string& out_path) {
  const auto sources = VerifySources::from_parts(args.value("--ledger"), args.value("--trust"));
  if (!sources) {
    return complain("export", {"what to verify with cannot be used", describe(sources.error()),
                               "see --ledger and --trust in sworn export --help"});
  }
  SystemClock clock;
  auto archive = CaseArchive::create(out_path, root_of(out_path), clock.wall());
  if (!archive) {
    return complain("export", explain_output_error(out_path, archive.error()));
  }
  Bundle bundle(args, *sources, **archive);
  for (const auto& path : args.words()) {
    if (const auto added = bundle.add_session(path); !added) {
      return complain("export", {out_path + ": no bundle was made", describe(added.error()),
                                 "about " + path + "; sworn verify " + path});
    }
    note_view("export", path, "export bundle " + base_name(out_path));
  }
  if (const auto finished = bundle.finish(); !finished) {
    return complain("export", {out_path + ": no bundle was made", describe(finished.error()),
                               "install sworn completely: its documents belong into a bundle"});
  }
  for (const auto& item : bundle.items()) {
    fmt::print("{:<28} {}\n", item.verdict, printable(item.name));
  }
  if (bundle.status() != k_exit_ok) {
    return complain("export",
                    {out_path + ": made, but not everything in it is proven",
                     "see report/verify.txt in it", "hand it over with the report, not without"},
                    bundle.status());
  }
  return k_exit_ok;
}

}  // namespace sworn::cli
