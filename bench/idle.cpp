// SPDX-License-Identifier: Apache-2.0
// What idle sessions cost: starts N sessions of a command at once, lets them settle, then takes
// memory (PSS of every process of the session but the recorded program) and the number of wake-ups
// a second.
//   bench_idle --sessions 10 --spare bench_child -- bench_relay bench_child idle
// {n} in an argument becomes the number of the session. Prints one JSON object.
#include "bench/harness.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace {

using sworn::bench::Session;

struct Options {
  std::vector<std::string> command;
  std::string spare;
  std::size_t sessions = 10;
  double settle_s = 3;
  double watch_s = 5;
};

// Voluntary context switches of all threads: each is one time that the process woke up and slept
// again.
std::int64_t wakeups_of(pid_t pid) {
  std::int64_t sum = 0;
  std::error_code ignored;
  for (const auto& task :
       std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid), ignored)) {
    std::ifstream in(task.path() / "status");
    std::string name;
    std::int64_t value = 0;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("voluntary_ctxt_switches:")) {
        value = std::stoll(line.substr(line.find(':') + 1));
      }
    }
    sum += value;
  }
  return sum;
}

// Reads what the sessions show, so that none of them blocks.
void settle(const std::vector<Session>& sessions, double seconds) {
  const std::int64_t end = sworn::bench::now_ns() + static_cast<std::int64_t>(seconds * 1e9);
  std::vector<pollfd> fds;
  for (const auto& session : sessions) {
    fds.push_back({.fd = session.terminal(), .events = POLLIN, .revents = 0});
  }
  for (std::int64_t left = 0; (left = end - sworn::bench::now_ns()) > 0;) {
    ::poll(fds.data(), fds.size(), static_cast<int>(left / 1'000'000) + 1);
    for (auto& fd : fds) {
      char buffer[4096];
      if (fd.revents != 0 && ::read(fd.fd, buffer, sizeof(buffer)) <= 0) {
        fd.fd = -1;
      }
    }
  }
}

struct Sum {
  std::int64_t pss_kib = 0;
  std::int64_t rss_kib = 0;
  std::int64_t wakeups = 0;
  std::size_t processes = 0;
};

Sum take(const std::vector<Session>& sessions, const std::string& spare) {
  Sum sum;
  for (const auto& session : sessions) {
    for (const pid_t pid : session.processes(spare)) {
      sum.pss_kib += sworn::bench::smaps_kib(pid, "Pss");
      sum.rss_kib += sworn::bench::smaps_kib(pid, "Rss");
      sum.wakeups += wakeups_of(pid);
      ++sum.processes;
    }
  }
  return sum;
}

int run(const Options& options) {
  std::vector<Session> sessions;
  for (std::size_t i = 0; i < options.sessions; ++i) {
    std::vector<std::string> argv = options.command;
    for (auto& arg : argv) {
      for (std::size_t at = 0; (at = arg.find("{n}", at)) != std::string::npos;) {
        arg.replace(at, 3, std::to_string(i));
      }
    }
    auto session = Session::start(argv);
    if (!session) {
      fmt::print(stderr, "bench_idle: {}\n", sworn::describe(session.error()));
      return 125;
    }
    sessions.push_back(std::move(*session));
  }
  settle(sessions, options.settle_s);
  const Sum before = take(sessions, options.spare);
  settle(sessions, options.watch_s);
  const Sum after = take(sessions, options.spare);
  const auto n = static_cast<double>(options.sessions);
  const nlohmann::json report{
      {"sessions", options.sessions},
      {"processes", static_cast<double>(after.processes) / n},
      {"pss_kib", static_cast<double>(after.pss_kib) / n},
      {"rss_kib", static_cast<double>(after.rss_kib) / n},
      {"wakeups_per_s", static_cast<double>(after.wakeups - before.wakeups) / n / options.watch_s}};
  fmt::print("{}\n", report.dump());
  for (const auto& session : sessions) {
    session.kill();
  }
  return after.processes >= options.sessions ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("memory and wake-ups of idle sessions, per session, as JSON");
  Options options;
  options.command = sworn::bench::take_command(argc, argv);
  app.add_option("--sessions", options.sessions)->check(CLI::Range(1, 1000));
  app.add_option("--spare", options.spare, "comm of the recorded program: not counted");
  app.add_option("--settle", options.settle_s, "seconds")->check(CLI::NonNegativeNumber);
  app.add_option("--watch", options.watch_s, "seconds")->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
