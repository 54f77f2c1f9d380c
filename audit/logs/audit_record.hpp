// SPDX-License-Identifier: Apache-2.0
// One line of auditd, raw or ENRICHED, taken apart: "type=T msg=audit(TIME:SERIAL): name=value
// ...". Strings that auditd wrote as hexadecimal digits are bytes again. Takes hostile bytes;
// bounded; copies.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit::logs {

enum class AuditValue : std::uint8_t {
  bare,    // number or word
  quoted,  // "..."
  hex,     // decoded from hexadecimal digits: any bytes
  group,   // '...' or { ... }: what was between
  none,    // (null)
};

struct AuditField {
  std::string name;
  std::string value;
  AuditValue kind = AuditValue::bare;
};

struct AuditRecord {
  std::string type;
  std::string node;
  WallTime at;
  std::uint64_t serial = 0;
  std::vector<AuditField> fields;  // in order; what stands inside msg='...' follows as fields, too
  std::vector<AuditField> enriched;  // behind the 0x1d: names, AUID="root"
  std::string words;                 // text that is no name=value ("avc:  denied  { read }")
  bool cut = false;                  // beyond the limits: something was left out

  [[nodiscard]] const AuditField* find(std::string_view name) const;
  [[nodiscard]] const AuditField* find_enriched(std::string_view name) const;
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view name) const;
};

inline constexpr std::size_t k_max_audit_line = 1U << 20U;
inline constexpr std::size_t k_max_audit_fields =
    16'384;  // an EXECVE may hold thousands of arguments

std::optional<AuditRecord> parse_audit_record(std::string_view line);

}  // namespace sworn::audit::logs
