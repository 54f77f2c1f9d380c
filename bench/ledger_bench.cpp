// SPDX-License-Identifier: Apache-2.0
// What the ledger costs: bytes and microseconds of each kind of entry on a real disk (three syncs
// each) and without one, opening a long ledger, verifying it.
//   bench_ledger DIRECTORY [--entries N]
// Prints one JSON object. The directory is made, and its content removed at the end.
#include "format/ledger.hpp"
#include "format/ledger_disk.hpp"
#include "format/ledger_session.hpp"
#include "format/ledger_verify.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using namespace sworn;
using namespace sworn::format;
using nlohmann::json;

double now_us() {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

FileId id_of(std::uint32_t n) {
  FileId out{};
  for (std::size_t i = 0; i < 4; ++i) {
    out[i] = static_cast<std::byte>(n >> (8 * i));
  }
  return out;
}

Result<std::unique_ptr<Ledger>> open_at(const std::string& directory, Clock& clock,
                                        Entropy& entropy) {
  TRY_ASSIGN(auto disk, PosixLedgerDisk::open(directory, true));
  LedgerOptions options;
  options.create = true;
  options.identity = {"host", "bench", 0, "bench/sworn"};
  options.boot_id = "bench";
  return Ledger::open(std::move(disk), clock, entropy, std::move(options));
}

struct Cost {
  double p50_us = 0;
  double p99_us = 0;
  double bytes = 0;
};

// Appends `count` facts and measures each; bytes from the growth of the file.
template <typename Make>
Result<Cost> measure(Ledger& ledger, const std::string& directory, std::size_t count, Make make) {
  const auto size = [&] {
    return static_cast<double>(std::filesystem::file_size(ledger_entries_path(directory)));
  };
  const double before = size();
  std::vector<double> times;
  for (std::size_t i = 0; i < count; ++i) {
    LedgerFact fact = make(i);
    const double begin = now_us();
    TRY(ledger.append(std::move(fact)));
    times.push_back(now_us() - begin);
  }
  std::sort(times.begin(), times.end());
  return Cost{times[times.size() / 2], times[times.size() * 99 / 100],
              (size() - before) / static_cast<double>(count)};
}

json to_json(const Cost& cost) {
  return {{"p50_us", cost.p50_us}, {"p99_us", cost.p99_us}, {"bytes", cost.bytes}};
}

LedgerHeartbeat beat(std::size_t sessions, std::size_t round) {
  LedgerHeartbeat out;
  for (std::size_t s = 0; s < sessions; ++s) {
    out.sessions.push_back({id_of(static_cast<std::uint32_t>(s)),
                            static_cast<std::uint32_t>(round + 1),
                            2 * round + 4,
                            {}});
  }
  return out;
}

Result<json> run(const std::string& directory, std::size_t entries) {
  SystemClock clock;
  SystemEntropy entropy;
  json out;
  double begin = now_us();
  TRY_ASSIGN(auto ledger, open_at(directory, clock, entropy));
  out["create_us"] = now_us() - begin;
  std::uint32_t next = 1000;
  TRY_ASSIGN(const auto open, measure(*ledger, directory, entries, [&](std::size_t) {
               LedgerSessionOpen fact;
               fact.file_id = id_of(next++);
               fact.name = "db-07-20261121T024042Z-0a1b2c3d.sworn";
               fact.user = "alice";
               fact.loginuid = 1001;
               fact.audit_session = 4711;
               return fact;
             }));
  out["session_open"] = to_json(open);
  for (const std::size_t sessions : {std::size_t{1}, std::size_t{100}}) {
    TRY_ASSIGN(const auto cost, measure(*ledger, directory, entries, [&](std::size_t i) {
                 return beat(sessions, sessions * 10'000 + i);
               }));
    out[fmt::format("heartbeat_{}", sessions)] = to_json(cost);
  }
  next = 1000;
  TRY_ASSIGN(const auto close, measure(*ledger, directory, entries, [&](std::size_t) {
               LedgerSessionClose fact;
               fact.mark = {id_of(next++), 100, 202, {}};
               fact.exit = "exited 0";
               return fact;
             }));
  out["session_close"] = to_json(close);
  begin = now_us();
  TRY(ledger->checkpoint());
  out["checkpoint_us"] = now_us() - begin;
  ledger.reset();
  begin = now_us();
  TRY(open_at(directory, clock, entropy));
  out["open_us"] = now_us() - begin;
  TRY_ASSIGN(const auto file, PosixReadFile::open(ledger_entries_path(directory)));
  begin = now_us();
  TRY_ASSIGN(const auto report, verify_ledger(*file));
  out["verify_us_per_entry"] = (now_us() - begin) / static_cast<double>(report.head.size);
  out["entries"] = report.head.size;
  out["state"] = std::string(name_of(report.state));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  std::string directory;
  std::size_t entries = 200;
  CLI::App app("what the ledger costs");
  app.add_option("directory", directory)->required();
  app.add_option("--entries", entries, "of each kind")->check(CLI::Range(10, 100'000));
  CLI11_PARSE(app, argc, argv);
  directory += "/ledger-bench";
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
  const auto report = run(directory, entries);
  std::filesystem::remove_all(directory, ignored);
  if (!report) {
    fmt::print(stderr, "bench_ledger: {}\n", describe(report.error()));
    return 1;
  }
  fmt::print("{}\n", report->dump());
  return 0;
}
