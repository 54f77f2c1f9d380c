// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/log_index.hpp"
#include "tests/support/corpus.hpp"
#include "tests/support/text_stream.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

using namespace sworn;
using namespace sworn::audit::logs;

namespace {

std::unique_ptr<ByteStream> stream(std::string text, std::size_t piece = 7) {
  return test::text_stream(std::move(text), piece);
}

constexpr std::int64_t k_second = 1'000'000;

// The session runs from 100 s to 200 s after boot; 100 s is 01:53:00.
format::ClockMap clock_map() {
  format::ClockMap map;
  map.add({100 * k_second}, *parse_rfc3339("2026-11-21T01:53:00Z"));
  map.add({200 * k_second}, *parse_rfc3339("2026-11-21T01:54:40Z"));
  return map;
}

LogIndexBuilder builder(SessionLineage lineage = {}) {
  return {clock_map(), {{100 * k_second}, {200 * k_second}}, std::move(lineage)};
}

LogIndex index_of(const std::string& text, SessionLineage lineage = {}) {
  auto b = builder(std::move(lineage));
  CHECK(b.add(stream(text), {.name = "test"}));
  return b.finish();
}

}  // namespace

TEST_CASE("log index: lines get their place on the session's clock") {
  const auto index = index_of(
      "Nov 21 01:53:15 host app: one\n"
      "2026-11-21T01:53:16.5Z host app[7]: two failed\r\n"
      "type=SYSCALL msg=audit(1795225999.000:1): pid=5 ppid=4 auid=1000 ses=2 success=no "
      "exe=\"/bin/x\"\n"
      "[  120.500000] kernel line\n");
  REQUIRE(index.entries().size() == 4);
  CHECK(index.entries()[0].t == MonoTime{115 * k_second});
  CHECK(index.entries()[0].until == MonoTime{116 * k_second - 1});
  CHECK(index.text(index.entries()[0]) == "Nov 21 01:53:15 host app: one");
  CHECK(index.entries()[0].guessed);
  CHECK(index.entries()[1].t == MonoTime{116'500'000});
  CHECK(index.entries()[1].severity == LogSeverity::error);
  CHECK_FALSE(index.text(index.entries()[1]).ends_with('\r'));
  CHECK(index.entries()[2].t == MonoTime{119 * k_second});
  CHECK(index.entries()[2].until == MonoTime{119 * k_second + 3'999});
  CHECK(index.entries()[2].severity == LogSeverity::warning);
  CHECK(index.entries()[3].t == MonoTime{120'500'000});
  CHECK(index.sources()[0].lines == 4);
  CHECK(index.sources()[0].kept == 4);
  CHECK(index.sources()[0].guessed_year);
}

TEST_CASE("log index: what is outside of the session is counted") {
  const auto index = index_of(
      "2026-11-21T01:00:00Z before\n\tits second line\n2026-11-21T01:53:30Z "
      "inside\n2026-11-21T03:00:00Z after\n");
  REQUIRE(index.entries().size() == 1);
  CHECK(index.sources()[0].outside == 3);
}

TEST_CASE("log index: lines without a time belong to the one before") {
  const auto index = index_of(
      "no time yet\n2026-11-21T01:53:30Z request\n  at x\n\n  at y: error\n2026-11-21T01:53:31Z "
      "next\n");
  REQUIRE(index.entries().size() == 2);
  CHECK(index.text(index.entries()[0]) == "2026-11-21T01:53:30Z request\n  at x\n  at y: error");
  CHECK(index.entries()[0].severity == LogSeverity::error);
  CHECK(index.sources()[0].no_time == 1);
  std::string many = "2026-11-21T01:53:30Z start\n";
  for (int i = 0; i < 20'000; ++i) {
    many += "a continuation line\n";
  }
  const auto long_one = index_of(many);
  CHECK(long_one.entries().size() > 1);
  CHECK(long_one.entries()[1].inherited_time);
  for (const auto& entry : long_one.entries()) {
    CHECK(entry.t == MonoTime{130 * k_second});
    CHECK(entry.text_size <= LogIndexBuilder::k_max_joined + 64);
  }
}

TEST_CASE("log index: times out of order are sorted and flagged and equal ones keep their order") {
  const auto index = index_of(
      "2026-11-21T01:53:32Z c\n2026-11-21T01:53:31Z a\n2026-11-21T01:53:31Z "
      "b\n2026-11-21T01:53:33Z d\n");
  REQUIRE(index.entries().size() == 4);
  std::string order;
  for (const auto& entry : index.entries()) {
    order += index.text(entry).back();
  }
  CHECK(order == "abcd");
  CHECK(index.entries()[0].out_of_order);
  CHECK_FALSE(index.entries()[2].out_of_order);
}

TEST_CASE("log index: any bytes and any length") {
  std::string text = "2026-11-21T01:53:30Z nul ";
  text += std::string(1, static_cast<char>(0)) + " and \xff\xfe broken";
  text += "\n2026-11-21T01:53:31Z " + std::string(3U << 20U, 'x') +
          "\n2026-11-21T01:53:32Z last without newline";
  auto b = builder();
  CHECK(b.add(stream(text, 1U << 16U), {.name = "test"}));
  const auto index = b.finish();
  REQUIRE(index.entries().size() == 3);
  CHECK(index.text(index.entries()[0]).find('\0') != std::string::npos);
  CHECK(index.entries()[1].cut);
  CHECK(index.entries()[1].text_size == k_max_line_bytes);
  CHECK(index.text(index.entries()[2]) == "2026-11-21T01:53:32Z last without newline");
}

TEST_CASE("log index: whose line it is") {
  SessionLineage lineage;
  lineage.audit_ses = 2;
  lineage.loginuid = 4242;
  lineage.uid = 1001;
  lineage.pids = {50};
  const auto index = index_of(
      "type=X msg=audit(1795225990.000:1): pid=1 ppid=2 auid=4242 ses=2\n"
      "type=X msg=audit(1795225991.000:2): pid=60 ppid=50 auid=9 ses=3\n"
      "type=X msg=audit(1795225992.000:3): pid=61 ppid=60 auid=9 ses=3\n"
      "type=X msg=audit(1795225993.000:4): pid=70 ppid=1000 auid=4242 ses=9\n"
      "type=X msg=audit(1795225994.000:5): pid=71 ppid=1000 auid=9 uid=1001 ses=9\n"
      "type=X msg=audit(1795225995.000:6): pid=72 ppid=1000 auid=9 uid=0 ses=9\n"
      "2026-11-21T01:53:30Z host app[50]: mine\n"
      "2026-11-21T01:53:31Z host app[51]: other\n"
      "2026-11-21T01:53:32Z nobody\n",
      lineage);
  REQUIRE(index.entries().size() == 9);
  const auto relation = [&](std::size_t i) { return index.entries()[i].relation; };
  CHECK(relation(0) == LogRelation::this_session);
  CHECK(index.why(index.entries()[0]) == "ses 2");
  CHECK(relation(1) == LogRelation::this_session);
  CHECK(index.why(index.entries()[1]) == "child of 50");
  CHECK(relation(2) == LogRelation::this_session);
  CHECK(index.why(index.entries()[2]) == "child of 60");
  CHECK(relation(3) == LogRelation::same_user);
  CHECK(relation(4) == LogRelation::same_user);
  CHECK(relation(5) == LogRelation::host);
  CHECK(relation(6) == LogRelation::this_session);
  CHECK(relation(7) == LogRelation::host);
  CHECK(relation(8) == LogRelation::unknown);
}

TEST_CASE("log index: searching by time") {
  const auto index = index_of(
      "2026-11-21T01:53:30Z a\n2026-11-21T01:53:31Z b error\n2026-11-21T01:53:32Z c "
      "denied\n2026-11-21T01:53:33Z d\n");
  const auto t = [](std::int64_t s) { return MonoTime{s * k_second}; };
  CHECK(index.lower_bound(t(0)) == 0);
  CHECK(index.lower_bound(t(131)) == 1);
  CHECK(index.lower_bound(t(999)) == 4);
  CHECK(index.between(t(131), t(133)).size() == 2);
  CHECK(index.between(t(133), t(131)).empty());
  CHECK(index.next_trouble(t(0), LogSeverity::error) == 1U);
  CHECK(index.next_trouble(t(131), LogSeverity::warning) == 2U);
  CHECK_FALSE(index.next_trouble(t(131), LogSeverity::error));
  CHECK(index.previous_trouble(t(999), LogSeverity::warning) == 2U);
  CHECK(index.previous_trouble(t(132), LogSeverity::warning) == 1U);
  CHECK_FALSE(index.previous_trouble(t(131), LogSeverity::warning));
}

TEST_CASE("log index: an offset moves a source and an empty clock is refused") {
  auto b = builder();
  CHECK(b.add(stream("2026-11-21T01:53:30Z a\n"), {.name = "x", .offset_us = 2 * k_second}));
  CHECK(b.finish().entries().at(0).t == MonoTime{132 * k_second});
  LogIndexBuilder empty({}, {}, {});
  CHECK_FALSE(empty.add(stream("x"), {.name = "x"}));
}

TEST_CASE("log index: the sample with sudo and su on one time line") {
  const auto folder = test::corpus() / "audit-sample";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: no corpus at ", folder.string());
    return;
  }
  format::ClockMap clock;
  clock.add({0}, *parse_rfc3339("2026-11-21T01:23:00Z"));
  SessionLineage lineage;
  lineage.audit_ses = 2;
  LogIndexBuilder b(clock, {{0}, {3'600 * k_second}}, lineage);
  auto audit = open_byte_stream((folder / "sample-audit.log").string());
  auto syslog = open_byte_stream((folder / "sample-syslog.txt").string());
  REQUIRE(audit);
  REQUIRE(syslog);
  CHECK(b.add(std::move(*audit), {.name = "audit"}));
  CHECK(b.add(std::move(*syslog), {.name = "syslog"}));
  const auto index = b.finish();
  CHECK(index.sources()[0].no_time == 0);
  CHECK(index.sources()[1].no_time == 0);
  CHECK(index.sources()[1].kept == 19);
  CHECK(std::is_sorted(index.entries().begin(), index.entries().end(),
                       [](const auto& a, const auto& c) { return a.t < c.t; }));
  const auto shadow = std::find_if(
      index.entries().begin(), index.entries().end(),
      [&](const auto& entry) { return index.text(entry).starts_with("exec cat /etc/shadow"); });
  REQUIRE(shadow != index.entries().end());
  CHECK(shadow->relation == LogRelation::this_session);
}
