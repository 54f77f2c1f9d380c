// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/line_parser.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sworn;
using namespace sworn::audit::logs;

namespace {
LineParser parser(std::string time_field = {}) {
  return {{*parse_rfc3339("2026-11-21T12:00:00Z"), Zone::utc()}, std::move(time_field)};
}
}  // namespace

TEST_CASE("severity: levels and words") {
  CHECK(severity_of_level("ERROR") == LogSeverity::error);
  CHECK(severity_of_level("Warn") == LogSeverity::warning);
  CHECK(severity_of_level("info") == LogSeverity::normal);
  CHECK(severity_of_level("3") == LogSeverity::error);
  CHECK(severity_of_level("4") == LogSeverity::warning);
  CHECK(severity_of_level("7") == LogSeverity::normal);
  CHECK_FALSE(severity_of_level("8"));
  CHECK_FALSE(severity_of_level(""));
  CHECK_FALSE(severity_of_level("purple"));
  CHECK(severity_of_text("authentication failure for root") == LogSeverity::error);
  CHECK(severity_of_text("Connection refused, retry") == LogSeverity::warning);
  CHECK(severity_of_text("WARNING: then a FATAL one") == LogSeverity::error);
  CHECK(severity_of_text("terrorist mirror failover alerting") == LogSeverity::normal);
  CHECK(severity_of_text("") == LogSeverity::normal);
  CHECK(severity_of_text("a\xff\xfe error\x00") == LogSeverity::error);
  CHECK(severity_of_text(std::string(600, ' ') + "error") == LogSeverity::normal);
  // Every word of the table must be found, in its letter's range.
  for (const auto* word :
       {"abort", "cannot", "denied", "exception", "forbidden", "invalid", "killed", "oom", "panic",
        "retry", "segfault", "traceback", "unable", "warning"}) {
    CAPTURE(word);
    CHECK(severity_of_text(word) != LogSeverity::normal);
  }
}

TEST_CASE("line parser: text lines") {
  auto p = parser();
  const auto su =
      p.parse("<83>Nov 21 01:53:15 su[13909]: pam_systemd(su-l:session): Failed to connect");
  CHECK(su.time->at == *parse_rfc3339("2026-11-21T01:53:15Z"));
  CHECK(su.severity == LogSeverity::error);
  CHECK(su.who.pid == 13909);
  CHECK(p.parse("<86>Nov 21 01:53:15 host sshd[1]: no error at all").severity ==
        LogSeverity::normal);
  CHECK(p.parse("Nov 21 01:53:15 host app: something failed").severity == LogSeverity::error);
  CHECK_FALSE(p.parse("Nov 21 01:53:15 host app: something failed").who.pid);
  CHECK(
      p.parse("1.2.3.4 - - [21/Nov/2026:01:53:15 +0000] \"GET /error HTTP/1.1\" 200 5").severity ==
      LogSeverity::normal);
  CHECK(p.parse("1.2.3.4 - - [21/Nov/2026:01:53:15 +0000] \"GET / HTTP/1.1\" 404 5").severity ==
        LogSeverity::warning);
  CHECK(p.parse("1.2.3.4 - - [21/Nov/2026:01:53:15 +0000] \"GET / HTTP/1.1\" 502 5").severity ==
        LogSeverity::error);
  CHECK(p.parse("type=SYSCALL msg=audit(1795224237.507:62): arch=c000003e syscall=59 success=no")
            .severity == LogSeverity::warning);
  CHECK(p.parse("ts=1795224237 level=info msg=\"error budget\"").severity == LogSeverity::normal);
  const auto plain = p.parse("\tat java.lang.Exception");
  CHECK_FALSE(plain.time);
  CHECK(plain.message == "\tat java.lang.Exception");
}

TEST_CASE("line parser: JSON lines by their fields") {
  auto p = parser();
  const auto ecs = p.parse(
      R"({"@timestamp":"2026-11-21T01:53:15.123Z","log":{"level":"error"},"message":"boom \"x\"","process":{"pid":42}})");
  REQUIRE(ecs.time);
  CHECK(ecs.time->at == *parse_rfc3339("2026-11-21T01:53:15.123Z"));
  CHECK(ecs.time->resolution_us == 1'000);
  CHECK(ecs.time->format == LineFormat::json);
  CHECK(ecs.severity == LogSeverity::error);
  CHECK(ecs.message == "boom \"x\"");
  CHECK(ecs.who.pid == 42);
  const auto journal = p.parse(
      R"({"__REALTIME_TIMESTAMP":"1795225995339250","PRIORITY":"4","MESSAGE":"hi","_PID":"7","_AUDIT_SESSION":"2","_AUDIT_LOGINUID":"4242","_UID":"0"})");
  REQUIRE(journal.time);
  CHECK(journal.time->at == WallTime{1'795'225'995'339'250});
  CHECK(journal.severity == LogSeverity::warning);
  CHECK(journal.who.ses == 2);
  CHECK(journal.who.loginuid == 4242);
  CHECK(journal.who.uid == 0);
  const auto bunyan = p.parse(R"(  {"ts":1795225995.339,"msg":"request failed","pid":9} )");
  CHECK(bunyan.time->at == WallTime{1'795'225'995'339'000});
  CHECK(bunyan.severity == LogSeverity::error);
  CHECK_FALSE(p.parse(R"({"_AUDIT_SESSION":"4294967295","time":1795225995})").who.ses);
  auto named = parser("when");
  CHECK(named.parse(R"({"time":"2020-01-01T00:00:00Z","when":1795225995})").time->at ==
        WallTime{1'795'225'995'000'000});
}

TEST_CASE("line parser: broken JSON is text") {
  auto p = parser();
  for (const auto* line :
       {"{", "{}", "{\"time\":", "{\"time\":}", "{\"time\":{\"a\":1}}", "{\"time\":[1]}",
        "{\"time\":null,\"level\":true}", "{\"\xff\":1}", "{{{{{{{{", "[1,2]", "{\"pid\":1e400}"}) {
    CAPTURE(line);
    const auto got = p.parse(line);
    CHECK_FALSE(got.time);
  }
  const std::string good = R"({"time":"2026-11-21T01:53:15Z","level":"warn","message":"x"})";
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    static_cast<void>(p.parse(std::string_view(good).substr(0, cut)));
  }
  CHECK(p.parse(good).severity == LogSeverity::warning);
  // Deep nesting must not exhaust the stack.
  CHECK_FALSE(p.parse("{\"a\":" + std::string(100'000, '[')).time);
}
