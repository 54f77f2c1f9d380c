// SPDX-License-Identifier: Apache-2.0
// Keystroke latency through wrappers, side by side. Each wrapper runs its own bench_child on its
// own terminal; all are alive during the whole run. One key is typed, the answer awaited, the time
// taken; a short random pause; the wrappers take turns in blocks, in another order each round, so
// that noise of the machine hits all alike. With "line" the key is a carriage return and the answer
// the first byte of the child's line.
//   bench_latency echo|line --keys 2000 --wrapper relay=bench_relay --wrapper 'script=script -q -c
//   {} /x'
// {} in a wrapper stands for the child's command line (else it is appended). Prints one JSON
// object.
#include "bench/harness.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <poll.h>
#include <unistd.h>

namespace {

using sworn::bench::now_ns;
using sworn::bench::Session;

struct Options {
  std::string mode;
  std::vector<std::string> wrappers;  // name and command, each field before a unit separator
  std::size_t keys = 2000;
  std::size_t block = 50;
  std::int64_t pause_us = 2000;  // mean
  std::int64_t apart_us = 0;     // at least this long between two keys of one wrapper
};

struct Wrapper {
  std::string name;
  Session session;
  std::vector<double> samples_us;
  std::int64_t typed_ns = 0;
};

// Fields are separated by the unit separator, so that words may hold blanks.
std::vector<std::string> split(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\x1f');) {
    words.push_back(word);
  }
  return words;
}

// Waits for the first byte of an answer; false after `timeout_ms` of silence or at the end.
bool await(int fd, std::string& got, int timeout_ms) {
  pollfd p{.fd = fd, .events = POLLIN, .revents = 0};
  int ready = 0;
  while ((ready = ::poll(&p, 1, timeout_ms)) < 0 && errno == EINTR) {
  }
  if (ready <= 0) {
    return false;
  }
  char buffer[4096];
  const ssize_t n = ::read(fd, buffer, sizeof(buffer));
  got.assign(buffer, n > 0 ? static_cast<std::size_t>(n) : 0);
  return n > 0;
}

void swallow(int fd) {
  std::string ignored;
  while (await(fd, ignored, 0)) {
  }
}

bool await_ready(int fd) {
  std::string got;
  while (await(fd, got, 10'000)) {
    if (got.find('!') != std::string::npos) {
      return true;
    }
  }
  return false;
}

bool type_block(Wrapper& wrapper, const Options& options, std::mt19937_64& random) {
  const int fd = wrapper.session.terminal();
  const char key = options.mode == "line" ? '\r' : 'x';
  std::string got;
  for (std::size_t i = 0; i < options.block; ++i) {
    const auto pause =
        static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(2'000 * options.pause_us));
    sworn::bench::sleep_until(
        std::max(now_ns() + pause, wrapper.typed_ns + 1'000 * options.apart_us));
    swallow(fd);
    const std::int64_t begin = wrapper.typed_ns = now_ns();
    if (::write(fd, &key, 1) != 1 || !await(fd, got, 5'000)) {
      fmt::print(stderr, "bench_latency: {} gave no answer to a key\n", wrapper.name);
      return false;
    }
    wrapper.samples_us.push_back(static_cast<double>(now_ns() - begin) / 1e3);
  }
  return true;
}

nlohmann::json report_of(const Wrapper& wrapper) {
  const auto& s = wrapper.samples_us;
  using sworn::bench::percentile;
  return {{"keys", s.size()},
          {"p10_us", percentile(s, 0.10)},
          {"p50_us", percentile(s, 0.50)},
          {"p90_us", percentile(s, 0.90)},
          {"p99_us", percentile(s, 0.99)},
          {"p999_us", percentile(s, 0.999)}};
}

int run(const Options& options) {
  std::vector<Wrapper> wrappers;
  for (const auto& text : options.wrappers) {
    auto argv = split(text);
    const std::string name = argv.empty() ? "" : argv.front();
    if (!argv.empty()) {
      argv.erase(argv.begin());
    }
    auto session = Session::start(argv);
    if (!session || !await_ready(session->terminal())) {
      fmt::print(stderr, "bench_latency: {} did not start its child\n", name);
      return 125;
    }
    wrappers.push_back({name, std::move(*session), {}});
  }
  std::mt19937_64 random(1);
  std::vector<std::size_t> order(wrappers.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  for (std::size_t typed = 0; typed < options.keys; typed += options.block) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      if (!type_block(wrappers[i], options, random)) {
        return 1;
      }
    }
  }
  nlohmann::json report = nlohmann::json::object();
  for (auto& wrapper : wrappers) {
    report[wrapper.name] = report_of(wrapper);
    wrapper.session.kill();
  }
  fmt::print("{}\n", report.dump());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("keystroke latency through wrappers, side by side");
  Options options;
  app.add_option("mode", options.mode)->required()->check(CLI::IsMember({"echo", "line"}));
  app.add_option("--wrapper", options.wrappers, "name and words of its command")->required();
  app.add_option("--keys", options.keys, "per wrapper")->check(CLI::Range(1, 10'000'000));
  app.add_option("--block", options.block, "keys in a turn")->check(CLI::Range(1, 100'000));
  app.add_option("--pause-us", options.pause_us, "mean pause before a key")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--apart-us", options.apart_us, "least time between two keys of one wrapper")
      ->check(CLI::Range(0, 1'000'000));
  CLI11_PARSE(app, argc, argv);
  return run(options);
}
