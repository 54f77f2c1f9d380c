// SPDX-License-Identifier: Apache-2.0
// Speed of reading logs beside a session.
//   log_speed parse KIND --mb N     one core, from memory: lines to placed entries, with whose they
//   are log_speed generate KIND FILE --mb N --from WALL_US --to WALL_US
// KIND: syslog, json, audit, journal.
#include "audit/logs/log_merge.hpp"
#include "base/file.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include <sys/resource.h>

namespace {

using namespace sworn;
using namespace sworn::audit::logs;

constexpr std::int64_t k_second = 1'000'000;

// The i-th line at that time: the mix of an ordinary host.
std::string line_of(const std::string& kind, std::uint64_t i, WallTime at) {
  const auto time = format_rfc3339(at, 6);
  const auto pid = 1000 + i * 7919 % 30'000;
  if (kind == "json") {
    return fmt::format(
        "{{\"@timestamp\":\"{}\",\"log.level\":\"{}\",\"message\":\"request {} served in {} ms\","
        "\"process\":{{\"pid\":{}}},\"service.name\":\"shop\",\"url.path\":\"/cart/{}\","
        "\"trace.id\":\"{:032x}\"}}\n",
        time, i % 50 == 0 ? "warn" : "info", i, i % 300, pid, i % 1000, i * 2654435761);
  }
  if (kind == "audit") {
    return fmt::format(
        "type=SYSCALL msg=audit({}.{:03}:{}): arch=c000003e syscall=59 success=yes exit=0 "
        "ppid={} pid={} auid=1000 uid=1000 tty=pts0 ses={} comm=\"ls\" exe=\"/usr/bin/ls\" "
        "key=\"x\"\n",
        at.us / k_second, at.us / 1000 % 1000, i, pid - 1, pid, i % 40);
  }
  if (kind == "journal") {
    return fmt::format(
        "{{\"__REALTIME_TIMESTAMP\":\"{}\",\"__MONOTONIC_TIMESTAMP\":\"{}\",\"_BOOT_ID\":\"{:032x}"
        "\","
        "\"PRIORITY\":\"6\",\"_UID\":\"0\",\"_PID\":\"{}\",\"_AUDIT_SESSION\":\"{}\","
        "\"SYSLOG_IDENTIFIER\":\"sshd\",\"MESSAGE\":\"Accepted publickey for user{} from "
        "192.0.2.7\"}}\n",
        at.us, at.us % 1'000'000'000, 7, pid, i % 40, i % 100);
  }
  constexpr const char* k_months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto month = static_cast<std::size_t>((time[5] - '0') * 10 + time[6] - '1');
  return fmt::format(
      "{} {}{} {} web1 app[{}]: request {} for user{} served in {} ms from 192.0.2.{}\n",
      k_months[month % 12], time[8] == '0' ? ' ' : time[8], time[9], time.substr(11, 8), pid, i,
      i % 100, i % 300, i % 250);
}

class Lines final : public ByteStream {
 public:
  explicit Lines(const std::string& text) : text_(text) {}
  Result<std::size_t> read(std::span<std::byte> out) override {
    const auto n = std::min(out.size(), text_.size() - at_);
    std::memcpy(out.data(), text_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  const std::string& text_;
  std::size_t at_ = 0;
};

int parse(const std::string& kind, std::uint64_t megabytes) {
  const WallTime begin = *parse_rfc3339("2026-11-21T12:00:00Z");
  std::string text;
  std::uint64_t lines = 0;
  while (text.size() < megabytes << 20U) {
    text += line_of(kind, lines, {begin.us + static_cast<std::int64_t>(lines) * 2'000});
    ++lines;
  }
  format::ClockMap clock;
  clock.add({1000 * k_second}, begin);
  const auto last = 1000 * k_second + static_cast<std::int64_t>(lines) * 2'000;
  // Inside: every line is of the session's time. Outside: none is, as for most of a large log.
  double best_inside = 0;
  double best_outside = 0;
  std::uint64_t kept = 0;
  for (int round = 0; round < 5; ++round) {
    for (const bool inside : {true, false}) {
      const LogWindow window = inside ? LogWindow{{1000 * k_second}, {last}}
                                      : LogWindow{{10 * k_second}, {20 * k_second}};
      SessionLineage lineage;
      lineage.audit_ses = 7;
      lineage.uid = 1000;
      lineage.user = "user7";
      LogMerge merge({clock, window, {}}, lineage);
      const auto start = std::chrono::steady_clock::now();
      merge.add(std::make_unique<Lines>(text), {.name = kind});
      std::uint64_t given = 0;
      while (merge.next()) {
        ++given;
      }
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      const double speed = static_cast<double>(text.size()) / 1e6 / took.count();
      (inside ? best_inside : best_outside) = std::max(inside ? best_inside : best_outside, speed);
      kept = inside ? given : kept;
    }
  }
  fmt::print(
      "{{\"kind\": \"{}\", \"bytes\": {}, \"lines\": {}, \"kept\": {}, \"inside_mb_s\": {:.0f}, "
      "\"outside_mb_s\": {:.0f}}}\n",
      kind, text.size(), lines, kept, best_inside, best_outside);
  return kept == lines ? 0 : 1;
}

int generate(const std::string& kind, const std::string& path, std::uint64_t megabytes,
             std::int64_t from, std::int64_t to) {
  auto file = PosixAppendFile::create(path);
  if (!file) {
    fmt::print(stderr, "{}\n", describe(file.error()));
    return 1;
  }
  const auto length = line_of(kind, 1'000'000, {from}).size();
  const auto lines = (megabytes << 20U) / length;
  std::string block;
  for (std::uint64_t i = 0; i < lines; ++i) {
    const auto share = static_cast<double>(i) / static_cast<double>(lines);
    block += line_of(kind, i,
                     {from + static_cast<std::int64_t>(static_cast<double>(to - from) * share)});
    if (block.size() > 1U << 20U || i + 1 == lines) {
      if (!(*file)->append(as_bytes(block))) {
        return 1;
      }
      block.clear();
    }
  }
  fmt::print("{{\"lines\": {}}}\n", lines);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("speed of reading logs");
  std::string kind;
  std::string path;
  std::uint64_t megabytes = 64;
  std::int64_t from = 0;
  std::int64_t to = 0;
  auto* parsing = app.add_subcommand("parse");
  auto* generating = app.add_subcommand("generate");
  for (auto* sub : {parsing, generating}) {
    sub->add_option("KIND", kind)->required();
    sub->add_option("--mb", megabytes);
  }
  generating->add_option("FILE", path)->required();
  generating->add_option("--from", from)->required();
  generating->add_option("--to", to)->required();
  app.require_subcommand(1);
  CLI11_PARSE(app, argc, argv);
  return parsing->parsed() ? parse(kind, megabytes) : generate(kind, path, megabytes, from, to);
}
