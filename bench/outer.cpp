// SPDX-License-Identifier: Apache-2.0
// The user's terminal for one run: starts a command on a PTY, reads everything it shows as fast as
// it comes, and prints one JSON object with what that cost. Optionally types, keeps what was shown,
// or kills the recorder with SIGKILL in the middle.
//   bench_outer [--save FILE] [--type FILE] [--kill-ms N] [--spare COMM] -- COMMAND ...
// --spare names the recorded program (its comm): it is not killed, all other processes of the
// session are.
#include "base/file.hpp"
#include "bench/harness.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace {

using sworn::bench::now_ns;
constexpr std::int64_t k_ms = 1'000'000;
constexpr std::int64_t k_never = INT64_MAX;

struct Options {
  std::vector<std::string> command;
  std::string save;
  std::string type;
  std::string spare;
  std::int64_t kill_ms = -1;
  std::int64_t gap_ms = 110;    // between two keystrokes, on average
  std::int64_t think_ms = 900;  // after a carriage return
  double timeout_s = 300;
  sworn::TermSize size;
};

// When the next keystroke is due; people are not metronomes, but runs must be comparable: a fixed
// seed.
class Typist {
 public:
  Typist(const Options& options, sworn::Bytes keys)
      : options_(options),
        keys_(std::move(keys)),
        due_(keys_.empty() ? k_never : now_ns() + 1'000 * k_ms) {}

  [[nodiscard]] std::int64_t due() const { return due_; }

  void type(int terminal) {
    const std::byte key = keys_[at_++];
    [[maybe_unused]] const ssize_t n = ::write(terminal, &key, 1);
    const std::int64_t mean = key == std::byte{'\r'} ? options_.think_ms : options_.gap_ms;
    due_ = at_ == keys_.size()
               ? k_never
               : now_ns() + k_ms * mean / 2 +
                     static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(k_ms * mean));
  }

 private:
  const Options& options_;
  sworn::Bytes keys_;
  std::size_t at_ = 0;
  std::int64_t due_;
  std::mt19937_64 random_{1};
};

struct Outcome {
  std::uint64_t bytes = 0;
  std::uint64_t reads = 0;
  std::size_t killed = 0;
  bool timed_out = false;
  std::int64_t wall_ns = 0;
  sworn::Bytes shown;
};

int poll_timeout(std::int64_t due) {
  if (due == k_never) {
    return -1;
  }
  return static_cast<int>(std::clamp<std::int64_t>((due - now_ns() + k_ms - 1) / k_ms, 0, 60'000));
}

// Reads until the terminal says that its last user is gone.
Outcome watch(const sworn::bench::Session& session, const Options& options, Typist& typist,
              std::int64_t begin) {
  Outcome outcome;
  sworn::Bytes buffer(1U << 16U);
  std::int64_t kill_at = k_never;
  const std::int64_t give_up = begin + static_cast<std::int64_t>(options.timeout_s * 1e9);
  for (;;) {
    const std::int64_t due = std::min({kill_at, give_up, typist.due()});
    pollfd fd{.fd = session.terminal(), .events = POLLIN, .revents = 0};
    ::poll(&fd, 1, poll_timeout(due));
    const std::int64_t now = now_ns();
    if (now >= kill_at) {
      outcome.killed = session.kill(options.spare);
      kill_at = k_never;
    }
    if (now >= give_up) {
      outcome.timed_out = true;
      break;
    }
    if (now >= typist.due()) {
      typist.type(session.terminal());
    }
    if (fd.revents == 0) {
      continue;
    }
    const ssize_t n = ::read(session.terminal(), buffer.data(), buffer.size());
    if (n <= 0 && errno != EAGAIN && errno != EINTR) {
      break;
    }
    if (outcome.bytes == 0 && options.kill_ms >= 0) {
      // Recorders take their time to start: the clock runs from the first byte shown.
      kill_at = now_ns() + options.kill_ms * k_ms;
    }
    outcome.bytes += static_cast<std::uint64_t>(n);
    ++outcome.reads;
    if (!options.save.empty()) {
      outcome.shown.insert(outcome.shown.end(), buffer.begin(), buffer.begin() + n);
    }
  }
  outcome.wall_ns = now_ns() - begin;
  return outcome;
}

sworn::Result<int> run(const Options& options) {
  sworn::Bytes keys;
  if (!options.type.empty()) {
    TRY_ASSIGN(keys, sworn::read_whole_file(options.type, 1U << 20U));
  }
  const std::int64_t begin = now_ns();
  TRY_ASSIGN(auto session, sworn::bench::Session::start(options.command, options.size));
  Typist typist(options, std::move(keys));
  const Outcome outcome = watch(session, options, typist, begin);
  if (outcome.timed_out) {
    session.kill();
  }
  const auto exit = session.wait(10);
  const auto cpu = session.cpu();
  if (!options.save.empty()) {
    const sworn::Fd out(
        ::open(options.save.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    TRY(sworn::write_all(out.get(), outcome.shown));
  }
  const nlohmann::json report{{"wall_s", static_cast<double>(outcome.wall_ns) / 1e9},
                              {"user_s", cpu.user_s},
                              {"system_s", cpu.system_s},
                              {"cpu_source", session.cpu_source()},
                              {"bytes", outcome.bytes},
                              {"reads", outcome.reads},
                              {"killed", outcome.killed},
                              {"timed_out", outcome.timed_out},
                              {"peak_rss_kib", exit.peak_rss_kib},
                              {"exit", exit.status},
                              {"signal", exit.signal}};
  fmt::print("{}\n", report.dump());
  return outcome.timed_out ? 3 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("runs a command on a terminal that is read at full speed; prints its cost as JSON");
  Options options;
  options.command = sworn::bench::take_command(argc, argv);
  app.add_option("--save", options.save, "keep what was shown");
  app.add_option("--type", options.type, "type the bytes of this file");
  app.add_option("--gap-ms", options.gap_ms)->check(CLI::Range(1, 10'000));
  app.add_option("--think-ms", options.think_ms)->check(CLI::Range(1, 10'000));
  app.add_option("--kill-ms", options.kill_ms,
                 "SIGKILL to the recorder, this long after the first output");
  app.add_option("--spare", options.spare, "comm of the recorded program: not killed");
  app.add_option("--timeout", options.timeout_s, "seconds")->check(CLI::PositiveNumber);
  app.add_option("--cols", options.size.cols)->check(CLI::Range(1, 4096));
  app.add_option("--rows", options.size.rows)->check(CLI::Range(1, 4096));
  CLI11_PARSE(app, argc, argv);
  const auto done = run(options);
  if (!done) {
    fmt::print(stderr, "bench_outer: {}\n", sworn::describe(done.error()));
    return 125;
  }
  return *done;
}
