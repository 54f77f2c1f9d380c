// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/lineage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::audit::logs {
namespace {

// A process may write through a logger that hands its line on a little later.
constexpr std::int64_t k_linger_us = 2'000'000;
constexpr std::int64_t k_sudo_us = 250'000;  // sudo writes before the program runs

bool is(const std::optional<std::int64_t>& got, std::uint32_t known) {
  return got && known != SessionLineage::k_unset && *got == static_cast<std::int64_t>(known);
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

std::size_t count_word(std::string_view text, std::string_view word) {
  std::size_t n = 0;
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    n += (at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end])) ? 1U
                                                                                            : 0U;
  }
  return n;
}

bool has_word(std::string_view text, std::string_view word) {
  return count_word(text, word) > 0;
}

// Programs whose lines name the user that they are about.
bool speaks_of_users(std::string_view text) {
  constexpr std::array<std::string_view, 9> k_names{
      "sudo", "su", "sshd", "login", "passwd", "cron", "systemd-logind", "useradd", "usermod"};
  const auto head = text.substr(0, 160);
  return std::any_of(k_names.begin(), k_names.end(), [&](std::string_view name) {
    const auto at = head.find(name);
    if (at == std::string_view::npos || (at > 0 && is_word(head[at - 1]))) {
      return false;
    }
    const auto end = at + name.size();
    return end < head.size() && (head[end] == ':' || head[end] == '[' || head[end] == '(');
  });
}

// The part of a sudo line behind NAME= up to the next " ; ".
std::string_view sudo_part(std::string_view text, std::string_view name, bool last) {
  const auto at = text.find(name);
  if (at == std::string_view::npos) {
    return {};
  }
  const auto value = text.substr(at + name.size());
  return last ? value : value.substr(0, value.find(" ; "));
}

}  // namespace

std::string_view name_of(LogRelation relation) {
  constexpr std::array<std::string_view, 4> k_names{"this_session", "same_user", "host", "unknown"};
  return k_names[static_cast<std::size_t>(relation) % k_names.size()];
}

Lineage::Lineage(SessionLineage session, MonoTime from, MonoTime to)
    : session_(std::move(session)), from_(from), to_(to), sudo_left_(session_.sudo.size()) {
  for (std::size_t i = 0; i < session_.sudo.size(); ++i) {
    sudo_left_[i] = count_word(session_.sudo[i].text, "sudo");
  }
  for (const auto pid : session_.pids) {
    lives_[pid].push_back({from_, to_, -1, true});
  }
  for (const auto& span : session_.spans) {
    lives_[span.pid].push_back({span.from, span.to, -1, true});
  }
}

bool Lineage::during(MonoTime t, MonoTime until) const {
  return until >= from_ && t <= to_;
}

const Lineage::Life* Lineage::alive(std::optional<std::int64_t> pid, MonoTime t,
                                    MonoTime until) const {
  if (!pid || !during(t, until)) {  // numbers are used again later
    return nullptr;
  }
  const auto found = lives_.find(*pid);
  if (found == lives_.end()) {
    return nullptr;
  }
  for (const auto& life : found->second) {
    if (until.us >= life.from.us - k_linger_us && t.us <= life.to.us + k_linger_us) {
      return &life;
    }
  }
  return nullptr;
}

bool Lineage::foreign_ses(const LineIdentity& who) const {
  return who.vouched && who.ses && session_.audit_ses != SessionLineage::k_unset &&
         !is(who.ses, session_.audit_ses);
}

// A process of another session with a number that we know is somebody else, unless the recording
// itself vouches for it or it was seen with that session before (who writes his own login id gets a
// new one).
bool Lineage::believable(const Life& life, const LineIdentity& who) const {
  return !foreign_ses(who) || life.certain || (life.ses >= 0 && life.ses == *who.ses);
}

void Lineage::learn(const LineIdentity& who, MonoTime t, MonoTime until) {
  if (!who.vouched || !who.pid || lives_.size() >= k_max_pids) {
    return;
  }
  const auto* known = alive(who.pid, t, until);
  const auto* parent = alive(who.ppid, t, until);
  const bool ours = is(who.ses, session_.audit_ses) ||
                    (parent != nullptr && during(t, until) && believable(*parent, who));
  if (!ours) {
    if (known != nullptr && foreign_ses(who) && !believable(*known, who)) {
      for (auto& life : lives_[*who.pid]) {  // the number belongs to somebody else from here on
        if (!life.certain && life.to > t && life.from < t) {
          life.to = {t.us - k_linger_us};
        }
      }
    }
    return;
  }
  if (known == nullptr) {
    lives_[*who.pid].push_back({t, to_, who.ses.value_or(-1), false});
  }
}

std::optional<std::size_t> Lineage::match_sudo(std::string_view text, MonoTime t, MonoTime until) {
  if (session_.sudo.empty() || session_.user.empty()) {
    return std::nullopt;
  }
  const auto command = sudo_part(text, "COMMAND=", true);
  const auto cwd = sudo_part(text, "PWD=", false);
  if (command.empty()) {
    return std::nullopt;
  }
  const auto head = text.substr(0, text.find("TTY="));
  if (!has_word(head, session_.user) && !has_word(head, "root")) {
    return std::nullopt;
  }
  // sudo writes the program's path and then its words: those must stand in the command line as they
  // are. What an expansion changed is not matched: two sessions of one user may do nearly the same
  // at the same time.
  const auto space = command.find(' ');
  const auto program = command.substr(0, space);
  const auto words =
      space == std::string_view::npos ? std::string_view{} : command.substr(space + 1);
  const auto base =
      program.substr(program.rfind('/') == std::string_view::npos ? 0 : program.rfind('/') + 1);
  for (std::size_t i = 0; i < session_.sudo.size(); ++i) {
    const auto& run = session_.sudo[i];
    const bool named = has_word(run.text, base) && run.text.find(words) != std::string::npos;
    const bool shell = words.empty() && (run.text.find("sudo -i") != std::string::npos ||
                                         run.text.find("sudo -s") != std::string::npos);
    if (sudo_left_[i] > 0 && until.us >= run.from.us - k_sudo_us && t.us <= run.to.us + k_sudo_us &&
        (run.cwd.empty() || run.cwd == cwd) && (named || shell)) {
      --sudo_left_[i];
      return run.command;
    }
  }
  return std::nullopt;
}

Lineage::Verdict Lineage::relate(const LineIdentity& who, MonoTime t, MonoTime until,
                                 std::string_view text) {
  const auto says = who.vouched ? "" : ", as the line says";
  if (who.vouched && is(who.ses, session_.audit_ses)) {
    return {LogRelation::this_session, fmt::format("ses {}", *who.ses)};
  }
  const auto* self = alive(who.pid, t, until);
  const auto* parent = alive(who.ppid, t, until);
  if (self != nullptr && self->certain) {
    return {LogRelation::this_session, fmt::format("pid {}{}", *who.pid, says)};
  }
  if (parent != nullptr && believable(*parent, who)) {
    return {LogRelation::this_session, fmt::format("child of {}", *who.ppid)};
  }
  if (self != nullptr && believable(*self, who)) {
    return {LogRelation::this_session, fmt::format("pid {}{}", *who.pid, says)};
  }
  if (who.vouched && !foreign_ses(who) && is(who.scope, session_.audit_ses)) {
    return {LogRelation::this_session, fmt::format("cgroup session-{}.scope", *who.scope)};
  }
  if (!who.pid && !foreign_ses(who)) {
    if (const auto command = match_sudo(text, t, until)) {
      return {LogRelation::this_session, fmt::format("sudo of command {}", *command)};
    }
  }
  if (who.vouched && is(who.loginuid, session_.loginuid)) {
    return {LogRelation::same_user, fmt::format("loginuid {}", *who.loginuid)};
  }
  if (is(who.uid, session_.uid) && session_.uid != 0) {  // root is many people
    return {LogRelation::same_user, fmt::format("uid {}{}", *who.uid, says)};
  }
  if (!foreign_ses(who) && session_.user.size() > 1 && session_.user != "root" &&
      has_word(text, session_.user) && speaks_of_users(text)) {
    return {LogRelation::same_user, fmt::format("names {}", session_.user)};
  }
  if (!who.vouched && (is(who.ses, session_.audit_ses) || is(who.loginuid, session_.loginuid))) {
    // Anybody can write this into a log of his own.
    return {LogRelation::unknown, "claims to be of this session; nothing vouches for it"};
  }
  return {who.empty() ? LogRelation::unknown : LogRelation::host, ""};
}

}  // namespace sworn::audit::logs
