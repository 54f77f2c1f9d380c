// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/log_merge.hpp"
#include "audit/logs/wall_track.hpp"
#include "tests/support/text_stream.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sworn;
using namespace sworn::audit::logs;
using test::text_stream;

namespace {

constexpr std::int64_t k_second = 1'000'000;
constexpr std::int64_t k_hour = 3600 * k_second;

WallTime wall(const char* text) {
  return *parse_rfc3339(text);
}

// The session runs from 1000 s to 1000 s + `minutes` after boot; it begins at 12:00:00.
format::ClockMap steady(int minutes = 120) {
  format::ClockMap map;
  for (int i = 0; i <= minutes; ++i) {
    map.add({1000 * k_second + i * 60 * k_second},
            {wall("2026-11-21T12:00:00Z").us + i * 60 * k_second});
  }
  return map;
}

// The clock is set by `step` thirty minutes into the session.
format::ClockMap stepped(std::int64_t step_us, int minutes = 120) {
  format::ClockMap map;
  for (int i = 0; i <= minutes; ++i) {
    const auto mono = 1000 * k_second + i * 60 * k_second;
    map.add({mono},
            {wall("2026-11-21T12:00:00Z").us + i * 60 * k_second + (i >= 30 ? step_us : 0)});
  }
  return map;
}

LogPlacement placement(format::ClockMap map, int minutes = 120) {
  return {std::move(map), {{1000 * k_second}, {1000 * k_second + minutes * 60 * k_second}}, {}};
}

std::vector<MergedLine> all(LogMerge& merge) {
  std::vector<MergedLine> out;
  while (auto line = merge.next()) {
    out.push_back(std::move(*line));
  }
  return out;
}

// A host that writes a line a minute, with the clock that it had.
std::string lines_of_a_host(std::int64_t step_us, int minutes, bool syslog) {
  std::string out;
  for (int i = 0; i < minutes; ++i) {
    const WallTime at{wall("2026-11-21T12:00:20Z").us + i * 60 * k_second +
                      (i >= 30 ? step_us : 0)};
    const auto text = format_rfc3339(at, 3);
    out += syslog ? "Nov 21 " + text.substr(11, 8) + " host app: minute " + std::to_string(i) + "\n"
                  : text + " minute " + std::to_string(i) + "\n";
  }
  return out;
}

}  // namespace

TEST_CASE("log merge: a clock set back or forward in mid-session moves no line") {
  for (const auto step : {-k_hour, k_hour, -20 * k_second, 2 * k_second, -24 * k_hour}) {
    for (const bool syslog : {false, true}) {
      CAPTURE(step);
      CAPTURE(syslog);
      if (syslog && step == -24 * k_hour) {
        continue;  // the helper writes no dates
      }
      LogMerge merge(placement(stepped(step)), {});
      merge.add(text_stream(lines_of_a_host(step, 120, syslog), 4096), {.name = "host"});
      const auto lines = all(merge);
      REQUIRE(lines.size() == 120);
      for (int i = 0; i < 120; ++i) {
        CAPTURE(i);
        const auto& line = lines[static_cast<std::size_t>(i)];
        CHECK(line.text.ends_with("minute " + std::to_string(i)));
        const auto wanted = 1000 * k_second + i * 60 * k_second + 20 * k_second;
        CHECK(line.entry.t.us <= wanted);
        CHECK(line.entry.until.us >= wanted);
        CHECK(line.entry.until.us - line.entry.t.us < k_second);
      }
      CHECK(merge.source(0).out_of_order == 0);
    }
  }
}

TEST_CASE("log merge: a second clock of the line decides between two moments") {
  auto place = placement(stepped(-k_hour));
  place.boot_id = "6f1c2f0e-0000-4000-8000-000000000001";
  LogMerge merge(place, {});
  // Only one line, of 12:10: ten minutes after the start, or 70 with the clock set back.
  merge.add(
      text_stream("{\"__REALTIME_TIMESTAMP\":\"" + std::to_string(wall("2026-11-21T12:10:00Z").us) +
                  "\",\"__MONOTONIC_TIMESTAMP\":\"" +
                  std::to_string(1000 * k_second + 70 * 60 * k_second) +
                  "\",\"_BOOT_ID\":\"6f1c2f0e00004000800000000000"
                  "0001\",\"MESSAGE\":\"x\"}\n"),
      {.name = "journal"});
  merge.add(text_stream("2026-11-21T12:10:00Z y\n"), {.name = "file"});
  const auto lines = all(merge);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].text == "2026-11-21T12:10:00Z y");
  CHECK(lines[0].entry.t.us == 1000 * k_second + 600 * k_second);
  CHECK(lines[0].entry.ambiguous);
  CHECK(lines[1].text == "x");
  CHECK(lines[1].entry.t.us == 1000 * k_second + 70 * 60 * k_second);
  CHECK_FALSE(lines[1].entry.ambiguous);
}

TEST_CASE("log merge: sources come out in one order, and disorder within seconds is mended") {
  LogMerge merge(placement(steady()), {});
  merge.add(text_stream("2026-11-21T12:00:01Z a1\n2026-11-21T12:00:04Z a4\n2026-11-21T12:00:03Z "
                        "a3\n2026-11-21T12:01:00Z a60\n"),
            {.name = "a"});
  merge.add(text_stream("2026-11-21T12:00:02Z b2\n  more of b2\n2026-11-21T12:00:59Z b59\n"),
            {.name = "b"});
  merge.add(text_stream(""), {.name = "empty"});
  std::string order;
  for (const auto& line : all(merge)) {
    order += line.text.substr(21) + "|";
  }
  CHECK(order == "a1|b2\n  more of b2|a3|a4|b59|a60|");
  CHECK(merge.source(0).out_of_order == 1);
  CHECK(merge.source(1).kept == 2);
  CHECK(merge.source(2).lines == 0);
}

TEST_CASE("log merge: what auditd tells of a process serves the lines of syslog") {
  SessionLineage lineage;
  lineage.audit_ses = 7;
  lineage.loginuid = 1001;
  lineage.uid = 1001;
  lineage.user = "tester";
  LogMerge merge(placement(steady()), lineage);
  // 12:00:10 UTC is 1795262410.
  merge.add(text_stream("Nov 21 12:00:10 h app[500]: before its process is known\n"
                        "Nov 21 12:00:10 h su[501]: other\n"
                        "Nov 21 12:00:11 h su[502]: session opened for user tester\n"),
            {.name = "syslog"});
  merge.add(text_stream(
                "type=SYSCALL msg=audit(1795262410.400:1): syscall=59 ppid=9 pid=500 auid=1001 "
                "uid=1001 ses=7 exe=\"/x\"\n"
                "type=SYSCALL msg=audit(1795262410.500:2): syscall=59 ppid=9 pid=501 auid=0 uid=0 "
                "ses=8 exe=\"/x\"\n"
                "type=SYSCALL msg=audit(1795262410.600:3): syscall=59 ppid=9 pid=502 auid=1001 "
                "uid=0 ses=8 exe=\"/x\"\n"),
            {.name = "audit"});
  const auto lines = all(merge);
  REQUIRE(lines.size() == 6);
  const auto find = [&](std::string_view text) {
    for (const auto& line : lines) {
      if (line.text.find(text) != std::string::npos) {
        return line;
      }
    }
    return MergedLine{};
  };
  CHECK(find("before its process").entry.relation == LogRelation::this_session);
  CHECK(find("before its process").why == "pid 500, as the line says");
  CHECK(find("su[501]").entry.relation == LogRelation::host);
  CHECK(find("su[502]").entry.relation == LogRelation::same_user);
  CHECK(find("pid 500").why == "ses 7");
  CHECK(find("pid 501").entry.relation == LogRelation::host);
  CHECK(find("pid 502").entry.relation == LogRelation::same_user);
}

TEST_CASE("log merge: a line that only says so is not of the session") {
  SessionLineage lineage;
  lineage.audit_ses = 7;
  lineage.loginuid = 1001;
  LogMerge merge(placement(steady()), lineage);
  merge.add(
      text_stream("{\"time\":\"2026-11-21T12:00:10Z\",\"ses\":7,\"auid\":1001,\"msg\":\"forged\"}\n"
                  "2026-11-21T12:00:11Z x[1]: type=SYSCALL msg=audit(1795262411.000:9): pid=5 "
                  "ses=7 auid=1001\n"),
      {.name = "app"});
  const auto lines = all(merge);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].entry.relation == LogRelation::unknown);
  CHECK(lines[0].why.find("nothing vouches") != std::string::npos);
  CHECK(lines[1].entry.relation == LogRelation::host);
}

TEST_CASE("log merge: sudo's lines by its own account, each once") {
  SessionLineage lineage;
  lineage.uid = 1001;
  lineage.user = "tester";
  lineage.sudo = {{4, "sudo id -u", "/home/tester", {1010 * k_second}, {1011 * k_second}}};
  LogMerge merge(placement(steady()), lineage);
  const std::string mine =
      "Nov 21 12:00:10 h sudo:   tester : TTY=pts/4 ; PWD=/home/tester ; USER=root ; "
      "COMMAND=/usr/bin/id -u\n";
  merge.add(
      text_stream(mine + mine +
                  "Nov 21 12:00:10 h sudo:   other : TTY=pts/4 ; PWD=/home/tester ; USER=root ; "
                  "COMMAND=/usr/bin/id -u\n"
                  "Nov 21 12:05:10 h sudo:   tester : TTY=pts/4 ; PWD=/home/tester ; USER=root ; "
                  "COMMAND=/usr/bin/id -u\n"),
      {.name = "auth"});
  const auto lines = all(merge);
  REQUIRE(lines.size() == 4);
  CHECK(lines[0].why == "sudo of command 4");
  CHECK(lines[1].entry.relation == LogRelation::same_user);  // somebody's second one
  CHECK(lines[2].entry.relation != LogRelation::this_session);
  CHECK(lines[3].entry.relation == LogRelation::same_user);
}

TEST_CASE("log merge: nearly the same done through sudo by another session is not ours") {
  SessionLineage lineage;
  lineage.uid = 1001;
  lineage.user = "tester";
  lineage.sudo = {{4, "sudo echo mark-A", "/home/tester", {1010 * k_second}, {1011 * k_second}}};
  LogMerge merge(placement(steady()), lineage);
  const std::string head =
      "Nov 21 12:00:10 h sudo: tester : TTY=pts/4 ; PWD=/home/tester ; USER=root ; COMMAND=";
  merge.add(text_stream(head + "/bin/echo mark-B\n" + head + "/bin/echo mark-A\n" + head +
                        "/usr/bin/id\n"),
            {.name = "auth"});
  const auto lines = all(merge);
  REQUIRE(lines.size() == 3);
  CHECK(lines[0].entry.relation == LogRelation::same_user);
  CHECK(lines[1].why == "sudo of command 4");
  CHECK(lines[2].entry.relation == LogRelation::same_user);
}

TEST_CASE("log merge: a source that breaks off ends, the others go on") {
  class Broken final : public ByteStream {
   public:
    Result<std::size_t> read(std::span<std::byte> out) override {
      if (done_) {
        return fail(Errc::truncated, "it breaks off");
      }
      done_ = true;
      const std::string text = "2026-11-21T12:00:05Z half\n2026-11-21T12:00:06Z ha";
      std::copy_n(as_bytes(text).begin(), text.size(), out.begin());
      return text.size();
    }

   private:
    bool done_ = false;
  };
  LogMerge merge(placement(steady()), {});
  merge.add(std::make_unique<Broken>(), {.name = "broken"});
  merge.add(text_stream("2026-11-21T12:10:05Z whole\n"), {.name = "fine"});
  const auto lines = all(merge);
  REQUIRE(lines.size() == 2);
  CHECK(merge.source(0).error.find("breaks off") != std::string::npos);
  CHECK(merge.source(1).error.empty());
}

TEST_CASE("wall track: bounds hold every time that the window can show") {
  const WallTrack track(stepped(-k_hour));
  const auto bounds = track.bounds({1000 * k_second}, {1000 * k_second + 7200 * k_second});
  CHECK(bounds.earliest == wall("2026-11-21T11:30:00Z"));
  CHECK(bounds.latest == wall("2026-11-21T13:00:00Z"));
  CHECK(track.pieces() == 2);
}
