// SPDX-License-Identifier: Apache-2.0
#include "cli/verify_text.hpp"

#include "base/printable.hpp"
#include "cli/session_summary.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::cli {
namespace {

using format::Evidence;
using format::Severity;
using format::Standing;
using format::Verdict;
using format::VerifyReport;

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::failure:
      return "failure";
  }
  return "";
}

bool is_failure(const format::Finding& finding) {
  return finding.severity == Severity::failure;
}

bool is_all_zero(const format::PublicKey& key) {
  return std::all_of(key.begin(), key.end(), [](std::byte b) { return b == std::byte{0}; });
}

std::string tampered_text(const VerifyReport& r) {
  const auto failures = std::count_if(r.findings.begin(), r.findings.end(), is_failure);
  const auto first = std::find_if(r.findings.begin(), r.findings.end(), is_failure);
  std::string text = "CHANGED: what was sealed is not what is there";
  if (first != r.findings.end()) {
    text += fmt::format("; {}, the first at byte {} of {}",
                        count(static_cast<std::uint64_t>(failures), "failure", "failures"),
                        grouped(first->offset), grouped(r.file_bytes));
  }
  return text + fmt::format("; {} otherwise", count(r.seals, "seal holds", "seals hold"));
}

std::string integrity(const VerifyReport& r) {
  switch (r.verdict) {
    case Verdict::tampered:
      return tampered_text(r);
    case Verdict::unsupported:
      return "NOT CHECKED: the file needs a version of sworn that knows more";
    case Verdict::unsealed:
      return "NOTHING PROVEN: not one valid seal";
    case Verdict::redaction_refused:
    case Verdict::locked:
    case Verdict::self_consistent:
    case Verdict::incomplete:
      break;
  }
  return fmt::format("sealed and unchanged up to byte {} of {}: {}, {}, {}, root {}",
                     grouped(r.sealed_bytes), grouped(r.file_bytes),
                     count(r.seals, "seal", "seals"), count(r.chunks, "chunk", "chunks"),
                     count(r.events, "event", "events"), format::to_hex(r.root).substr(0, 16));
}

std::string_view name_of(format::EventAccess access) {
  switch (access) {
    case format::EventAccess::clear:
      return "clear";
    case format::EventAccess::opened:
      return "opened";
    case format::EventAccess::locked:
      return "locked";
  }
  return "";
}

// A statement of its own: seals hold without a key, what the events say does not follow from that.
std::string content(const VerifyReport& r) {
  if (r.access == format::EventAccess::opened) {
    return "encrypted; every event was opened and held against what was sealed";
  }
  return fmt::format("ENCRYPTED, events NOT OPENED ({}): {}", r.locked_reason,
                     r.rewritten_chunks == 0
                         ? "the ciphertext is the one that was sealed, what it says was not read; "
                           "gaps and hidden input are not counted"
                         : "the ciphertext is the redactor's");
}

std::string open_or_closed(const VerifyReport& r, const VerifyContext& context) {
  if (r.closed) {
    return "closed";
  }
  if (context.state == format::StoredState::live) {
    return "STILL BEING RECORDED";
  }
  return "NOT CLOSED (the recorder died, or the end was removed)";
}

std::string completeness(const VerifyReport& r, const VerifyContext& context) {
  if (r.verdict == Verdict::unsupported) {
    return "NOT CHECKED";
  }
  std::string text = open_or_closed(r, context);
  text += fmt::format("; {}; unsealed at the end: {}", count(r.gaps, "gap", "gaps"),
                      r.unsealed_bytes == 0 ? "nothing" : grouped(r.unsealed_bytes) + " bytes");
  if (context.tail_events > 0) {
    text +=
        fmt::format("; in the tail, not sealed: {}", count(context.tail_events, "event", "events"));
  }
  if (r.late_bytes > 0) {
    text += fmt::format("; {} of output came after the end", count(r.late_bytes, "byte", "bytes"));
  }
  if (r.hidden_inputs > 0) {
    text += fmt::format("; {} not stored", count(r.hidden_inputs, "hidden input", "hidden inputs"));
  }
  return text + fmt::format("; longest time without a seal {:.1f} s",
                            static_cast<double>(r.max_silence.us) / 1e6);
}

// Who vouches: nobody but the file, a ledger that nobody vouches for, one that was seen before, one
// that an administrator pinned.
std::string identity(const Evidence& e) {
  const VerifyReport& r = e.session;
  if (is_all_zero(r.first_key)) {
    return "UNKNOWN: no key in the file";
  }
  const bool standalone = !r.header || r.header->mode == "standalone";
  const std::string who =
      fmt::format("{} under key ed25519:{}",
                  standalone ? "self-recorded" : "recorded by mode " + r.header->mode,
                  format::to_hex(r.first_key).substr(0, 16));
  if (!e.ledger || !e.ledger->opened) {
    return fmt::format("NOT PINNED: {}; nothing outside the file says whose that is", who);
  }
  const std::string origin = e.ledger->ledger.head.origin;
  switch (e.ledger->trust) {
    case format::LedgerTrust::none:
      return fmt::format("NOT PINNED: {}, opened in ledger {}, for which nobody vouches", who,
                         origin);
    case format::LedgerTrust::first_use:
      return fmt::format(
          "FIRST USE: {}, opened in ledger {}, which was taken over when it was first seen", who,
          origin);
    case format::LedgerTrust::pinned:
      return fmt::format("PINNED: {}, opened in ledger {}, which an administrator vouches for", who,
                         origin);
  }
  return "UNKNOWN";
}

std::string ledger_text(const format::LedgeredReport& l) {
  std::string text = fmt::format("{} with {}", l.ledger.head.origin,
                                 count(l.ledger.head.size, "entry", "entries"));
  if (!l.opened) {
    return text + ": it does not know this session";
  }
  text += fmt::format("; opened in entry {}", grouped(*l.opened));
  text += l.closed ? fmt::format(", closed in entry {}", grouped(*l.closed)) : ", not closed there";
  return text + fmt::format("; {} compared: {}", count(l.marks, "mark", "marks"),
                            format::name_of(l.verdict));
}

std::string anchor_text(const format::AnchorReport& a, const Evidence& e) {
  std::string by;
  for (const auto& name : a.by) {
    by += (by.empty() ? "" : ", ") + name;
  }
  const bool end = e.ledger && e.ledger->closed && a.anchor.size > *e.ledger->closed;
  std::string text =
      fmt::format("{} of {}", a.anchor.type, count(a.anchor.size, "entry", "entries"));
  if (!by.empty()) {
    text += " by " + by;
  }
  if (a.when) {
    text += " as of " + format_rfc3339(*a.when, 0);
  }
  text += fmt::format(": {}{}", format::name_of(a.state), a.why.empty() ? "" : ", " + a.why);
  return text + (a.state == format::AnchorState::holds
                     ? (end ? "; covers the end of the session" : "; does not cover its end")
                     : "");
}

std::string redaction_text(const format::RedactionInfo& r) {
  return fmt::format("{} removed by {} on {}, reason \"{}\"{}", count(r.events, "event", "events"),
                     r.actor, format_rfc3339(r.when, 0), r.reason,
                     r.named ? "" : "; NOBODY NAMED THAT KEY");
}

void line(std::string& out, std::string_view label, const std::string& text) {
  out += labelled(label, text, 14);
}

std::string time_range(const VerifyReport& r) {
  if (!r.first_time || !r.sealed_until) {
    return "never";
  }
  return format_rfc3339(*r.first_time, 0) + " .. " + format_rfc3339(*r.sealed_until, 0);
}

}  // namespace

std::string render_verify(const Evidence& e, const VerifyContext& context) {
  const VerifyReport& r = e.session;
  std::string out;
  line(out, "file", context.path);
  if (r.header) {
    line(out, "session", format::to_hex(r.header->file_id));
    line(out, "sealed", time_range(r));
  }
  line(out, "integrity", integrity(r));
  if (r.access != format::EventAccess::clear) {
    line(out, "content", content(r));
  }
  line(out, "completeness", completeness(r, context));
  line(out, "identity", identity(e));
  if (e.ledger) {
    line(out, "ledger", ledger_text(*e.ledger));
  }
  constexpr std::size_t k_shown_anchors = 8;
  for (std::size_t i = 0; i < e.anchors.size() && i < k_shown_anchors; ++i) {
    line(out, "anchor", anchor_text(e.anchors[i], e));
  }
  if (e.anchors.size() > k_shown_anchors) {
    line(out, "anchor", fmt::format("and {} more (--json)", e.anchors.size() - k_shown_anchors));
  }
  if (e.not_before || e.not_after) {
    line(out, "time",
         fmt::format("{}{}{} by the clocks of others",
                     e.not_before ? "not before " + format_rfc3339(*e.not_before, 0) : "",
                     e.not_before && e.not_after ? ", " : "",
                     e.not_after ? "not after " + format_rfc3339(*e.not_after, 0) : ""));
  }
  for (const auto& redaction : r.redactions) {
    line(out, "redacted", redaction_text(redaction));
  }
  if (r.recovered) {
    line(out, "salvaged", "this is a copy made after a crash; what it recovered is not sealed");
  }
  if (!context.tail_error.empty()) {
    line(out, "tail", "not usable: " + context.tail_error);
  }
  for (const auto& f : e.findings) {
    line(out, name_of(f.severity), fmt::format("{}: {}", f.code, f.text));
  }
  if (e.ledger) {
    for (const auto& f : e.ledger->findings) {
      line(out, name_of(f.severity), fmt::format("{}: {}", f.code, f.text));
    }
  }
  for (const auto& f : r.findings) {
    line(out, name_of(f.severity),
         fmt::format("{} at byte {} (+{}): {}", f.code, grouped(f.offset), grouped(f.length),
                     f.text));
  }
  line(out, "verdict", e.verdict());
  return out;
}

namespace {

void add_findings(Json& out, const std::vector<format::Finding>& findings, std::string_view about) {
  for (const auto& f : findings) {
    out.push_back({{"severity", name_of(f.severity)},
                   {"code", f.code},
                   {"offset", f.offset},
                   {"length", f.length},
                   {"text", f.text}});
    if (!about.empty()) {
      out.back()["about"] = about;
    }
  }
}

Json ledger_json(const Evidence& e) {
  if (!e.ledger) {
    return nullptr;
  }
  const auto& l = *e.ledger;
  return {{"verdict", format::name_of(l.verdict)},
          {"ledger_id", format::to_hex(l.ledger.head.id)},
          {"origin", l.ledger.head.origin},
          {"entries", l.ledger.head.size},
          {"root", format::to_hex(l.ledger.head.tree.root())},
          {"trust", format::name_of(l.trust)},
          {"opened", l.opened ? Json(*l.opened) : Json(nullptr)},
          {"closed", l.closed ? Json(*l.closed) : Json(nullptr)},
          {"marks", l.marks}};
}

Json anchors_json(const Evidence& e) {
  Json out = Json::array();
  for (const auto& a : e.anchors) {
    out.push_back({{"type", a.anchor.type},
                   {"entry", a.anchor.entry ? Json(*a.anchor.entry) : Json(nullptr)},
                   {"size", a.anchor.size},
                   {"state", format::name_of(a.state)},
                   {"by", a.by},
                   {"time", json_time(a.when)},
                   {"why", a.why}});
  }
  return out;
}

Json redactions_json(const VerifyReport& r) {
  Json out = Json::array();
  for (const auto& each : r.redactions) {
    out.push_back({{"actor", each.actor},
                   {"reason", each.reason},
                   {"time", json_time(each.when)},
                   {"events", each.events},
                   {"key", format::to_hex(each.key)},
                   {"named", each.named}});
  }
  return out;
}

}  // namespace

Json verify_to_json(const Evidence& e, const VerifyContext& context) {
  const VerifyReport& r = e.session;
  Json findings = Json::array();
  add_findings(findings, e.findings, "evidence");
  if (e.ledger) {
    add_findings(findings, e.ledger->findings, "ledger");
  }
  add_findings(findings, r.findings, "");
  const bool has_key = !is_all_zero(r.first_key);
  return {{"schema", "sworn.verify/1"},
          {"path", context.path},
          {"verdict", format::name_of(e.standing)},
          {"exit_status", e.exit_status()},
          {"file_id", r.header ? Json(format::to_hex(r.header->file_id)) : Json(nullptr)},
          {"integrity",
           {{"records", r.records},
            {"chunks", r.chunks},
            {"events", r.events},
            {"seals", r.seals},
            {"sealed_bytes", r.sealed_bytes},
            {"file_bytes", r.file_bytes},
            {"first_time", json_time(r.first_time)},
            {"sealed_until", json_time(r.sealed_until)},
            {"good_until", json_time(r.good_until)},
            {"root", format::to_hex(r.root)}}},
          {"content",
           {{"access", name_of(r.access)},
            {"reason", r.locked_reason},
            {"recipients", r.recipients},
            {"rewritten_chunks", r.rewritten_chunks}}},
          {"completeness",
           {{"closed", r.closed},
            {"state", context.state ? Json(format::name_of(*context.state)) : Json(nullptr)},
            {"gaps", r.gaps},
            {"hidden_inputs", r.hidden_inputs},
            {"late_bytes", r.late_bytes},
            {"unsealed_records", r.unsealed_records},
            {"unsealed_bytes", r.unsealed_bytes},
            {"tail_events", context.tail_events},
            {"max_silence", json_seconds(r.max_silence.us)},
            {"recovered", r.recovered}}},
          {"identity",
           {{"pinned", e.ledger && e.ledger->trust == format::LedgerTrust::pinned},
            {"trust", format::name_of(e.ledger ? e.ledger->trust : format::LedgerTrust::none)},
            {"mode", r.header ? Json(r.header->mode) : Json(nullptr)},
            {"first_key", has_key ? Json(format::to_hex(r.first_key)) : Json(nullptr)}}},
          {"ledger", ledger_json(e)},
          {"anchors", anchors_json(e)},
          {"not_before", json_time(e.not_before)},
          {"not_after", json_time(e.not_after)},
          {"redacted_events", r.redacted_events},
          {"redactions", redactions_json(r)},
          {"findings", std::move(findings)}};
}

namespace {

Message explain_file(const VerifyReport& r, const VerifyContext& context) {
  const auto until = r.sealed_until ? format_rfc3339(*r.sealed_until, 0) : std::string("its start");
  const auto salvage = "sworn salvage " + join_argv({context.path}) + " -o COPY.sworn";
  switch (r.verdict) {
    case Verdict::self_consistent:
      return {context.path + ": sealed and closed", "", ""};
    case Verdict::incomplete:
      if (context.state == format::StoredState::live) {
        return {fmt::format("{}: sealed up to {}, and still being recorded", context.path, until),
                "the session is not over", "verify it again when it is"};
      }
      if (r.recovered) {
        return {
            fmt::format("{}: a salvaged copy, sealed up to {}", context.path, until),
            "the session was never closed; what was recovered behind the last seal is not proven",
            "keep the original beside the copy"};
      }
      if (r.unsealed_bytes == 0) {
        return {fmt::format("{}: sealed up to {}, but never closed", context.path, until),
                "the recorder was killed, the power was cut, or the end of the file was removed",
                salvage + "     (keeps what is proven, marks the rest)"};
      }
      return {fmt::format("{}: sealed up to {}, then {} without a seal", context.path, until,
                          count(r.unsealed_bytes, "byte", "bytes")),
              "the recorder was killed, the power was cut, or the end of the file was removed",
              salvage + "     (keeps what is proven, marks the rest)"};
    case Verdict::unsealed:
      return {context.path + ": holds not one valid seal",
              "it was cut before the first seal, or it is not a recording at all",
              "look for another copy; do not rely on this one"};
    case Verdict::redaction_refused:
      return {fmt::format("{}: {} removed by somebody who was not named for it", context.path,
                          count(r.redacted_events, "event was", "events were")),
              "neither the signed header nor you name the key of the redaction note",
              "ask for the original, or name the redactor's key if you trust it"};
    case Verdict::locked:
      return {
          context.path + ": a redacted copy of an encrypted session, which no key at hand opens",
          r.locked_reason + "; whether it holds what was sealed can be told with its key only",
          "name an identity that opens the copy: --identity FILE"};
    case Verdict::tampered: {
      const auto worst = std::find_if(r.findings.begin(), r.findings.end(), is_failure);
      return {
          context.path + ": CHANGED AFTER IT WAS SEALED",
          worst == r.findings.end()
              ? "see the findings"
              : fmt::format("{} at byte {} (+{}): {}; good until {}", worst->code,
                            grouped(worst->offset), grouped(worst->length), worst->text,
                            r.good_until ? format_rfc3339(*r.good_until, 0) : "no moment of it"),
          "keep the file as it is and get another copy; sworn info FILE names its session"};
    }
    case Verdict::unsupported:
      return {context.path + ": made by another version of sworn",
              r.findings.empty() ? "its version is not known here" : r.findings.front().text,
              "verify it with the version of sworn that made it, or a newer one"};
  }
  return {context.path, "", ""};
}

// The first failure of the whole or of the ledger.
std::string worst_reason(const Evidence& e) {
  const auto in = [](const std::vector<format::Finding>& findings) {
    const auto it = std::find_if(findings.begin(), findings.end(), is_failure);
    return it == findings.end() ? std::string() : it->text;
  };
  std::string out = in(e.findings);
  if (out.empty() && e.ledger) {
    out = in(e.ledger->findings);
  }
  return out;
}

}  // namespace

Message explain_verdict(const Evidence& e, const VerifyContext& context) {
  const std::string& path = context.path;
  const std::string why = worst_reason(e);
  switch (e.standing) {
    case Standing::intact_anchored:
    case Standing::intact_ledgered:
    case Standing::self_consistent:
    case Standing::unsealed:
    case Standing::locked:
    case Standing::unsupported:
      return explain_file(e.session, context);
    case Standing::clock_anomaly:
      return {path + ": unchanged, but its times cannot be believed", why,
              "rely on the order of events, not on when they happened; look for an anchor or a log "
              "of another host"};
    case Standing::incomplete:
      if (e.session.verdict == Verdict::self_consistent) {
        return {
            path + ": sealed and closed, but its ledger does not say so",
            "the recorder was stopped before it could enter the end, or the ledger that is here is "
            "older than the session",
            "verify it with the ledger as it is now; the next sworn rec enters what is missing"};
      }
      return explain_file(e.session, context);
    case Standing::unpinned: {
      const auto code = [&](std::string_view wanted) {
        return std::any_of(e.findings.begin(), e.findings.end(),
                           [&](const format::Finding& f) { return f.code == wanted; });
      };
      const std::string todo =
          code("no_ledger")   ? "name its ledger, if it has one: --ledger DIR"
          : code("no_anchor") ? "sworn ledger anchor on its host, or a checkpoint that was kept: "
                                "--anchor FILE"
                              : "sworn trust add LEDGER --genesis HEX, with what its administrator "
                                "tells you";
      return {path + ": less is proven than the policy wants",
              why.empty() ? "no administrator vouches for its ledger" : why, todo};
    }
    case Standing::redaction_refused:
      return e.session.verdict == Verdict::redaction_refused
                 ? explain_file(e.session, context)
                 : Message{path + ": is a redacted copy", why, "ask for the original"};
    case Standing::truncated:
      return {path + ": TRUNCATED: its ledger has seen more of it", why,
              "keep the file as it is and get another copy: what is missing was on record"};
    case Standing::tampered:
      return e.session.verdict == Verdict::tampered
                 ? explain_file(e.session, context)
                 : Message{path + ": is not the session that its ledger saw", why,
                           "keep file and ledger as they are and get another copy"};
    case Standing::not_in_ledger:
      return {path + ": NOT IN ITS LEDGER", why,
              "it is of another host, it was made up, or the ledger is another one"};
    case Standing::rollback:
      return {path + ": ROLLBACK: its ledger is not what it was", why,
              "an older copy of the ledger was restored, or another one was put in its place"};
    case Standing::ledger_broken:
      return {path + ": LEDGER-BROKEN: its ledger does not hold", why, "sworn ledger check"};
  }
  return {path, why, ""};
}

int worse_status(int a, int b) {
  static constexpr std::array<int, 7> k_worst_first = {3, 1, 6, 4, 5, 2, 0};
  const auto rank = [](int status) {
    return std::find(k_worst_first.begin(), k_worst_first.end(), status) - k_worst_first.begin();
  };
  return rank(a) <= rank(b) ? a : b;
}

}  // namespace sworn::cli
