// SPDX-License-Identifier: Apache-2.0
// The host's policy, /etc/sworn/sworn.conf (TOML; sworn.conf(5) is its reference). Only a regular
// file that belongs to root and that nobody else may write counts, in directories of which the same
// is true. A key that is not known is an error, never skipped: a misspelt exclusion must not become
// a hole.
#pragma once

#include "base/result.hpp"
#include "recorder/policy.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::recorder::host {

inline constexpr char k_config_path[] = "/etc/sworn/sworn.conf";

// What a session is recorded under. [session], changed by the first [[audience]] that matches.
struct Rules {
  InputMode input = InputMode::commands;
  SyncMode sync = SyncMode::interval;
  OnFailure on_failure = OnFailure::terminate;
  bool require_reason = false;
  bool require_ticket = false;
  bool shell_hook = true;
  std::string notice;
  std::string shell = "/bin/bash";
  std::string retention = "default";
};

struct Audience {
  std::string name;
  std::vector<std::string> users;
  std::vector<std::string> groups;
  Rules rules;  // complete: [session] with the changes of this audience
};

struct Retention {
  std::string name;
  std::uint32_t days = 0;  // 0: for ever
};

struct Config {
  // [record]
  std::vector<std::string> users{"*"};  // shell patterns
  std::vector<std::string> groups;
  std::vector<std::string> exclude_users;
  std::vector<std::string> exclude_groups;
  std::vector<std::string> hosts{"*"};
  // [session], [[audience]]
  Rules session;
  std::vector<Audience> audiences;
  std::map<std::string, std::string> shells;  // by user
  // [break_glass]
  std::vector<std::string> break_glass_groups;
  // [limits]
  std::uint32_t sessions_per_user = 256;
  std::uint32_t handshakes_per_user = 32;
  std::uint64_t user_quota_bytes = 0;  // 0: none
  std::uint64_t reserve_bytes = 64ULL << 20U;
  // [retention], [hold]
  std::vector<Retention> retention{{"default", 0}};
  std::vector<std::string> hold_users;
  std::vector<std::string> hold_sessions;
  // [environment]
  std::vector<std::string> environment;  // in addition to the built-in list
  // [anchors], [encryption]
  std::vector<std::string> required_anchors;
  std::vector<std::string> recipients;     // age1...: every session is encrypted to them
  std::vector<std::string> second_person;  // not empty: one of both lists is needed to read one
  // [terminal]
  std::vector<std::string> login_programs{"/usr/sbin/sshd", "/usr/lib/openssh/sshd-session",
                                          "/bin/login", "/usr/bin/login"};
  bool immutable = false;  // [store]
};

struct ConfigFinding {
  std::string file;
  std::uint32_t line = 0;  // 0: the file as a whole
  std::string reason;
};

struct ConfigResult {
  Config config;                        // of use only where there are no findings
  std::vector<ConfigFinding> findings;  // in the order of the file
  [[nodiscard]] bool ok() const { return findings.empty(); }
};

ConfigResult parse_config(std::string_view text, const std::string& file_name);
// An absent file gives the built-in policy: everybody is recorded.
ConfigResult load_config(const std::string& path = k_config_path);

// Who somebody is, as far as the policy asks.
struct Person {
  std::string name;
  std::uint32_t uid = 0;
  std::vector<std::string> groups;
};
[[nodiscard]] bool is_recorded(const Config& config, const Person& person, const std::string& host);
[[nodiscard]] Rules rules_for(const Config& config, const Person& person);
[[nodiscard]] bool may_break_glass(const Config& config, const Person& person);

// One "name=value" a line, the same for the same rules: its hash goes into every header.
std::string effective_policy(const Config& config, const Rules& rules);
// The whole configuration in the same form, for `sworn config show`.
std::string describe_config(const Config& config);

}  // namespace sworn::recorder::host
