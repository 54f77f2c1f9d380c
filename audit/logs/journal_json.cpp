// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/journal_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::audit::logs {
namespace {

constexpr std::array<std::string_view, 13> k_fields{"MESSAGE",
                                                    "PRIORITY",
                                                    "SYSLOG_IDENTIFIER",
                                                    "_AUDIT_LOGINUID",
                                                    "_AUDIT_SESSION",
                                                    "_BOOT_ID",
                                                    "_COMM",
                                                    "_PID",
                                                    "_SYSTEMD_CGROUP",
                                                    "_SYSTEMD_UNIT",
                                                    "_UID",
                                                    "__MONOTONIC_TIMESTAMP",
                                                    "__REALTIME_TIMESTAMP"};

// Bytes that are not UTF-8 stay as they are: who reads the line treats it as hostile anyway.
void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
}

}  // namespace

void JournalJson::begin() {
  line_.clear();
}

void JournalJson::field(std::string_view name, std::string_view value) {
  if (std::find(k_fields.begin(), k_fields.end(), name) == k_fields.end() ||
      line_.find(fmt::format("\"{}\":", name)) != std::string::npos) {
    return;
  }
  line_ += fmt::format("{}\"{}\":\"", line_.empty() ? "{" : ",", name);
  append_escaped(line_, value);
  line_ += '"';
}

std::string JournalJson::finish() {
  return line_.empty() ? std::string() : line_ + "}\n";
}

}  // namespace sworn::audit::logs
