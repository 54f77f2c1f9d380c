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

using format::Severity;
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

std::string identity(const VerifyReport& r) {
  if (is_all_zero(r.first_key)) {
    return "UNKNOWN: no key in the file";
  }
  const auto key = format::to_hex(r.first_key).substr(0, 16);
  const bool standalone = !r.header || r.header->mode == "standalone";
  return fmt::format(
      "NOT PINNED: {} under key ed25519:{}; nothing outside the file says whose that is",
      standalone ? "self-recorded" : "recorded by mode " + r.header->mode, key);
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

std::string render_verify(const VerifyReport& r, const VerifyContext& context) {
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
  line(out, "identity", identity(r));
  if (r.recovered) {
    line(out, "salvaged", "this is a copy made after a crash; what it recovered is not sealed");
  }
  if (!context.tail_error.empty()) {
    line(out, "tail", "not usable: " + context.tail_error);
  }
  for (const auto& f : r.findings) {
    line(out, name_of(f.severity),
         fmt::format("{} at byte {} (+{}): {}", f.code, grouped(f.offset), grouped(f.length),
                     f.text));
  }
  line(out, "verdict", std::string(format::name_of(r.verdict)));
  return out;
}

Json verify_to_json(const VerifyReport& r, const VerifyContext& context) {
  Json findings = Json::array();
  for (const auto& f : r.findings) {
    findings.push_back({{"severity", name_of(f.severity)},
                        {"code", f.code},
                        {"offset", f.offset},
                        {"length", f.length},
                        {"text", f.text}});
  }
  const bool has_key = !is_all_zero(r.first_key);
  return {{"schema", "sworn.verify/1"},
          {"path", context.path},
          {"verdict", format::name_of(r.verdict)},
          {"exit_status", format::exit_status_of(r.verdict)},
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
           {{"pinned", false},
            {"mode", r.header ? Json(r.header->mode) : Json(nullptr)},
            {"first_key", has_key ? Json(format::to_hex(r.first_key)) : Json(nullptr)}}},
          {"findings", std::move(findings)}};
}

Message explain_verdict(const VerifyReport& r, const VerifyContext& context) {
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
      return {context.path + ": CHANGED AFTER IT WAS SEALED",
              worst == r.findings.end() ? "see the findings"
                                        : fmt::format("{} at byte {}: {}", worst->code,
                                                      grouped(worst->offset), worst->text),
              "keep the file as it is and get another copy; sworn info FILE names its session"};
    }
    case Verdict::unsupported:
      return {context.path + ": made by another version of sworn",
              r.findings.empty() ? "its version is not known here" : r.findings.front().text,
              "verify it with the version of sworn that made it, or a newer one"};
  }
  return {context.path, "", ""};
}

int worse_status(int a, int b) {
  static constexpr std::array<int, 7> k_worst_first = {3, 1, 6, 4, 5, 2, 0};
  const auto rank = [](int status) {
    return std::find(k_worst_first.begin(), k_worst_first.end(), status) - k_worst_first.begin();
  };
  return rank(a) <= rank(b) ? a : b;
}

}  // namespace sworn::cli
