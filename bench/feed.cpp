// SPDX-License-Identifier: Apache-2.0
// Writes a corpus the way a program would: in writes of one size, at one exact rate. Each write has
// its own deadline on an absolute clock, so a late one does not push the others back.
//   bench_feed FILE --bytes 40 --rate 1000 --count 20000
//   bench_feed FILE --bytes 40 --count 500000            as fast as the terminal takes it
// FILE is read from the start again when it ends. The achieved rate goes to stderr with --report.
#include "base/file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>

#include <unistd.h>

namespace {

constexpr std::int64_t k_second_ns = 1'000'000'000;

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

struct Options {
  std::string path;
  std::size_t bytes = 40;
  std::uint64_t rate = 0;      // writes a second; 0: no pause
  std::uint64_t count = 0;     // 0: the file once
  std::uint64_t linger_s = 0;  // stay alive after the last write
  bool report = false;
};

int feed(const Options& options, sworn::ByteView data) {
  const std::uint64_t count =
      options.count != 0 ? options.count : (data.size() + options.bytes - 1) / options.bytes;
  const std::int64_t begin = now_ns();
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (options.rate != 0) {
      sleep_until(begin + static_cast<std::int64_t>(i * static_cast<std::uint64_t>(k_second_ns) /
                                                    options.rate));
    }
    if (at >= data.size()) {
      at = 0;
    }
    const std::size_t length = std::min(options.bytes, data.size() - at);
    if (const auto done = sworn::write_all(STDOUT_FILENO, data.subspan(at, length)); !done) {
      return 1;
    }
    at += length;
  }
  if (options.report) {
    const double seconds = static_cast<double>(now_ns() - begin) / static_cast<double>(k_second_ns);
    fmt::print(stderr, "{} writes, {:.1f} per second\n", count,
               static_cast<double>(count) / seconds);
  }
  sleep_until(now_ns() + static_cast<std::int64_t>(options.linger_s) * k_second_ns);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("writes a file in writes of one size at an exact rate");
  Options options;
  app.add_option("file", options.path)->required();
  app.add_option("--bytes", options.bytes)->check(CLI::Range(1, 65'536));
  app.add_option("--rate", options.rate, "writes a second")->check(CLI::Range(0, 1'000'000));
  app.add_option("--count", options.count, "writes in all");
  app.add_option("--linger", options.linger_s, "seconds to live on")->check(CLI::Range(0, 3600));
  app.add_flag("--report", options.report);
  CLI11_PARSE(app, argc, argv);
  const auto data = sworn::read_whole_file(options.path, 1ULL << 30U);
  if (!data || data->empty()) {
    fmt::print(stderr, "bench_feed: {}: {}\n", options.path,
               data ? "the file is empty" : sworn::describe(data.error()));
    return 125;
  }
  return feed(options, *data);
}
