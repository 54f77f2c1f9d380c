// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/host_ledger.hpp"

#include "format/ledger_session.hpp"
#include "format/store.hpp"
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
        TRY(keep_lost_session(paths_, note.final_path));
        if (!entry->entered.load()) {
          return fail(Errc::not_found, "the ledger does not know the session");
        }
        format::LedgerSessionLost fact;
        fact.file_id = entry->file_id;
        fact.reason = reason.empty() ? "it could not begin" : reason;
        return append_now(std::move(fact));
      },
      std::move(done));
}

void HostLedger::append(format::LedgerFact fact, Done done) {
  post([this, fact = std::move(fact)]() -> Result<void> { return append_now(fact); },
       std::move(done));
}

}  // namespace sworn::recorder::host
