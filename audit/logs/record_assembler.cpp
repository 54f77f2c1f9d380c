// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/record_assembler.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sworn::audit::logs {
namespace {

constexpr std::size_t k_max_arguments = 65'536;
constexpr std::size_t k_summary_bytes = 4096;

std::size_t size_of(const AuditRecord& record) {
  std::size_t bytes = record.words.size() + sizeof record;
  for (const auto& field : record.fields) {
    bytes += field.name.size() + field.value.size() + sizeof field;
  }
  for (const auto& field : record.enriched) {
    bytes += field.name.size() + field.value.size() + sizeof field;
  }
  return bytes;
}

// "a12" or "a12[3]": the number of the argument.
std::optional<std::size_t> argument_number(std::string_view name) {
  if (name.size() < 2 || name[0] != 'a') {
    return std::nullopt;
  }
  std::size_t n = 0;
  const auto [end, ec] = std::from_chars(name.data() + 1, name.data() + name.size(), n);
  const auto rest = name.substr(static_cast<std::size_t>(end - name.data()));
  if (ec != std::errc{} || n >= k_max_arguments || !(rest.empty() || rest.starts_with('['))) {
    return std::nullopt;
  }
  return n;
}

void append_words(std::string& out, const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (out.size() > k_summary_bytes) {
      out += " ...";
      return;
    }
    out += ' ';
    out += word;
  }
}

}  // namespace

const AuditRecord* AuditEvent::record(std::string_view type) const {
  const auto found = std::find_if(records.begin(), records.end(),
                                  [&](const auto& one) { return one.type == type; });
  return found == records.end() ? nullptr : &*found;
}

const AuditField* AuditEvent::field(std::string_view name) const {
  if (const auto* syscall = record("SYSCALL"); syscall != nullptr) {
    if (const auto* found = syscall->find(name); found != nullptr) {
      return found;
    }
  }
  for (const auto& one : records) {
    if (const auto* found = one.find(name); found != nullptr) {
      return found;
    }
  }
  return nullptr;
}

std::optional<std::int64_t> AuditEvent::number(std::string_view name) const {
  const auto* found = field(name);
  if (found == nullptr || found->kind != AuditValue::bare) {
    return std::nullopt;
  }
  std::int64_t value = 0;
  const auto& text = found->value;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::vector<std::string> AuditEvent::argv() const {
  std::vector<std::string> out;
  for (const auto& one : records) {
    if (one.type != "EXECVE") {
      continue;
    }
    for (const auto& field : one.fields) {
      const auto n = argument_number(field.name);
      if (!n) {
        continue;
      }
      // Arguments come in order; a hole larger than what was read is no argument list.
      if (*n > out.size() + 1) {
        continue;
      }
      if (*n >= out.size()) {
        out.resize(*n + 1);
      }
      out[*n] += field.value;
    }
  }
  return out;
}

std::vector<std::string> AuditEvent::proctitle() const {
  std::vector<std::string> out;
  const auto* title = record("PROCTITLE");
  const auto* field = title == nullptr ? nullptr : title->find("proctitle");
  if (field == nullptr) {
    return out;
  }
  std::string_view rest = field->value;
  while (!rest.empty()) {
    const auto end = std::min(rest.find('\0'), rest.size());
    out.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return out;
}

std::string AuditEvent::summary() const {
  std::string out;
  const auto arguments = argv();
  if (!arguments.empty()) {
    out = "exec";
    append_words(out, arguments);
  } else if (!records.empty()) {
    out = records.front().type;
    for (const auto* name : {"op", "acct", "cmd", "unit", "name", "words"}) {
      if (const auto* found = field(name); found != nullptr && out.size() < k_summary_bytes) {
        out += fmt::format(" {}={}", name, found->value.substr(0, k_summary_bytes));
      }
    }
    if (const auto* exe = field("exe"); exe != nullptr) {
      out += fmt::format(" {}", exe->value.substr(0, k_summary_bytes));
    }
    if (const auto title = proctitle(); !title.empty() && record("SYSCALL") != nullptr) {
      out += ':';
      append_words(out, title);
    }
  }
  std::string who;
  for (const auto* name : {"success", "res", "exit", "pid", "ppid", "uid", "auid", "ses"}) {
    if (const auto* found = field(name); found != nullptr && found->value.size() < 64) {
      who += fmt::format("{}{} {}", who.empty() ? "" : " ", name, found->value);
    }
  }
  return who.empty() ? out : fmt::format("{} ({})", out, who);
}

void RecordAssembler::add(AuditRecord record, std::vector<AuditEvent>& out) {
  newest_ = std::max(newest_, record.at);
  const Key key{record.at, record.serial, record.node};
  auto found = open_.find(key);
  if (found == open_.end()) {
    while (open_.size() >= k_max_open) {
      out.push_back(std::move(open_.begin()->second.event));
      open_.erase(open_.begin());
    }
    found = open_.emplace(key, Open{}).first;
    found->second.event.at = record.at;
    found->second.event.serial = record.serial;
    found->second.event.node = record.node;
  }
  auto& open = found->second;
  if (record.type == "EOE") {
    open.event.ended = true;
    out.push_back(std::move(open.event));
    open_.erase(found);
  } else {
    const auto bytes = size_of(record);
    if (open.event.records.size() < k_max_records && open.bytes + bytes <= k_max_event_bytes) {
      open.bytes += bytes;
      open.event.cut = open.event.cut || record.cut;
      open.event.records.push_back(std::move(record));
    } else {
      open.event.cut = true;
    }
  }
  // In the order of time and serial: the map's.
  while (!open_.empty() && newest_.us - std::get<0>(open_.begin()->first).us > k_patience_us) {
    out.push_back(std::move(open_.begin()->second.event));
    open_.erase(open_.begin());
  }
}

void RecordAssembler::flush(std::vector<AuditEvent>& out) {
  for (auto& [key, open] : open_) {
    out.push_back(std::move(open.event));
  }
  open_.clear();
}

}  // namespace sworn::audit::logs
