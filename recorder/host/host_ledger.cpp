// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/host_ledger.hpp"

#include "format/ledger_session.hpp"
#include "format/ledger_verify.hpp"
#include "format/store.hpp"
#include "format/verify.hpp"
#include "recorder/session_info.hpp"

#include <algorithm>
#include <utility>

namespace sworn::recorder::host {
namespace {

// 4294967295 is the kernel's word for "not set"; the ledger's is -1.
std::int64_t or_unset(std::uint32_t value) {
  return value == 0xFFFFFFFF ? -1 : static_cast<std::int64_t>(value);
}

format::SessionMark session_mark(const format::FileId& id, const Mark& mark) {
  return {id, mark.seal_no, mark.tree_size, mark.root};
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

HostLedger::HostLedger(HostPaths paths, std::string hostname, std::function<void()> on_done)
    : paths_(std::move(paths)),
      hostname_(std::move(hostname)),
      worker_("sworn-ledger", std::move(on_done)) {}

Result<void> HostLedger::start() {
  const auto header = make_header(Options{}, clock_);
  TRY_ASSIGN(auto disk, format::PosixLedgerDisk::open(paths_.ledger(), true));
  format::LedgerOptions options;
  options.create = true;
  options.identity = {"host", header.host_id, 0, hostname_ + "/sworn"};
  options.boot_id = header.boot_id;
  TRY_ASSIGN(ledger_, format::Ledger::open(std::move(disk), clock_, entropy_, std::move(options)));
  reference_ = encode(format::make_ledger_reference(*ledger_));
  return worker_.start();
}

Result<void> HostLedger::append_now(format::LedgerFact fact) {
  TRY(ledger_->append(std::move(fact)));
  return {};
}

void HostLedger::post(std::function<Result<void>()> job, Done done) {
  auto shared = std::make_shared<Done>(std::move(done));
  if (!ledger_) {
    (*shared)(fail(Errc::not_found, "the ledger cannot be used"));
    return;
  }
  const auto posted = worker_.post([this, job = std::move(job), shared]() -> Worker::Done {
    const auto outcome = job();
    const Bytes reference = encode(format::make_ledger_reference(*ledger_));
    return [this, outcome, reference, shared] {
      reference_ = reference;
      (*shared)(outcome);
    };
  });
  if (!posted) {
    (*shared)(posted);
  }
}

void HostLedger::open(std::shared_ptr<Entry> entry, SessionNote note, Done done) {
  post(
      [this, entry = std::move(entry), note = std::move(note)]() -> Result<void> {
        TRY_ASSIGN(const auto file, PosixReadFile::open(format::part_path(note.final_path)));
        TRY_ASSIGN(const auto identity, format::read_session_identity(*file));
        entry->file_id = identity.file_id;
        format::LedgerSessionOpen fact;
        fact.file_id = identity.file_id;
        fact.first_key = identity.first_key;
        fact.header = identity.header_leaf;
        fact.name = base_name(note.final_path);
        fact.user = note.user;
        fact.loginuid = or_unset(note.loginuid);
        fact.audit_session = or_unset(note.audit_session);
        TRY(append_now(std::move(fact)));
        entry->entered.store(true);
        return {};
      },
      std::move(done));
}

void HostLedger::beat(std::vector<std::pair<std::shared_ptr<Entry>, Mark>> marks, Done done) {
  post(
      [this, marks = std::move(marks)]() -> Result<void> {
        format::LedgerHeartbeat fact;
        for (const auto& [entry, mark] : marks) {
          if (entry->entered.load() && fact.sessions.size() < format::k_max_heartbeat_sessions) {
            fact.sessions.push_back(session_mark(entry->file_id, mark));
            entry->last = mark;
          }
        }
        return fact.sessions.empty() ? Result<void>{} : append_now(std::move(fact));
      },
      std::move(done));
}

void HostLedger::close(std::shared_ptr<Entry> entry, SessionNote note, Mark mark, std::string exit,
                       bool immutable, Done done) {
  post(
      [this, entry = std::move(entry), note = std::move(note), mark, exit = std::move(exit),
       immutable]() -> Result<void> {
        TRY(publish_session(paths_, note.final_path, immutable));
        TRY_ASSIGN(const auto file, PosixReadFile::open(note.final_path));
        if (!entry->entered.load()) {
          return fail(Errc::not_found, "the ledger does not know the session");
        }
        TRY_ASSIGN(const auto digest, format::digest_of(*file));
        format::LedgerSessionClose fact;
        fact.mark = session_mark(entry->file_id, mark);
        fact.file_digest = digest.digest;
        fact.exit = exit;
        return append_now(std::move(fact));
      },
      std::move(done));
}

void HostLedger::lose(std::shared_ptr<Entry> entry, SessionNote note, std::string reason,
                      Done done) {
  post(
      [this, entry = std::move(entry), note = std::move(note),
       reason = std::move(reason)]() -> Result<void> {
        if (reason.empty() && !entry->entered.load()) {
          discard_session(paths_, note.final_path);
          return {};
        }
        return settle(*entry, note.final_path, reason.empty() ? "it could not begin" : reason);
      },
      std::move(done));
}

// Its monitor is gone. Where that finished its work the session is closed, else it is lost; nobody
// but the monitor could have made the final seal.
Result<void> HostLedger::settle(const Entry& entry, const std::string& final_path,
                                const std::string& reason) {
  const auto open_file = [](const std::string& path) { return PosixReadFile::open(path); };
  bool published = true;
  auto file = open_file(final_path);
  if (!file) {
    published = false;
    file = open_file(format::part_path(final_path));
  }
  if (!file) {
    return append_now(format::LedgerSessionLost{entry.file_id, reason + "; its file is gone"});
  }
  const auto report = format::verify(**file);
  const bool known = report && report->header && report->header->file_id == entry.file_id &&
                     report->seals > 0 && report->verdict != format::Verdict::tampered;
  if (known && report->closed) {
    if (!published) {
      TRY(publish_session(paths_, final_path, false));
    }
    if (!entry.entered.load()) {
      return fail(Errc::not_found, "the ledger does not know the session");
    }
    TRY_ASSIGN(const auto digest, format::digest_of(**file));
    format::LedgerSessionClose fact;
    fact.mark = format::mark_of(*report);
    fact.file_digest = digest.digest;
    fact.exit = "entered late: swornd was away when it ended";
    return append_now(std::move(fact));
  }
  TRY(keep_lost_session(paths_, final_path));
  if (!entry.entered.load()) {
    return fail(Errc::not_found, "the ledger does not know the session");
  }
  TRY(append_now(format::LedgerSessionLost{entry.file_id, reason}));
  if (!known) {
    return {};
  }
  // What the interruption left, so that a later change of it is evident.
  TRY_ASSIGN(const auto digest, format::digest_of(**file));
  format::LedgerRecovery fact;
  fact.mark = format::mark_of(*report);
  fact.file_digest = digest.digest;
  fact.reason = "as its monitor left it";
  return append_now(std::move(fact));
}

// Recordings that nobody writes and that the ledger does not know the end of: what a crash of the
// host left, with no note of it.
void HostLedger::sweep(std::vector<std::string> handled, Done done) {
  post(
      [this, handled = std::move(handled)]() -> Result<void> {
        TRY_ASSIGN(const auto entries,
                   PosixReadFile::open(format::ledger_entries_path(paths_.ledger())));
        TRY_ASSIGN(const auto ledger, format::verify_ledger(*entries));
        TRY_ASSIGN(const auto sessions, format::list_sessions(paths_.sessions()));
        for (const auto& each : sessions) {
          if (each.state != format::StoredState::crashed ||
              std::find(handled.begin(), handled.end(), each.path) != handled.end()) {
            continue;
          }
          const auto file = PosixReadFile::open(each.path);
          const auto identity = file ? format::read_session_identity(**file)
                                     : Result<format::SessionIdentity>(fail(Errc::io, ""));
          const auto* known = identity ? ledger.session(identity->file_id) : nullptr;
          if (known == nullptr || known->closed || known->lost) {
            continue;
          }
          Entry entry;
          entry.entered.store(true);
          entry.file_id = identity->file_id;
          constexpr std::string_view k_part = ".part";
          TRY(settle(entry, each.path.substr(0, each.path.size() - k_part.size()),
                     "found at the start of swornd: the host or its monitor went down"));
        }
        return {};
      },
      std::move(done));
}

void HostLedger::append(format::LedgerFact fact, Done done) {
  post([this, fact = std::move(fact)]() -> Result<void> { return append_now(fact); },
       std::move(done));
}

}  // namespace sworn::recorder::host
