// SPDX-License-Identifier: Apache-2.0
#include "audit/alert/alert_rules.hpp"

#include "audit/logs/toml_file.hpp"
#include "base/printable.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <set>

namespace sworn::audit::alert {
namespace {

constexpr std::array<std::string_view, k_subjects> k_subject_names{"command", "exec", "output",
                                                                   "file"};
constexpr std::array<std::string_view, 6> k_action_names{"syslog",  "journald", "command",
                                                         "webhook", "freeze",   "end"};
constexpr std::array<std::string_view, 4> k_severities{"low", "medium", "high", "critical"};

// "22:00-06:00"
std::optional<Hours> read_hours(std::string_view text) {
  const auto minute = [](std::string_view part) -> std::optional<int> {
    if (part.size() != 5 || part[2] != ':') {
      return std::nullopt;
    }
    for (const std::size_t i : {0U, 1U, 3U, 4U}) {
      if (part[i] < '0' || part[i] > '9') {
        return std::nullopt;
      }
    }
    const int hours = (part[0] - '0') * 10 + part[1] - '0';
    const int minutes = (part[3] - '0') * 10 + part[4] - '0';
    return hours < 24 && minutes < 60 ? std::optional(hours * 60 + minutes) : std::nullopt;
  };
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) {
    return std::nullopt;
  }
  const auto from = minute(text.substr(0, dash));
  const auto to = minute(text.substr(dash + 1));
  return from && to && *from != *to ? std::optional(Hours{*from, *to}) : std::nullopt;
}

Result<void> read_patterns(logs::TomlTable& table, std::string_view key,
                           std::vector<std::string>& out) {
  out = table.texts(key).value_or(std::vector<std::string>());
  for (const auto& pattern : out) {
    const RE2 compiled(pattern, RE2::Quiet);
    if (!compiled.ok()) {
      return table.wrong(key, fmt::format("{}: {}", key, printable(compiled.error(), 200)));
    }
  }
  return {};
}

Result<void> read_actions(logs::TomlTable& table, AlertRule& rule) {
  for (const auto& name : table.texts("actions").value_or(std::vector<std::string>())) {
    const auto found = std::find(k_action_names.begin(), k_action_names.end(), name);
    if (found == k_action_names.end()) {
      return table.wrong("actions",
                         fmt::format("{} is no action: syslog, journald, command, webhook, freeze, "
                                     "end",
                                     printable(name, 40)));
    }
    rule.actions.push_back(static_cast<AlertAction>(found - k_action_names.begin()));
  }
  rule.run = table.text("run").value_or("");
  rule.url = table.text("url").value_or("");
  const auto has = [&](AlertAction action) {
    return std::find(rule.actions.begin(), rule.actions.end(), action) != rule.actions.end();
  };
  if (has(AlertAction::command) != !rule.run.empty()) {
    return table.wrong("run", "the action command and run = \"...\" belong together");
  }
  if (has(AlertAction::webhook) != !rule.url.empty()) {
    return table.wrong("url", "the action webhook and url = \"...\" belong together");
  }
  if (!rule.url.empty() && !rule.url.starts_with("https://") && !rule.url.starts_with("http://")) {
    return table.wrong("url", "a webhook begins with https:// or http://");
  }
  return {};
}

Result<void> read_conditions(logs::TomlTable& table, AlertRule& rule) {
  rule.users = table.texts("user").value_or(std::vector<std::string>());
  rule.not_users = table.texts("not_user").value_or(std::vector<std::string>());
  rule.statuses = table.numbers("status").value_or(std::vector<std::int64_t>());
  if (const auto hours = table.text("hours")) {
    rule.hours = read_hours(*hours);
    if (!rule.hours) {
      return table.wrong("hours", "hours are written as 22:00-06:00");
    }
  }
  const auto rate = table.number("rate").value_or(1);
  const auto seconds = table.number("rate_seconds").value_or(60);
  if (!(rate >= 1 && rate <= 10'000) || !(seconds > 0 && seconds <= 86'400)) {
    return table.wrong("rate", "rate is a number from 1 to 10000, rate_seconds at most 86400");
  }
  rule.rate = static_cast<std::uint32_t>(rate);
  rule.rate_us = static_cast<std::int64_t>(seconds * 1e6);
  return {};
}

Result<AlertRule> read_rule(logs::TomlTable& table) {
  AlertRule rule;
  rule.name = table.text("name").value_or("");
  rule.about = table.text("about").value_or("");
  rule.severity = table.text("severity").value_or("medium");
  bool any = false;
  for (std::size_t i = 0; i < k_subjects; ++i) {
    TRY(read_patterns(table, k_subject_names[i], rule.patterns[i]));
    any |= !rule.patterns[i].empty();
  }
  TRY(read_patterns(table, "unless", rule.unless));
  TRY(read_conditions(table, rule));
  TRY(read_actions(table, rule));
  TRY(table.done());
  if (rule.name.empty()) {
    return table.wrong("name", "a rule needs a name");
  }
  if (std::find(k_severities.begin(), k_severities.end(), rule.severity) == k_severities.end()) {
    return table.wrong("severity", "a severity is low, medium, high or critical");
  }
  if (!any && rule.statuses.empty()) {
    return table.wrong("name",
                       fmt::format("rule {} would match everything: it needs command, exec, "
                                   "output, file or status",
                                   printable(rule.name, 60)));
  }
  return rule;
}

Result<std::vector<AlertRule>> read_rules(logs::TomlFile file) {
  TRY_ASSIGN(auto tables, file.tables("rule"));
  std::vector<AlertRule> rules;
  std::set<std::string> names;
  for (auto& table : tables) {
    TRY_ASSIGN(auto rule, read_rule(table));
    if (!names.insert(rule.name).second) {
      return table.wrong("name", fmt::format("there are two rules {}", printable(rule.name, 60)));
    }
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

std::string_view name_of(Subject subject) {
  return k_subject_names[static_cast<std::size_t>(subject) % k_subjects];
}
std::string_view name_of(AlertAction action) {
  return k_action_names[static_cast<std::size_t>(action) % k_action_names.size()];
}

Result<std::vector<AlertRule>> read_alert_rules(const std::string& path) {
  TRY_ASSIGN(auto file, logs::TomlFile::read(path));
  TRY_ASSIGN(auto rules, read_rules(std::move(file)));
  if (rules.empty()) {
    return fail(Errc::not_found, path + ": no [[rule]] in it");
  }
  return rules;
}

Result<std::vector<AlertRule>> parse_alert_rules(std::string_view toml, const std::string& name) {
  TRY_ASSIGN(auto file, logs::TomlFile::parse(toml, name));
  return read_rules(std::move(file));
}

}  // namespace sworn::audit::alert
