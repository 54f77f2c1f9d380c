// SPDX-License-Identifier: Apache-2.0
#include "cli/case_report.hpp"

#include "base/printable.hpp"

#include <fmt/format.h>

namespace sworn::cli {
namespace {

std::string html_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

constexpr std::string_view k_style =
    "body{font:15px/1.5 sans-serif;max-width:70em;margin:2em auto;padding:0 1em;color:#222}"
    "pre{background:#f4f4f4;padding:1em;overflow-x:auto;font:13px/1.45 monospace}"
    "h2{margin-top:2em;font-size:1.1em}.bad{color:#a00}table{border-collapse:collapse}"
    "td,th{text-align:left;padding:.2em 1em .2em 0;border-bottom:1px solid #ddd}";

constexpr std::string_view k_meaning =
    "INTACT+ANCHORED: whole, and others have seen that. INTACT+LEDGERED: whole by its ledger. "
    "SELF-CONSISTENT: unchanged; no ledger says that it is the whole. Everything else says in the "
    "text below what is missing.";

}  // namespace

std::string report_text(const std::vector<CaseItem>& items) {
  std::string out;
  for (const auto& item : items) {
    out += (out.empty() ? "" : "\n") + item.text;
    if (!item.why.empty()) {
      out += "reason        " + printable(item.why) + "\n";
    }
  }
  return out;
}

std::string report_html(const std::vector<CaseItem>& items, WallTime made) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n<title>Verification report</title><style>{}</style></head><body>\n"
      "<h1>Verification report</h1>\n<p>Made {} by sworn. It says what sworn found; check it "
      "yourself with <code>tools/verify.py</code> and <code>docs/format.md</code>.</p>\n<p>{}</p>\n"
      "<table><tr><th>Recording</th><th>Verdict</th></tr>\n",
      k_style, format_rfc3339(made, 0), k_meaning);
  for (const auto& item : items) {
    out += fmt::format("<tr><td>{}</td><td{}>{}</td></tr>\n", html_text(printable(item.name)),
                       item.why.empty() ? "" : " class=\"bad\"", html_text(item.verdict));
  }
  out += "</table>\n";
  for (const auto& item : items) {
    out += fmt::format("<h2>{}</h2>\n", html_text(printable(item.name)));
    if (!item.why.empty()) {
      out += fmt::format("<p class=\"bad\">{}</p>\n", html_text(printable(item.why)));
    }
    out += fmt::format("<pre>{}</pre>\n", html_text(item.text));
  }
  return out + "</body></html>\n";
}

std::string bundle_readme(const std::vector<CaseItem>& items) {
  std::string out =
      "Terminal sessions recorded by sworn, with what proves them.\n\n"
      "recordings/  the session files, unchanged\n"
      "entries/     their audit entries (commands, executions, files, gaps), one JSON object a "
      "line\n"
      "logs/        chosen log lines of their time\n"
      "ledger/      for each ledger its signed checkpoint, for each recording the entries about "
      "it,\n"
      "             with their paths to the checkpoint (C2SP tlog-proof)\n"
      "keys/        public keys; ask the owner of the ledger whether they are his\n"
      "report/      what sworn verify said when this was made\n"
      "docs/        the formats; tools/verify.py checks recordings with Python and no part of "
      "sworn\n"
      "SHA256SUMS   of all files: sha256sum -c SHA256SUMS\n\n"
      "To check:    python3 tools/verify.py recordings/NAME      (or: sworn verify "
      "recordings/NAME)\n\n"
      "Verdicts:\n";
  for (const auto& item : items) {
    out += fmt::format("  {:<28} {}\n", item.verdict, printable(item.name));
  }
  return out;
}

}  // namespace sworn::cli
