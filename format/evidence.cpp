// SPDX-License-Identifier: Apache-2.0
#include "format/evidence.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::format {
namespace {

// Between clocks of different machines, and of waiting for a lock and a disk.
constexpr std::int64_t k_clock_slack_us = 300'000'000;
// A wall clock that is set right by a few seconds now and then is not worth a word here.
constexpr std::int64_t k_clock_back_us = 60'000'000;

Standing standing_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::self_consistent:
      return Standing::self_consistent;
    case Verdict::incomplete:
      return Standing::incomplete;
    case Verdict::unsealed:
      return Standing::unsealed;
    case Verdict::redaction_refused:
      return Standing::redaction_refused;
    case Verdict::locked:
      return Standing::locked;
    case Verdict::tampered:
      return Standing::tampered;
    case Verdict::unsupported:
      return Standing::unsupported;
  }
  return Standing::unsupported;
}

Standing standing_of(LedgerVerdict verdict) {
  switch (verdict) {
    case LedgerVerdict::ledgered:
      return Standing::intact_ledgered;
    case LedgerVerdict::not_claimed:
      return Standing::self_consistent;
    case LedgerVerdict::incomplete:
      return Standing::incomplete;
    case LedgerVerdict::unpinned:
      return Standing::unpinned;
    case LedgerVerdict::not_in_ledger:
      return Standing::not_in_ledger;
    case LedgerVerdict::truncated:
      return Standing::truncated;
    case LedgerVerdict::tampered:
      return Standing::tampered;
    case LedgerVerdict::rollback:
      return Standing::rollback;
    case LedgerVerdict::broken:
      return Standing::ledger_broken;
  }
  return Standing::ledger_broken;
}

class Gathering {
 public:
  Gathering(const ReadFile& session, const EvidenceSources& sources, const EvidencePolicy& policy)
      : session_(session), sources_(sources), policy_(policy) {}

  Result<Evidence> run(const Progress& progress);

 private:
  void find(Severity severity, std::string code, std::string text) {
    out_.findings.push_back({severity, std::move(code), 0, 0, std::move(text)});
  }
  void worsen(Standing standing, std::string code, std::string text) {
    out_.standing = std::max(out_.standing, standing);
    find(Severity::failure, std::move(code), std::move(text));
  }
  Result<void> read_ledger();
  void without_ledger();
  void judge_anchors(const std::vector<Anchor>& anchors);
  void check_clocks();
  void check_anchored_times();
  void apply_policy();

  const ReadFile& session_;
  const EvidenceSources& sources_;
  const EvidencePolicy& policy_;
  Evidence out_;
};

// What the file alone is worth, the ledger can raise one step; everything else makes it worse.
Result<void> Gathering::read_ledger() {
  TRY_ASSIGN(auto anchors, anchors_of(*sources_.ledger));
  anchors.insert(anchors.end(), sources_.found.begin(), sources_.found.end());
  LedgerPolicy policy;
  policy.require_pin = policy_.require_pin;
  for (const auto& anchor : anchors) {
    policy.sizes.push_back(anchor.size);
  }
  TRY_ASSIGN(out_.ledger,
             verify_with_ledger(session_, out_.session, *sources_.ledger, sources_.trust, policy));
  const Standing ledger = standing_of(out_.ledger->verdict);
  out_.standing =
      out_.standing == Standing::self_consistent ? ledger : std::max(out_.standing, ledger);
  judge_anchors(anchors);
  return {};
}

void Gathering::without_ledger() {
  const auto& session = out_.session;
  if (session.header && !session.header->ledger.empty()) {
    find(Severity::warning, "ledger_not_checked",
         "the session says that it is in a ledger, and that ledger is not here: nothing says that "
         "this is the whole of it");
  }
  if (sources_.trust != nullptr) {
    if (auto missing = missing_ledger_claim(session, *sources_.trust)) {
      out_.standing = std::max(out_.standing, Standing::not_in_ledger);
      out_.findings.push_back(std::move(*missing));
    }
  }
}

void Gathering::judge_anchors(const std::vector<Anchor>& anchors) {
  const auto& ledger = *out_.ledger;
  for (const auto& anchor : anchors) {
    auto report = judge(anchor, ledger.ledger, sources_.trust);
    if (report.contradicts) {
      worsen(Standing::rollback, "anchor_contradicts",
             fmt::format("{}: {}",
                         anchor.entry ? fmt::format("the anchor in entry {}", *anchor.entry)
                                      : printable(anchor.source, 200),
                         report.why));
    }
    const bool covers_end = ledger.closed && anchor.size > *ledger.closed;
    const bool holds = report.state == AnchorState::holds;
    if (holds && covers_end && out_.standing == Standing::intact_ledgered) {
      out_.standing = Standing::intact_anchored;
    }
    if (holds && report.when && covers_end) {
      out_.not_after = out_.not_after ? std::min(*out_.not_after, *report.when) : *report.when;
    }
    // In the ledger before the session was opened: what follows cannot be older.
    if (holds && report.when && anchor.entry && ledger.opened && *anchor.entry < *ledger.opened) {
      out_.not_before = out_.not_before ? std::max(*out_.not_before, *report.when) : *report.when;
    }
    out_.anchors.push_back(std::move(report));
  }
  std::stable_sort(out_.anchors.begin(), out_.anchors.end(),
                   [&](const AnchorReport& a, const AnchorReport& b) {
                     const auto rank = [&](const AnchorReport& r) {
                       const bool covers = ledger.closed && r.anchor.size > *ledger.closed;
                       return r.state == AnchorState::holds ? (covers ? 0 : 1) : 2;
                     };
                     return rank(a) < rank(b);
                   });
}

// The session's own clocks against each other, and against the moment at which it was entered.
void Gathering::check_clocks() {
  const auto& session = out_.session;
  if (session.clock_back_us > k_clock_back_us) {
    worsen(Standing::clock_anomaly, "clock_set_back",
           fmt::format("the wall clock was set back by {} during the session",
                       format_duration(session.clock_back_us, 0)));
  }
  if (!out_.ledger || !session.header || !out_.ledger->opened) {
    return;
  }
  const auto* facts = out_.ledger->ledger.session(session.header->file_id);
  if (facts == nullptr) {
    return;
  }
  const std::int64_t apart = facts->opened_at.us - session.header->started.us;
  if (apart > k_clock_slack_us || apart < -k_clock_slack_us) {
    worsen(Standing::clock_anomaly, "opened_at_another_time",
           fmt::format("the session says that it began at {}; the ledger opened it at {}",
                       format_rfc3339(session.header->started, 0),
                       format_rfc3339(facts->opened_at, 0)));
  }
}

void Gathering::check_anchored_times() {
  if (!out_.ledger || !out_.session.header) {
    return;
  }
  const auto* facts = out_.ledger->ledger.session(out_.session.header->file_id);
  if (facts == nullptr) {
    return;
  }
  if (out_.not_after && facts->closed &&
      facts->closed_at.us > out_.not_after->us + k_clock_slack_us) {
    worsen(Standing::clock_anomaly, "closed_after_it_was_seen",
           fmt::format("the ledger says that the session was closed at {}; somebody else had seen "
                       "that entry by {}",
                       format_rfc3339(facts->closed_at, 0), format_rfc3339(*out_.not_after, 0)));
  }
  if (out_.not_before && facts->opened &&
      facts->opened_at.us < out_.not_before->us - k_clock_slack_us) {
    worsen(Standing::clock_anomaly, "opened_before_it_could_be",
           fmt::format("the ledger says that the session was opened at {}; an anchor in front of "
                       "that entry is of {}",
                       format_rfc3339(facts->opened_at, 0), format_rfc3339(*out_.not_before, 0)));
  }
}

void Gathering::apply_policy() {
  if (policy_.forbid_redaction && out_.session.redacted_events > 0) {
    worsen(Standing::redaction_refused, "redacted",
           "the policy takes no redacted copies: ask for the original");
  }
  const bool no_ledger = out_.standing == Standing::self_consistent;
  if ((policy_.require_ledger || policy_.require_anchor || policy_.require_pin) && no_ledger) {
    worsen(Standing::unpinned, "no_ledger", "the policy wants a session that is in a ledger");
  }
  if (policy_.require_anchor && out_.standing == Standing::intact_ledgered) {
    worsen(Standing::unpinned, "no_anchor",
           "the policy wants an anchor outside the host that covers the end of the session");
  }
}

Result<Evidence> Gathering::run(const Progress& progress) {
  VerifyOptions options;
  if (sources_.trust != nullptr) {
    options.trusted_redactors = sources_.trust->redactors();
  }
  TRY_ASSIGN(out_.session, verify(session_, progress, options));
  out_.standing = standing_of(out_.session.verdict);
  if (out_.session.verdict != Verdict::unsupported) {
    if (sources_.ledger != nullptr) {
      TRY(read_ledger());
    } else {
      without_ledger();
    }
    check_clocks();
    check_anchored_times();
    apply_policy();
  }
  std::stable_sort(out_.findings.begin(), out_.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.severity > b.severity; });
  return std::move(out_);
}

}  // namespace

std::string_view name_of(Standing standing) {
  switch (standing) {
    case Standing::intact_anchored:
      return "INTACT+ANCHORED";
    case Standing::intact_ledgered:
      return "INTACT+LEDGERED";
    case Standing::self_consistent:
      return "SELF-CONSISTENT";
    case Standing::clock_anomaly:
      return "CLOCK-ANOMALY";
    case Standing::incomplete:
      return "INCOMPLETE";
    case Standing::unpinned:
      return "UNPINNED";
    case Standing::unsealed:
      return "UNSEALED";
    case Standing::redaction_refused:
      return "REDACTION-REFUSED";
    case Standing::locked:
      return "LOCKED";
    case Standing::truncated:
      return "TRUNCATED";
    case Standing::tampered:
      return "TAMPERED";
    case Standing::not_in_ledger:
      return "NOT-IN-LEDGER";
    case Standing::rollback:
      return "ROLLBACK";
    case Standing::ledger_broken:
      return "LEDGER-BROKEN";
    case Standing::unsupported:
      return "UNSUPPORTED";
  }
  return "UNKNOWN";
}

int exit_status_of(Standing standing) {
  switch (standing) {
    case Standing::intact_anchored:
    case Standing::intact_ledgered:
    case Standing::self_consistent:
      return 0;
    case Standing::clock_anomaly:
    case Standing::incomplete:
      return 2;
    case Standing::unpinned:
    case Standing::unsealed:
    case Standing::locked:
      return 4;
    case Standing::redaction_refused:
      return 5;
    case Standing::truncated:
    case Standing::tampered:
    case Standing::not_in_ledger:
    case Standing::rollback:
    case Standing::ledger_broken:
      return 3;
    case Standing::unsupported:
      return 6;
  }
  return 1;
}

std::string Evidence::verdict() const {
  std::string out(name_of(standing));
  if (session.redacted_events > 0) {
    out += fmt::format(", REDACTED({})", session.redacted_events);
  }
  return out;
}

Result<Evidence> gather_evidence(const ReadFile& session, const EvidenceSources& sources,
                                 const EvidencePolicy& policy, const Progress& progress) {
  constexpr int k_attempts = 3;
  for (int attempt = 1;; ++attempt) {
    TRY_ASSIGN(auto out, Gathering(session, sources, policy).run(progress));
    // A session that grew between the reading of it and that of its ledger is no shorter than the
    // ledger says: look again.
    TRY_ASSIGN(const auto now, session.size());
    if (attempt == k_attempts || !out.ledger || out.ledger->verdict != LedgerVerdict::truncated ||
        now == out.session.file_bytes) {
      return out;
    }
  }
}

}  // namespace sworn::format
