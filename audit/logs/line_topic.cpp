// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/line_topic.hpp"

#include <algorithm>
#include <array>

namespace sworn::audit::logs {
namespace {

constexpr std::size_t k_looked_at = 1024;

struct Words {
  std::string_view program;  // must stand before a ':' or '[' early in the line
  std::string_view words;
  std::string_view topic;
};

constexpr std::array k_words{
    Words{"sudo", "NOT in sudoers", "denied"},
    Words{"sudo", "command not allowed", "denied"},
    Words{"sudo", "incorrect password attempt", "denied"},
    Words{"sudo", "authentication failure", "denied"},
    Words{"sudo", "a password is required", "denied"},
    Words{"sudo", "COMMAND=", "privilege"},
    Words{"su", "FAILED SU", "denied"},
    Words{"su", "authentication failure", "denied"},
    Words{"su", "(to ", "privilege"},
    Words{"sshd", "Failed ", "login_failed"},
    Words{"sshd", "Invalid user", "login_failed"},
    Words{"sshd", "authentication failure", "login_failed"},
    Words{"sshd", "Accepted ", "login"},
    Words{"login", "FAILED LOGIN", "login_failed"},
    Words{"login", "LOGIN ON", "login"},
    Words{"systemd-logind", "New session", "login"},
    Words{"useradd", "new user", "account_change"},
    Words{"useradd", "add '", "account_change"},
    Words{"userdel", "delete user", "account_change"},
    Words{"usermod", "change user", "account_change"},
    Words{"usermod", "add '", "account_change"},
    Words{"groupadd", "new group", "account_change"},
    Words{"groupadd", "group added", "account_change"},
    Words{"groupdel", "group '", "account_change"},
    Words{"gpasswd", "user ", "account_change"},
    Words{"passwd", "password changed", "account_change"},
    Words{"chpasswd", "password changed", "account_change"},
    Words{"chage", "changed password expiry", "account_change"},
    Words{"systemd", "Started ", "service_change"},
    Words{"systemd", "Stopped ", "service_change"},
    Words{"systemd", "Reloading", "service_change"},
};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

bool spoken_by(std::string_view head, std::string_view program) {
  for (auto at = head.find(program); at != std::string_view::npos;
       at = head.find(program, at + 1)) {
    const auto end = at + program.size();
    if ((at == 0 || !is_letter(head[at - 1])) && end < head.size() &&
        (head[end] == ':' || head[end] == '[' || head[end] == '(')) {
      return true;
    }
  }
  return false;
}

// The summary of an audit event begins with its first record's type.
std::string_view audit_topic(std::string_view text) {
  const auto type = text.substr(0, text.find(' '));
  const bool failed = text.find("res failed") != std::string_view::npos ||
                      text.find("res 0") != std::string_view::npos;
  constexpr std::array<std::string_view, 12> k_account{
      "ADD_USER", "DEL_USER",  "ADD_GROUP",   "DEL_GROUP", "USER_CHAUTHTOK", "USER_MGMT",
      "GRP_MGMT", "ACCT_LOCK", "ACCT_UNLOCK", "CHUSER_ID", "CHGRP_ID",       "USER_ACCT_CHANGE"};
  if (std::find(k_account.begin(), k_account.end(), type) != k_account.end()) {
    return "account_change";
  }
  if (type == "USER_LOGIN") {
    return failed ? "login_failed" : "login";
  }
  if (type == "USER_AUTH" || type == "USER_ERR") {
    return !failed ? "" : text.find("sshd") != std::string_view::npos ? "login_failed" : "denied";
  }
  if (type == "USER_CMD") {
    return failed ? "denied" : "privilege";
  }
  if (type == "SERVICE_START" || type == "SERVICE_STOP") {
    return "service_change";
  }
  if (type == "CONFIG_CHANGE" || type == "DAEMON_END" || type == "DAEMON_START" ||
      type == "DAEMON_ABORT" || type == "DAEMON_CONFIG") {
    return "audit_change";
  }
  return "";
}

}  // namespace

std::string_view topic_of(std::string_view text) {
  text = text.substr(0, k_looked_at);
  const auto first = text.substr(0, text.find(' '));
  if (first.size() > 3 && std::all_of(first.begin(), first.end(),
                                      [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; })) {
    return audit_topic(text);
  }
  const auto head = text.substr(0, 160);
  for (const auto& one : k_words) {
    if (text.find(one.words) != std::string_view::npos && spoken_by(head, one.program)) {
      return one.topic;
    }
  }
  return "";
}

}  // namespace sworn::audit::logs
