// SPDX-License-Identifier: Apache-2.0
#include "format/verify_with_ledger.hpp"

#include "base/printable.hpp"
#include "format/ledger_session.hpp"
#include "format/record.hpp"
#include "format/seal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace sworn::format {
namespace {

bool grew_out_of(const SeenTree& seen, const LedgerReport& ledger) {
  const auto root = ledger.roots.find(seen.size);
  return root != ledger.roots.end() && root->second == seen.root;
}

// The tree of the session at those of its seals that somebody asks for.
class SealRoots {
 public:
  Result<void> read(const ReadFile& session, const VerifyReport& report,
                    const std::vector<SessionMark>& wanted) {
    std::set<std::uint32_t> numbers;
    for (const auto& mark : wanted) {
      numbers.insert(mark.seal_no);
    }
    RecordScanner scanner(session, report.header->file_id, k_preamble_bytes);
    MerkleTree tree;
    std::uint64_t next = 0;
    while (next < report.seals) {
      TRY_ASSIGN(const auto record, scanner.next());
      if (!record) {
        break;
      }
      if (record->frame.record_type() != RecordType::seal) {
        continue;
      }
      const auto seal = decode_seal(record->body);
      if (!seal || seal->seal_no != next) {
        continue;
      }
      for (const auto& leaf : seal->leaves) {
        tree.add(leaf);
      }
      if (numbers.count(seal->seal_no) != 0) {
        points_[seal->seal_no] = {tree.size(), tree.root()};
      }
      ++next;
    }
    size_ = tree.size();
    return {};
  }
  struct Point {
    std::uint64_t tree_size = 0;
    Digest root{};
  };
  [[nodiscard]] const Point* at(std::uint32_t seal_no) const {
    const auto it = points_.find(seal_no);
    return it == points_.end() ? nullptr : &it->second;
  }
  [[nodiscard]] std::uint64_t tree_size() const { return size_; }

 private:
  std::map<std::uint32_t, Point> points_;
  std::uint64_t size_ = 0;
};

class Comparison {
 public:
  Comparison(const ReadFile& session, const VerifyReport& report, const ReadFile& ledger,
             const TrustStore* trust, const LedgerPolicy& policy)
      : session_(session), report_(report), ledger_(ledger), trust_(trust), policy_(policy) {}

  Result<LedgeredReport> run();

 private:
  void conclude(LedgerVerdict verdict) { out_.verdict = std::max(out_.verdict, verdict); }
  void find(Severity severity, std::string code, std::string text) {
    out_.findings.push_back({severity, std::move(code), 0, 0, std::move(text)});
  }
  void blame(LedgerVerdict verdict, std::string code, std::string text) {
    conclude(verdict);
    find(Severity::failure, std::move(code), std::move(text));
  }
  Result<void> read_ledger();
  void check_trust();
  void check_reference();
  Result<void> check_session();
  void check_opening(const LedgerSessionFacts& facts, const SessionIdentity& identity);
  Result<void> check_marks(const LedgerSessionFacts& facts);
  void check_redacted_copy(const LedgerSessionFacts& facts, const Digest& digest);
  Result<void> check_ending(const LedgerSessionFacts& facts);

  const ReadFile& session_;
  const VerifyReport& report_;
  const ReadFile& ledger_;
  const TrustStore* trust_;
  const LedgerPolicy& policy_;
  LedgeredReport out_;
  std::optional<LedgerReference> reference_;
  const TrustedLedger* trusted_ = nullptr;
};

Result<void> Comparison::read_ledger() {
  LedgerVerifyOptions options;
  options.sizes = policy_.sizes;
  if (report_.header) {
    options.session = report_.header->file_id;
    if (!report_.header->ledger.empty()) {
      auto reference = decode_ledger_reference(report_.header->ledger);
      if (reference) {
        reference_ = *reference;
        options.sizes.push_back(reference->size);
      } else {
        blame(LedgerVerdict::not_in_ledger, "bad_ledger_reference", reference.error().context);
      }
    }
  }
  if (trust_ != nullptr) {
    for (const auto& trusted : trust_->ledgers()) {
      if (trusted.seen) {
        options.sizes.push_back(trusted.seen->size);
      }
    }
  }
  TRY_ASSIGN(out_.ledger, verify_ledger(ledger_, options));
  switch (out_.ledger.state) {
    case LedgerState::intact:
      break;
    case LedgerState::torn:
      find(Severity::warning, "ledger_torn", "the last bytes of the ledger are no whole entry");
      break;
    case LedgerState::broken:
    case LedgerState::unsupported:
      blame(LedgerVerdict::broken, "ledger_broken",
            out_.ledger.findings.empty() ? "the ledger does not hold"
                                         : out_.ledger.findings.front().text);
      break;
  }
  return {};
}

// The pin, and what was seen before.
void Comparison::check_trust() {
  if (trust_ != nullptr && out_.ledger.genesis) {
    const auto& genesis = *out_.ledger.genesis;
    trusted_ = trust_->find(genesis.id);
    const auto* host = trust_->find_host(genesis.host_id);
    if (trusted_ == nullptr && host != nullptr && genesis.scope == "host") {
      blame(LedgerVerdict::rollback, "ledger_replaced",
            fmt::format("host {} has another ledger ({}) in the trust store than this one ({})",
                        printable(host->name, 80), to_hex(host->id), to_hex(genesis.id)));
    }
  }
  if (trusted_ == nullptr) {
    find(Severity::warning, "ledger_not_pinned",
         "nobody vouches for this ledger: whoever made it could have made another one");
    if (policy_.require_pin) {
      conclude(LedgerVerdict::unpinned);
    }
    return;
  }
  out_.trust =
      trusted_->pinned_by == PinnedBy::administrator ? LedgerTrust::pinned : LedgerTrust::first_use;
  if (trusted_->genesis != out_.ledger.head.genesis) {
    blame(LedgerVerdict::broken, "genesis_mismatch",
          "the ledger begins with another genesis entry than the pinned one");
  }
  if (out_.trust == LedgerTrust::first_use) {
    find(Severity::note, "ledger_first_use",
         fmt::format("the ledger was pinned on first use ({}), not by an administrator",
                     format_rfc3339(trusted_->pinned_at, 0)));
    if (policy_.require_pin) {
      conclude(LedgerVerdict::unpinned);
    }
  }
  if (trusted_->seen) {
    const auto root = out_.ledger.roots.find(trusted_->seen->size);
    if (trusted_->seen->size > out_.ledger.head.size) {
      blame(LedgerVerdict::rollback, "ledger_rolled_back",
            fmt::format("the ledger had {} entries on {}; now it has {}", trusted_->seen->size,
                        format_rfc3339(trusted_->seen->when, 0), out_.ledger.head.size));
    } else if (root == out_.ledger.roots.end() || root->second != trusted_->seen->root) {
      blame(LedgerVerdict::rollback, "ledger_forked",
            fmt::format("the first {} entries are not those that were there on {}",
                        trusted_->seen->size, format_rfc3339(trusted_->seen->when, 0)));
    }
  }
}

// What the session's own header says of the ledger as it was before.
void Comparison::check_reference() {
  if (!reference_ || out_.ledger.head.size == 0) {
    return;
  }
  if (reference_->ledger != out_.ledger.head.id ||
      reference_->genesis != out_.ledger.head.genesis) {
    blame(LedgerVerdict::not_in_ledger, "another_ledger",
          fmt::format("the session belongs to ledger {}; this is {}", to_hex(reference_->ledger),
                      to_hex(out_.ledger.head.id)));
    return;
  }
  const auto root = out_.ledger.roots.find(reference_->size);
  if (reference_->size > out_.ledger.head.size) {
    blame(LedgerVerdict::rollback, "ledger_rolled_back",
          fmt::format("the ledger had {} entries when the session began; now it has {}",
                      reference_->size, out_.ledger.head.size));
  } else if (root == out_.ledger.roots.end() || root->second != reference_->root) {
    blame(LedgerVerdict::rollback, "ledger_forked",
          "the ledger is not the one that was there when the session began");
  }
}

void Comparison::check_opening(const LedgerSessionFacts& facts, const SessionIdentity& identity) {
  if (facts.open.first_key != identity.first_key || facts.open.header != identity.header_leaf) {
    blame(LedgerVerdict::tampered, "header_mismatch",
          "the header is not the one that the ledger recorded when the session was opened");
  }
  if (reference_ && facts.opened && *facts.opened < reference_->size) {
    blame(LedgerVerdict::tampered, "opened_too_early",
          "the ledger opened the session before the point that its header names");
  }
}

Result<void> Comparison::check_marks(const LedgerSessionFacts& facts) {
  out_.marks = facts.marks.size();
  if (facts.marks.empty()) {
    return {};
  }
  out_.last_mark = facts.marks.back();
  SealRoots roots;
  TRY(roots.read(session_, report_, facts.marks));
  for (const auto& mark : facts.marks) {
    const auto* point = roots.at(mark.seal_no);
    if (point == nullptr) {
      blame(LedgerVerdict::truncated, "shorter_than_ledger",
            fmt::format("the ledger saw seal {} with {} records; the file holds {} valid seals "
                        "with {} records",
                        mark.seal_no, mark.tree_size, report_.seals, roots.tree_size()));
      return {};
    }
    if (point->tree_size != mark.tree_size || point->root != mark.root) {
      blame(
          LedgerVerdict::tampered, "history_differs",
          fmt::format("at seal {} the file has another history than the ledger saw", mark.seal_no));
      return {};
    }
  }
  return {};
}

// Where it was made from, and whether the ledger knows of it. A copy that was made on another
// machine cannot be in the host's ledger: that is said, not judged.
void Comparison::check_redacted_copy(const LedgerSessionFacts& facts, const Digest& digest) {
  const bool known = std::any_of(facts.redactions.begin(), facts.redactions.end(),
                                 [&](const LedgerRedaction& r) { return r.new_digest == digest; });
  if (!known) {
    find(Severity::warning, "redaction_not_in_ledger",
         "the ledger does not know this redacted copy");
  }
  if (report_.redactions.front().source_digest != facts.close.file_digest) {
    find(Severity::warning, "redacted_from_another_file",
         "the copy was not made from the file that was closed, byte for byte");
  }
}

Result<void> Comparison::check_ending(const LedgerSessionFacts& facts) {
  for (const auto& redaction : facts.redactions) {
    find(Severity::note, "redacted_copy_exists",
         fmt::format("a redacted copy was made by {}: {}", printable(redaction.actor, 80),
                     printable(redaction.reason, 200)));
  }
  if (facts.deletion) {
    find(Severity::warning, "deleted_by_retention",
         fmt::format("the ledger says that this session was deleted by {}: {}",
                     printable(facts.deletion->actor, 80), printable(facts.deletion->reason, 200)));
  }
  if (facts.closed) {
    TRY_ASSIGN(const auto digest, digest_of(session_));
    if (!report_.redactions.empty()) {
      check_redacted_copy(facts, digest.digest);
    } else if (digest.digest != facts.close.file_digest) {
      find(Severity::warning, "bytes_differ_from_closed",
           "the file is not byte for byte the one that was closed: what is not sealed (index, "
           "footer, what stands behind) was changed");
    }
    if (!report_.closed) {
      blame(LedgerVerdict::truncated, "end_is_missing",
            "the ledger saw the end of the session; the file does not hold it");
    }
    return {};
  }
  conclude(LedgerVerdict::incomplete);
  if (facts.recovery) {
    TRY_ASSIGN(const auto digest, digest_of(session_));
    find(Severity::warning, "recovered",
         fmt::format("the recording was interrupted: {}", printable(facts.recovery->reason, 200)));
    // A salvaged copy says itself which file it was made from.
    const Digest& found = report_.recovered ? report_.recovered_from : digest.digest;
    if (found != facts.recovery->file_digest) {
      blame(LedgerVerdict::tampered, "changed_after_recovery",
            "the file was changed after the ledger recorded what the interruption left");
    }
  } else if (facts.lost) {
    find(Severity::warning, "lost",
         fmt::format("the recording was lost: {}", printable(facts.lost->reason, 200)));
  } else {
    find(Severity::warning, "not_closed_in_ledger",
         "the ledger does not say that the session ended: it is running, or the recorder was "
         "stopped before it could say so");
  }
  return {};
}

Result<void> Comparison::check_session() {
  if (!report_.header) {
    conclude(LedgerVerdict::not_in_ledger);
    return {};
  }
  const auto* facts = out_.ledger.session(report_.header->file_id);
  const bool known = facts != nullptr && facts->opened.has_value();
  if (!known) {
    const auto* trusted = trusted_;
    const bool must = trusted != nullptr && trusted->sealed_since &&
                      report_.header->host_id == trusted->host_id &&
                      report_.header->started >= *trusted->sealed_since;
    if (reference_ || must) {
      blame(LedgerVerdict::not_in_ledger, "not_in_ledger",
            reference_ ? "the session says that it is in this ledger; no entry knows it"
                       : "the host keeps its sessions in this ledger; no entry knows this one");
    } else {
      conclude(LedgerVerdict::not_claimed);
      find(Severity::note, "no_ledger", "the session was recorded without a ledger");
    }
    return {};
  }
  out_.opened = facts->opened;
  out_.closed = facts->closed;
  const auto identity = read_session_identity(session_);
  if (!identity) {
    if (identity.error().code == Errc::io) {
      return tl::make_unexpected(identity.error());
    }
    blame(LedgerVerdict::tampered, "header_mismatch", identity.error().context);
    return {};
  }
  check_opening(*facts, *identity);
  TRY(check_marks(*facts));
  return check_ending(*facts);
}

Result<LedgeredReport> Comparison::run() {
  out_.verdict = LedgerVerdict::ledgered;
  TRY(read_ledger());
  check_trust();
  check_reference();
  TRY(check_session());
  std::stable_sort(out_.findings.begin(), out_.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return std::move(out_);
}

}  // namespace

std::string_view name_of(LedgerVerdict verdict) {
  switch (verdict) {
    case LedgerVerdict::ledgered:
      return "LEDGERED";
    case LedgerVerdict::not_claimed:
      return "NO-LEDGER";
    case LedgerVerdict::incomplete:
      return "INCOMPLETE";
    case LedgerVerdict::unpinned:
      return "UNPINNED";
    case LedgerVerdict::not_in_ledger:
      return "NOT-IN-LEDGER";
    case LedgerVerdict::truncated:
      return "TRUNCATED";
    case LedgerVerdict::tampered:
      return "TAMPERED";
    case LedgerVerdict::rollback:
      return "ROLLBACK";
    case LedgerVerdict::broken:
      return "LEDGER-BROKEN";
  }
  return "UNKNOWN";
}

int exit_status_of(LedgerVerdict verdict) {
  switch (verdict) {
    case LedgerVerdict::ledgered:
    case LedgerVerdict::not_claimed:
      return 0;
    case LedgerVerdict::incomplete:
      return 2;
    case LedgerVerdict::unpinned:
      return 4;
    case LedgerVerdict::not_in_ledger:
    case LedgerVerdict::truncated:
    case LedgerVerdict::tampered:
    case LedgerVerdict::rollback:
    case LedgerVerdict::broken:
      return 3;
  }
  return 1;
}

std::string_view name_of(LedgerTrust trust) {
  switch (trust) {
    case LedgerTrust::none:
      return "NOT PINNED";
    case LedgerTrust::first_use:
      return "FIRST USE";
    case LedgerTrust::pinned:
      return "PINNED";
  }
  return "UNKNOWN";
}

Result<LedgeredReport> verify_with_ledger(const ReadFile& session, const VerifyReport& report,
                                          const ReadFile& ledger, const TrustStore* trust,
                                          const LedgerPolicy& policy) {
  return Comparison(session, report, ledger, trust, policy).run();
}

std::optional<Finding> missing_ledger_claim(const VerifyReport& report, const TrustStore& trust) {
  if (!report.header || !report.header->ledger.empty()) {
    return std::nullopt;
  }
  const auto* host = trust.find_host(report.header->host_id);
  if (host == nullptr || !host->sealed_since || report.header->started < *host->sealed_since) {
    return std::nullopt;
  }
  return Finding{Severity::failure, "no_ledger_claim", 0, 0,
                 fmt::format("host {} keeps its sessions in a ledger since {}; this one names none",
                             printable(host->name, 80), format_rfc3339(*host->sealed_since, 0))};
}

std::vector<MissingSession> missing_sessions(const LedgerReport& ledger,
                                             std::span<const FileId> present) {
  const std::set<FileId> there(present.begin(), present.end());
  std::vector<MissingSession> out;
  for (const auto& [id, facts] : ledger.sessions) {
    if (facts.opened && !facts.deletion && there.count(id) == 0) {
      out.push_back({id, &facts});
    }
  }
  std::sort(out.begin(), out.end(), [](const MissingSession& a, const MissingSession& b) {
    return *a.facts->opened < *b.facts->opened;
  });
  return out;
}

Result<void> remember_ledger(TrustStore& trust, const LedgerReport& ledger, std::string name,
                             WallTime now) {
  if ((ledger.state != LedgerState::intact && ledger.state != LedgerState::torn) ||
      !ledger.genesis) {
    return fail(Errc::bad_seal, "a ledger that does not hold is not remembered");
  }
  TrustedLedger entry;
  if (const auto* known = trust.find(ledger.head.id)) {
    entry = *known;
    if (entry.genesis != ledger.head.genesis || (entry.seen && !grew_out_of(*entry.seen, ledger))) {
      return fail(Errc::bad_seal, "the ledger contradicts the trust store");
    }
  } else {
    entry.id = ledger.head.id;
    entry.name = std::move(name);
    if (ledger.genesis->scope == "host") {  // of the users' ledgers there may be many
      entry.host_id = ledger.genesis->host_id;
    }
    entry.genesis = ledger.head.genesis;
    entry.pinned_by = PinnedBy::first_use;
    entry.pinned_at = now;
  }
  TRY_ASSIGN(entry.checkpoint_key, NoteKey::parse(ledger.head.checkpoint_key));
  entry.seen = SeenTree{ledger.head.size, ledger.head.tree.root(), now};
  return trust.put(std::move(entry));
}

}  // namespace sworn::format
