// SPDX-License-Identifier: Apache-2.0
// Whose log line is it? By the kernel's audit session and login id, by process trees, by the cgroup
// of the login session, by sudo's own account of a command that the session ran: never by the
// terminal, which sudo changes. Process numbers count only while the process lived. Numbers that
// the kernel or the journal vouch for go before what a line says of itself. One thread.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sworn::audit::logs {

enum class LogRelation : std::uint8_t { this_session, same_user, host, unknown };
std::string_view name_of(LogRelation relation);

struct PidSpan {
  std::int64_t pid = 0;
  MonoTime from;
  MonoTime to;
};

// A command line that ran something through sudo, for lines of sudo, which carry no process number.
struct SudoRun {
  std::size_t command = 0;  // its number in the listing, from 1
  std::string text;
  std::string cwd;
  MonoTime from;
  MonoTime to;
};

// What is known of the session.
struct SessionLineage {
  static constexpr std::uint32_t k_unset = 0xFFFFFFFF;
  std::uint32_t audit_ses = k_unset;
  std::uint32_t loginuid = k_unset;
  std::uint32_t uid = k_unset;
  std::string user;
  std::set<std::int64_t> pids;  // all through the session: the recorder, its child
  std::vector<PidSpan> spans;   // others of its processes
  std::vector<SudoRun> sudo;
};

// What a line says of its writer.
struct LineIdentity {
  std::optional<std::int64_t> pid;
  std::optional<std::int64_t> ppid;
  std::optional<std::int64_t> ses;
  std::optional<std::int64_t> loginuid;
  std::optional<std::int64_t> uid;
  std::optional<std::int64_t> scope;  // N of session-N.scope in its cgroup
  bool vouched = false;               // by the kernel or the journal; else the line only says so

  [[nodiscard]] bool empty() const { return !pid && !ses && !loginuid && !uid && !scope; }
};

class Lineage {
 public:
  Lineage(SessionLineage session, MonoTime from, MonoTime to);

  // Takes in what a line tells of the session's processes. Lines may come a little out of order.
  void learn(const LineIdentity& who, MonoTime t, MonoTime until);

  struct Verdict {
    LogRelation relation = LogRelation::unknown;
    std::string why;
  };
  // `text`: for lines of sudo and for names of users.
  Verdict relate(const LineIdentity& who, MonoTime t, MonoTime until, std::string_view text);

 private:
  static constexpr std::size_t k_max_pids = 200'000;
  struct Life {
    MonoTime from;
    MonoTime to;
    std::int64_t ses = -1;  // that it was seen with; -1: none
    bool certain = false;   // from the recording
  };
  [[nodiscard]] const Life* alive(std::optional<std::int64_t> pid, MonoTime t,
                                  MonoTime until) const;
  [[nodiscard]] bool during(MonoTime t, MonoTime until) const;
  [[nodiscard]] bool believable(const Life& life, const LineIdentity& who) const;
  [[nodiscard]] bool foreign_ses(const LineIdentity& who) const;
  std::optional<std::size_t> match_sudo(std::string_view text, MonoTime t, MonoTime until);

  SessionLineage session_;
  MonoTime from_;
  MonoTime to_;
  std::unordered_map<std::int64_t, std::vector<Life>> lives_;
  std::vector<std::size_t> sudo_left_;  // lines of sudo that a command may still account for
};

}  // namespace sworn::audit::logs
