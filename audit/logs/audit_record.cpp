// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/audit_record.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sworn::audit::logs {
namespace {

constexpr char k_enriched_mark = '\x1d';

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// The fields whose text comes from users, and which auditd therefore encodes when it must.
bool is_encoded_name(std::string_view name, std::string_view type) {
  constexpr std::array<std::string_view, 27> k_names{
      "acct",      "cgroup",   "cmd",     "comm",  "cwd",      "data",   "device",
      "dir",       "exe",      "file",    "grp",   "key",      "name",   "new-chardev",
      "new-disk",  "new-fs",   "new-rng", "ocomm", "old-disk", "old-fs", "path",
      "proctitle", "root_dir", "saddr",   "sw",    "vm",       "watch"};
  if (std::find(k_names.begin(), k_names.end(), name) != k_names.end()) {
    return true;
  }
  return type == "EXECVE" && name.size() >= 2 && name[0] == 'a' && name[1] >= '0' &&
         name[1] <= '9' && !name.ends_with("_len");
}

bool decode_hex(std::string_view text, std::string& out) {
  if (text.empty() || text.size() % 2 != 0) {
    return false;
  }
  out.clear();
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    out += static_cast<char>(high * 16 + low);
  }
  return true;
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '[' || c == ']';
}

class FieldReader {
 public:
  FieldReader(AuditRecord& record, std::vector<AuditField>& out, bool top)
      : record_(record), out_(out), top_(top) {}

  void read(std::string_view text) {
    while (!text.empty()) {
      const auto start = text.find_first_not_of(' ');
      if (start == std::string_view::npos) {
        return;
      }
      text.remove_prefix(start);
      std::size_t name_end = 0;
      while (name_end < text.size() && is_name_char(text[name_end])) {
        ++name_end;
      }
      if (name_end == 0 || name_end >= text.size() || text[name_end] != '=') {
        const auto end = std::min(text.find(' '), text.size());
        if (top_) {
          record_.words += record_.words.empty() ? "" : " ";
          record_.words += text.substr(0, end);
        }
        text.remove_prefix(end);
        continue;
      }
      const auto name = text.substr(0, name_end);
      text.remove_prefix(name_end + 1);
      value(name, text);
    }
  }

 private:
  void value(std::string_view name, std::string_view& text) {
    AuditField field;
    field.name = name;
    if (text.starts_with('"')) {
      const auto end = std::min(text.find('"', 1), text.size());
      field.value = text.substr(1, end - 1);
      field.kind = AuditValue::quoted;
      text.remove_prefix(std::min(end + 1, text.size()));
    } else if (text.starts_with('\'') || text.starts_with("{ ")) {
      const char close = text.front() == '\'' ? '\'' : '}';
      // A quote inside belongs to the text: the last one closes.
      const auto last = close == '}' ? text.find(close) : text.rfind(close);
      const auto end = last == std::string_view::npos || last == 0 ? text.size() : last;
      field.value = text.substr(1, end - 1);
      field.kind = AuditValue::group;
      text.remove_prefix(std::min(end + 1, text.size()));
    } else {
      const auto end = std::min(text.find(' '), text.size());
      const auto word = text.substr(0, end);
      if (word == "(null)") {
        field.kind = AuditValue::none;
      } else if (is_encoded_name(name, record_.type) && decode_hex(word, field.value)) {
        field.kind = AuditValue::hex;
      } else {
        field.value = word;
      }
      text.remove_prefix(end);
    }
    if (out_.size() >= k_max_audit_fields) {
      record_.cut = true;
      return;
    }
    const bool inner = top_ && field.kind == AuditValue::group && field.name == "msg";
    const auto inside = inner ? field.value : std::string();
    out_.push_back(std::move(field));
    if (inner) {
      FieldReader(record_, out_, false).read(inside);
    }
  }

  AuditRecord& record_;
  std::vector<AuditField>& out_;
  bool top_;
};

template <typename T>
bool take_number(std::string_view& text, T& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (ec != std::errc{} || end == text.data()) {
    return false;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) {
    return false;
  }
  text.remove_prefix(prefix.size());
  return true;
}

const AuditField* find_in(const std::vector<AuditField>& fields, std::string_view name) {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &*found;
}

}  // namespace

const AuditField* AuditRecord::find(std::string_view name) const {
  return find_in(fields, name);
}
const AuditField* AuditRecord::find_enriched(std::string_view name) const {
  return find_in(enriched, name);
}

std::optional<std::int64_t> AuditRecord::number(std::string_view name) const {
  const auto* field = find(name);
  if (field == nullptr || field->kind != AuditValue::bare) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  std::string_view text = field->value;
  if (!take_number(text, value) || !text.empty()) {
    return std::nullopt;
  }
  return value;
}

std::optional<AuditRecord> parse_audit_record(std::string_view line) {
  AuditRecord record;
  if (line.size() > k_max_audit_line) {
    line = line.substr(0, k_max_audit_line);
    record.cut = true;
  }
  // The dispatcher may put a syslog header in front.
  const auto start = std::min(line.find("node="), line.find("type="));
  if (start == std::string_view::npos || start > 256) {
    return std::nullopt;
  }
  line.remove_prefix(start);
  if (take_prefix(line, "node=")) {
    const auto end = line.find(' ');
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    record.node = line.substr(0, std::min<std::size_t>(end, 256));
    line.remove_prefix(end + 1);
  }
  if (!take_prefix(line, "type=")) {
    return std::nullopt;
  }
  const auto type_end = line.find(' ');
  if (type_end == std::string_view::npos || type_end == 0 || type_end > 64) {
    return std::nullopt;
  }
  record.type = line.substr(0, type_end);
  line.remove_prefix(type_end + 1);
  constexpr std::int64_t k_max_seconds = 100'000'000'000;
  std::int64_t seconds = 0;
  std::int64_t millis = 0;
  if (!take_prefix(line, "msg=audit(") || !take_number(line, seconds) || !take_prefix(line, ".") ||
      !take_number(line, millis) || !take_prefix(line, ":") || !take_number(line, record.serial) ||
      !take_prefix(line, "):") || seconds < 0 || seconds > k_max_seconds || millis < 0 ||
      millis > 999) {
    return std::nullopt;
  }
  record.at = {seconds * 1'000'000 + millis * 1'000};
  const auto mark = line.find(k_enriched_mark);
  FieldReader(record, record.fields, true).read(line.substr(0, mark));
  if (mark != std::string_view::npos) {
    FieldReader(record, record.enriched, false).read(line.substr(mark + 1));
  }
  return record;
}

}  // namespace sworn::audit::logs
