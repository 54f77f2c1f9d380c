// SPDX-License-Identifier: Apache-2.0
#include "bench/harness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <utility>

#include <fcntl.h>
#include <pty.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sworn::bench {
namespace {

constexpr std::int64_t k_second_ns = 1'000'000'000;

double seconds(const timeval& t) {
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
}

std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// "name value" lines, as in cpu.stat and cpuacct.stat.
std::map<std::string, double> read_stat(const std::string& path) {
  std::ifstream in(path);
  std::map<std::string, double> values;
  std::string name;
  double value = 0;
  while (in >> name >> value) {
    values[name] = value;
  }
  return values;
}

std::map<pid_t, std::vector<pid_t>> children_by_parent() {
  std::map<pid_t, std::vector<pid_t>> tree;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const std::string name = entry.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) {
      continue;
    }
    const std::string stat = slurp("/proc/" + name + "/stat");
    const auto close = stat.rfind(')');
    int parent = 0;
    if (close != std::string::npos && std::sscanf(stat.c_str() + close, ") %*c %d", &parent) == 1) {
      tree[parent].push_back(pid);
    }
  }
  return tree;
}

std::vector<pid_t> descendants_of(pid_t root) {
  const auto tree = children_by_parent();
  std::vector<pid_t> found{root};
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (const auto it = tree.find(found[i]); it != tree.end()) {
      found.insert(found.end(), it->second.begin(), it->second.end());
    }
  }
  return found;
}

// Direct children of this process that have a Session.
std::set<pid_t>& leaders() {
  static std::set<pid_t> pids;
  return pids;
}

[[noreturn]] void run_child(std::vector<std::string> argv, int procs_fd) {
  if (procs_fd >= 0 && ::write(procs_fd, "0", 1) != 1) {
    std::perror("cgroup.procs");
    ::_exit(125);
  }
  std::vector<char*> args;
  for (auto& arg : argv) {
    args.push_back(
        const_cast<char*>(arg.c_str()));  // NOLINT: execvp wants char*, and does not write
  }
  args.push_back(nullptr);
  ::execvp(args[0], args.data());
  std::perror(args[0]);
  ::_exit(127);
}

}  // namespace

std::int64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * k_second_ns + t.tv_nsec;
}

void sleep_until(std::int64_t ns) {
  const timespec t{.tv_sec = ns / k_second_ns, .tv_nsec = ns % k_second_ns};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

Cgroup::Cgroup(std::string path, Fd procs, bool v2)
    : path_(std::move(path)), procs_(std::move(procs)), v2_(v2) {}

Cgroup::~Cgroup() {
  procs_.reset();
  for (int i = 0; ::rmdir(path_.c_str()) != 0 && errno == EBUSY && i < 100; ++i) {
    sleep_until(now_ns() + k_second_ns / 100);
  }
}

std::unique_ptr<Cgroup> Cgroup::create() {
  static int counter = 0;
  const std::string leaf = fmt::format("/sworn-bench-{}-{}", ::getpid(), counter++);
  struct Place {
    const char* mount;
    bool v2;
  };
  for (const Place place : {Place{"/sys/fs/cgroup", true}, Place{"/sys/fs/cgroup/unified", true},
                            Place{"/sys/fs/cgroup/cpuacct", false}}) {
    const std::string probe =
        std::string(place.mount) + (place.v2 ? "/cgroup.controllers" : "/cpuacct.usage");
    if (::access(probe.c_str(), R_OK) != 0) {
      continue;
    }
    const std::string path = place.mount + leaf;
    if (::mkdir(path.c_str(), 0755) != 0) {
      continue;
    }
    Fd procs(::open((path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    if (procs.valid()) {
      return std::unique_ptr<Cgroup>(new Cgroup(path, std::move(procs), place.v2));
    }
    ::rmdir(path.c_str());
  }
  return nullptr;
}

std::optional<CpuTime> Cgroup::cpu() const {
  if (v2_) {
    auto stat = read_stat(path_ + "/cpu.stat");
    if (stat.count("user_usec") == 0) {
      return std::nullopt;
    }
    return CpuTime{stat["user_usec"] / 1e6, stat["system_usec"] / 1e6};
  }
  // The split comes in ticks of 10 ms and is only used as a proportion of the exact sum.
  auto stat = read_stat(path_ + "/cpuacct.stat");
  const double total = std::strtod(slurp(path_ + "/cpuacct.usage").c_str(), nullptr) / 1e9;
  const double ticks = stat["user"] + stat["system"];
  const double user = ticks > 0 ? stat["user"] / ticks : 0.5;
  return CpuTime{total * user, total * (1 - user)};
}

std::vector<pid_t> Cgroup::pids() const {
  std::ifstream in(path_ + "/cgroup.procs");
  std::vector<pid_t> found;
  pid_t pid = 0;
  while (in >> pid) {
    found.push_back(pid);
  }
  return found;
}

Result<Session> Session::start(const std::vector<std::string>& argv, TermSize size) {
  if (argv.empty()) {
    return fail(Errc::bad_usage, "no command to run");
  }
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  Session session;
  session.cgroup_ = Cgroup::create();
  winsize window{};
  window.ws_col = size.cols;
  window.ws_row = size.rows;
  int ptm = -1;
  session.pid_ = ::forkpty(&ptm, nullptr, nullptr, &window);
  if (session.pid_ < 0) {
    return fail_sys(errno, "forkpty");
  }
  if (session.pid_ == 0) {
    run_child(argv, session.cgroup_ ? session.cgroup_->procs_fd() : -1);
  }
  leaders().insert(session.pid_);
  session.ptm_ = Fd(ptm);
  ::fcntl(ptm, F_SETFD, FD_CLOEXEC);
  return session;
}

Session::~Session() {
  if (pid_ > 0 && !reaped_ && ptm_.valid()) {
    kill();
    wait(5);
  }
}

std::vector<pid_t> Session::processes(std::string_view spare) const {
  std::vector<pid_t> found = cgroup_ ? cgroup_->pids() : descendants_of(pid_);
  std::erase_if(found, [&](pid_t pid) { return !spare.empty() && comm_of(pid) == spare; });
  return found;
}

std::size_t Session::kill(std::string_view spare) const {
  const auto targets = processes(spare);
  for (const pid_t pid : targets) {
    ::kill(pid, SIGKILL);
  }
  return targets.size();
}

// One pass over what can be reaped now; true while the session still has processes. Several
// sessions may be alive: the leaders of others are kept for their own wait().
bool Session::reap(ExitState& state) {
  static std::map<pid_t, std::pair<int, rusage>> reaped;
  int status = 0;
  rusage usage{};
  pid_t got = 0;
  while ((got = ::wait4(-1, &status, WNOHANG, &usage)) > 0) {
    reaped[got] = {status, usage};
  }
  for (auto it = reaped.begin(); it != reaped.end();) {
    if (it->first != pid_ && leaders().count(it->first) != 0) {
      ++it;
      continue;
    }
    usage = it->second.second;
    cpu_.user_s += seconds(usage.ru_utime);
    cpu_.system_s += seconds(usage.ru_stime);
    state.peak_rss_kib = std::max<std::int64_t>(state.peak_rss_kib, usage.ru_maxrss);
    if (it->first == pid_) {
      reaped_ = true;
      leaders().erase(pid_);
      status = it->second.first;
      state.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
      state.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }
    it = reaped.erase(it);
  }
  return !reaped_ || (cgroup_ && !cgroup_->pids().empty());
}

ExitState Session::wait(double limit_s) {
  ExitState state;
  const std::int64_t limit = now_ns() + static_cast<std::int64_t>(limit_s * 1e9);
  while (reap(state)) {
    if (now_ns() > limit) {
      kill();
    }
    sleep_until(now_ns() + k_second_ns / 2000);
  }
  if (cgroup_) {
    cpu_ = cgroup_->cpu().value_or(cpu_);
  }
  return state;
}

std::vector<std::string> take_command(int& argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--") {
      std::vector<std::string> command(argv + i + 1, argv + argc);
      argc = i;
      return command;
    }
  }
  return {};
}

double percentile(std::vector<double> samples, double fraction) {
  if (samples.empty()) {
    return 0;
  }
  const auto at =
      static_cast<std::size_t>(fraction * static_cast<double>(samples.size() - 1) + 0.5);
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(at),
                   samples.end());
  return samples[at];
}

std::int64_t smaps_kib(pid_t pid, std::string_view field) {
  std::ifstream in(fmt::format("/proc/{}/smaps_rollup", pid));
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with(field) && line.size() > field.size() && line[field.size()] == ':') {
      return std::strtoll(line.c_str() + field.size() + 1, nullptr, 10);
    }
  }
  return 0;
}

std::string comm_of(pid_t pid) {
  std::string comm = slurp(fmt::format("/proc/{}/comm", pid));
  while (!comm.empty() && comm.back() == '\n') {
    comm.pop_back();
  }
  return comm;
}

}  // namespace sworn::bench
