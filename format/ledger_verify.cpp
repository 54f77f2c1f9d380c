// SPDX-License-Identifier: Apache-2.0
#include "format/ledger_verify.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::format {
namespace {

constexpr std::size_t k_max_findings = 1000;
constexpr std::size_t k_max_sessions = 1'000'000;
constexpr std::int64_t k_clock_slack_us = 60'000'000;

class LedgerVerifier {
 public:
  LedgerVerifier(const ReadFile& entries, const LedgerVerifyOptions& options)
      : entries_(entries), options_(options) {}

  Result<LedgerReport> run();

  // What each kind adds to the picture.
  void operator()(const LedgerGenesis& g) {
    report_.genesis = g;
    report_.checkpoint_keys = {g.checkpoint_key};
  }
  void operator()(const LedgerBoot& /*boot*/) { ++report_.boots; }
  void operator()(const LedgerSessionOpen& o);
  void operator()(const LedgerHeartbeat& h) {
    for (const auto& mark : h.sessions) {
      add_mark(mark);
    }
  }
  void operator()(const LedgerSessionClose& c);
  void operator()(const LedgerSessionLost& l) { facts_of(l.file_id).lost = l; }
  void operator()(const LedgerRecovery& r) {
    add_mark(r.mark);
    // The first one counts: a later one may be about a file that was changed since.
    auto& facts = facts_of(r.mark.file_id);
    if (!facts.recovery) {
      facts.recovery = r;
    } else if (facts.recovery->file_digest != r.file_digest) {
      find(Severity::warning, "found_in_two_states",
           fmt::format(
               "entry {}: what an interruption left of session {} was found in another state "
               "than before",
               index_, to_hex(r.mark.file_id)));
    }
  }
  void operator()(const LedgerRedaction& r) { facts_of(r.file_id).redactions.push_back(r); }
  void operator()(const LedgerRetentionDelete& d) { facts_of(d.file_id).deletion = d; }
  void operator()(const LedgerKeyRotation& k) {
    report_.checkpoint_keys.insert(report_.checkpoint_keys.begin(), k.checkpoint_key);
    find(Severity::note, "key_rotation",
         fmt::format("entry {}: the checkpoint key was changed by {}: {}", index_,
                     printable(k.actor, 80), printable(k.reason, 200)));
  }
  void operator()(const LedgerAnchor& /*anchor*/) { ++report_.anchors; }
  void operator()(const LedgerView& /*view*/) {}
  void operator()(const LedgerReview& /*review*/) {}
  void operator()(const LedgerUnknown& u) {
    find(Severity::note, "unknown_entry",
         fmt::format("entry {} is of a kind that this build does not interpret: {}", index_,
                     printable(u.kind, 80)));
  }

 private:
  void find(Severity severity, std::string code, std::string text, std::uint64_t length = 0) {
    if (report_.findings.size() < k_max_findings) {
      report_.findings.push_back({severity, std::move(code), offset_, length, std::move(text)});
    }
  }
  LedgerSessionFacts& facts_of(const FileId& id) {
    // Beyond the limit the picture is incomplete, and says so.
    if (report_.sessions.size() >= k_max_sessions && report_.sessions.count(id) == 0) {
      if (!full_) {
        full_ = true;
        find(Severity::failure, "too_many_sessions", "more than 1,000,000 sessions in one ledger");
      }
      return overflow_;
    }
    return report_.sessions[id];
  }
  void add_mark(const SessionMark& mark);
  void on_entry(const LedgerEntry& entry, ByteView stored);
  Result<bool> read_preamble();
  Result<void> scan();
  void keep_root();

  const ReadFile& entries_;
  const LedgerVerifyOptions& options_;
  LedgerReport report_;
  LedgerSessionFacts overflow_;
  bool full_ = false;
  std::uint64_t index_ = 0;
  std::uint64_t offset_ = 0;
  WallTime wall_;
  std::vector<std::uint64_t> sizes_;
};

void LedgerVerifier::operator()(const LedgerSessionOpen& o) {
  auto& facts = facts_of(o.file_id);
  if (++facts.opens > 1) {
    find(Severity::failure, "session_opened_twice",
         fmt::format("entry {} opens session {} a second time", index_, to_hex(o.file_id)));
    return;
  }
  facts.opened = index_;
  facts.open = o;
  facts.opened_at = wall_;
}

void LedgerVerifier::operator()(const LedgerSessionClose& c) {
  add_mark(c.mark);
  auto& facts = facts_of(c.mark.file_id);
  if (facts.closed) {
    find(Severity::failure, "session_closed_twice",
         fmt::format("entry {} closes session {} a second time", index_, to_hex(c.mark.file_id)));
    return;
  }
  facts.closed = index_;
  facts.close = c;
  facts.closed_at = wall_;
}

void LedgerVerifier::add_mark(const SessionMark& mark) {
  auto& facts = facts_of(mark.file_id);
  if (!facts.opened) {
    find(Severity::warning, "session_not_opened",
         fmt::format("entry {} speaks of session {}, which no entry opened", index_,
                     to_hex(mark.file_id)));
  }
  if (!facts.marks.empty()) {
    const auto& last = facts.marks.back();
    const bool back = mark.tree_size < last.tree_size || mark.seal_no < last.seal_no;
    const bool fork = mark.tree_size == last.tree_size && mark.root != last.root;
    if (back || fork) {
      find(Severity::failure, "session_went_back",
           fmt::format("entry {}: session {} went from seal {} to seal {} with another history",
                       index_, to_hex(mark.file_id), last.seal_no, mark.seal_no));
      return;
    }
    if (options_.session != mark.file_id) {
      facts.marks.clear();
    }
  }
  facts.marks.push_back(mark);
}

void LedgerVerifier::on_entry(const LedgerEntry& entry, ByteView stored) {
  wall_ = entry.wall;
  if (!report_.first_time) {
    report_.first_time = entry.wall;
  }
  if (report_.last_time && entry.wall.us + k_clock_slack_us < report_.last_time->us) {
    find(Severity::warning, "clock_went_back",
         fmt::format("entry {} is dated {}, the one before {}", index_,
                     format_rfc3339(entry.wall, 0), format_rfc3339(*report_.last_time, 0)));
  }
  report_.last_time = entry.wall;
  std::visit(*this, entry.fact);
  if (options_.on_entry) {
    options_.on_entry(index_, stored, entry);
  }
}

// False: nothing behind can be read.
Result<bool> LedgerVerifier::read_preamble() {
  std::array<std::byte, k_preamble_bytes> bytes{};
  TRY_ASSIGN(const auto n, entries_.read_at(0, bytes));
  const auto id = decode_ledger_preamble(ByteView(bytes).first(n));
  if (!id) {
    if (id.error().code == Errc::bad_usage) {
      return tl::make_unexpected(id.error());
    }
    if (id.error().code == Errc::unsupported) {
      report_.state = LedgerState::unsupported;
    }
    find(Severity::failure,
         id.error().code == Errc::unsupported ? "unsupported_version" : "bad_preamble",
         id.error().context, n);
    return false;
  }
  report_.head.id = *id;
  report_.head.bytes = k_preamble_bytes;
  return true;
}

void LedgerVerifier::keep_root() {
  if (std::binary_search(sizes_.begin(), sizes_.end(), report_.head.size)) {
    report_.roots[report_.head.size] = report_.head.tree.root();
  }
}

Result<void> LedgerVerifier::scan() {
  RecordScanner scanner(entries_, report_.head.id, k_preamble_bytes);
  std::uint64_t told = 0;
  while (true) {
    offset_ = report_.head.bytes;
    TRY_ASSIGN(const auto record, scanner.next());
    if (!record) {
      const std::uint64_t left =
          report_.file_bytes > report_.head.bytes ? report_.file_bytes - report_.head.bytes : 0;
      if (left != 0) {
        report_.state = LedgerState::torn;
        find(Severity::warning, "torn_tail",
             "the last bytes are no whole entry: cut off, or being written", left);
      }
      return {};
    }
    if (record->skipped != 0) {
      report_.state = LedgerState::broken;
      find(Severity::failure, "damaged_bytes",
           fmt::format("bytes behind entry {} cannot be read, and other entries stand behind them",
                       report_.head.size),
           record->skipped);
      return {};
    }
    if (record->frame.record_type() != k_ledger_entry_record) {
      report_.state = LedgerState::broken;
      find(Severity::failure, "foreign_record", "a record that is no ledger entry",
           record->body.size());
      return {};
    }
    index_ = report_.head.size;
    const auto entry = report_.head.advance(record->offset, record->frame.seq, record->body);
    if (!entry) {
      report_.state = LedgerState::broken;
      find(Severity::failure,
           entry.error().code == Errc::bad_seal ? "bad_signature" : "entry_out_of_order",
           entry.error().context, record->body.size());
      return {};
    }
    on_entry(*entry, decode_ledger_record(record->body).value().entry);
    keep_root();
    if (options_.progress && report_.head.bytes - told > (4U << 20U)) {
      told = report_.head.bytes;
      options_.progress(told, report_.file_bytes);
    }
  }
}

Result<LedgerReport> LedgerVerifier::run() {
  TRY_ASSIGN(report_.file_bytes, entries_.size());
  sizes_ = options_.sizes;
  std::sort(sizes_.begin(), sizes_.end());
  TRY_ASSIGN(const bool readable, read_preamble());
  if (readable) {
    report_.state = LedgerState::intact;
    TRY(scan());
    const bool failed =
        std::any_of(report_.findings.begin(), report_.findings.end(),
                    [](const Finding& f) { return f.severity == Severity::failure; });
    if (failed || report_.head.size == 0) {
      report_.state = LedgerState::broken;
    }
    if (report_.head.size == 0) {
      find(Severity::failure, "no_genesis", "there is not one valid entry");
    }
  }
  std::stable_sort(report_.findings.begin(), report_.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return std::move(report_);
}

}  // namespace

std::string_view name_of(LedgerState state) {
  switch (state) {
    case LedgerState::intact:
      return "INTACT";
    case LedgerState::torn:
      return "TORN";
    case LedgerState::broken:
      return "LEDGER-BROKEN";
    case LedgerState::unsupported:
      return "UNSUPPORTED";
  }
  return "UNKNOWN";
}

Result<LedgerReport> verify_ledger(const ReadFile& entries, const LedgerVerifyOptions& options) {
  return LedgerVerifier(entries, options).run();
}

}  // namespace sworn::format
