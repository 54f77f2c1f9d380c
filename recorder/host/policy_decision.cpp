// SPDX-License-Identifier: Apache-2.0
// Who is recorded, and under which rules.
#include "recorder/host/config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <fnmatch.h>

namespace sworn::recorder::host {
namespace {

bool matches(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
  });
}

bool any_matches(const std::vector<std::string>& patterns, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return matches(patterns, name); });
}

std::string_view name_of_flag(bool value) {
  return value ? "true" : "false";
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) {
    out += (out.empty() ? "" : ",") + word;
  }
  return out;
}

std::string rules_text(const Rules& rules, const std::string& prefix) {
  return fmt::format(
      "{0}input={1}\n{0}sync={2}\n{0}on_failure={3}\n{0}require_reason={4}\n"
      "{0}require_ticket={5}\n{0}shell_hook={6}\n{0}shell={7}\n{0}retention={8}\n",
      prefix, name_of(rules.input), name_of(rules.sync), name_of(rules.on_failure),
      name_of_flag(rules.require_reason), name_of_flag(rules.require_ticket),
      name_of_flag(rules.shell_hook), rules.shell, rules.retention);
}

}  // namespace

bool is_recorded(const Config& config, const Person& person, const std::string& host) {
  if (!matches(config.hosts, host)) {
    return false;
  }
  if (matches(config.exclude_users, person.name) ||
      any_matches(config.exclude_groups, person.groups)) {
    return false;
  }
  return matches(config.users, person.name) || any_matches(config.groups, person.groups);
}

Rules rules_for(const Config& config, const Person& person) {
  Rules out = config.session;
  for (const auto& audience : config.audiences) {
    if (matches(audience.users, person.name) || any_matches(audience.groups, person.groups)) {
      out = audience.rules;
      break;
    }
  }
  if (const auto own = config.shells.find(person.name); own != config.shells.end()) {
    out.shell = own->second;
  }
  return out;
}

bool may_break_glass(const Config& config, const Person& person) {
  return any_matches(config.break_glass_groups, person.groups);
}

std::string effective_policy(const Config& config, const Rules& rules) {
  return "mode=host\n" + rules_text(rules, "") +
         fmt::format("required_anchors={}\nrecipients={}\nsecond_person={}\nenvironment={}\n",
                     join(config.required_anchors), join(config.recipients),
                     join(config.second_person), join(config.environment));
}

std::string describe_config(const Config& config) {
  std::string out = fmt::format(
      "record.users={}\nrecord.groups={}\nrecord.exclude_users={}\nrecord.exclude_groups={}\n"
      "record.hosts={}\n",
      join(config.users), join(config.groups), join(config.exclude_users),
      join(config.exclude_groups), join(config.hosts));
  out += rules_text(config.session, "session.");
  for (const auto& audience : config.audiences) {
    const auto prefix = "audience." + audience.name + ".";
    out += prefix + "users=" + join(audience.users) + "\n" + prefix +
           "groups=" + join(audience.groups) + "\n" + rules_text(audience.rules, prefix);
  }
  for (const auto& [user, shell] : config.shells) {
    out += fmt::format("shells.{}={}\n", user, shell);
  }
  out += fmt::format(
      "break_glass.groups={}\nlimits.sessions_per_user={}\nlimits.handshakes_per_user={}\n"
      "limits.user_quota={}\nlimits.reserve={}\n",
      join(config.break_glass_groups), config.sessions_per_user, config.handshakes_per_user,
      config.user_quota_bytes, config.reserve_bytes);
  for (const auto& each : config.retention) {
    out += fmt::format("retention.{}={}\n", each.name, each.days);
  }
  out += fmt::format(
      "hold.users={}\nhold.sessions={}\nenvironment.allow={}\nanchors.required={}\n"
      "encryption.recipients={}\nencryption.second_person={}\nterminal.login_programs={}\nstore."
      "immutable={}\n",
      join(config.hold_users), join(config.hold_sessions), join(config.environment),
      join(config.required_anchors), join(config.recipients), join(config.second_person),
      join(config.login_programs), name_of_flag(config.immutable));
  return out;
}

}  // namespace sworn::recorder::host
