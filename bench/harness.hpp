// SPDX-License-Identifier: Apache-2.0
// What the bench tools share: the user's side of a terminal (a session started on a fresh PTY that
// we hold the other end of) and an honest account of what it cost. CPU is that of every process the
// session started, whoever waits for them: from a cgroup of its own where the machine lets us make
// one, else from wait4() with this process as subreaper. Not thread-safe.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/term_size.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace sworn::bench {

std::int64_t now_ns();  // CLOCK_MONOTONIC
void sleep_until(std::int64_t ns);

struct CpuTime {
  double user_s = 0;
  double system_s = 0;
};

// One cgroup (v2, or v1 cpuacct) that a child enters before it runs anything. Removed with the
// object.
class Cgroup {
 public:
  static std::unique_ptr<Cgroup> create();  // null where the machine does not allow it
  ~Cgroup();
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;

  [[nodiscard]] int procs_fd() const { return procs_.get(); }  // write "0" in the child
  [[nodiscard]] std::optional<CpuTime> cpu() const;
  [[nodiscard]] std::vector<pid_t> pids() const;

 private:
  Cgroup(std::string path, Fd procs, bool v2);
  std::string path_;
  Fd procs_;
  bool v2_;
};

struct ExitState {
  int status = 0;  // valid where signal == 0
  int signal = 0;
  std::int64_t peak_rss_kib = 0;  // of the largest single process of the session
};

class Session {
 public:
  // Starts argv on a new PTY, as the leader of a new POSIX session.
  static Result<Session> start(const std::vector<std::string>& argv, TermSize size = {});
  ~Session();
  Session(Session&&) noexcept = default;
  Session& operator=(Session&&) noexcept = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] int terminal() const { return ptm_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }

  // Every live process of the session, except those whose name (comm) is `spare`.
  [[nodiscard]] std::vector<pid_t> processes(std::string_view spare = {}) const;
  // SIGKILL to all of processes(spare); how many were there.
  std::size_t kill(std::string_view spare = {}) const;

  // Waits for the direct child, then for whatever of the session is left, at most `seconds`; then
  // kills it.
  ExitState wait(double seconds);
  // After wait(). `source` is "cgroup" or "rusage".
  [[nodiscard]] CpuTime cpu() const { return cpu_; }
  [[nodiscard]] std::string_view cpu_source() const { return cgroup_ ? "cgroup" : "rusage"; }

 private:
  Session() = default;
  bool reap(ExitState& state);

  Fd ptm_;
  pid_t pid_ = -1;
  std::unique_ptr<Cgroup> cgroup_;
  CpuTime cpu_;
  bool reaped_ = false;
};

// Cuts "-- COMMAND ..." off the arguments: what follows belongs to another program and is not
// parsed.
std::vector<std::string> take_command(int& argc, char** argv);

// Of sorted or unsorted samples; 0 where there are none.
double percentile(std::vector<double> samples, double fraction);

// One field of /proc/PID/smaps_rollup in KiB ("Pss", "Rss"); 0 where the process is gone.
std::int64_t smaps_kib(pid_t pid, std::string_view field);
std::string comm_of(pid_t pid);

}  // namespace sworn::bench
