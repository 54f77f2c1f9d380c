// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/log_timestamp.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

using namespace sworn;
using namespace sworn::audit::logs;

namespace {

TimeContext context() {
  return {*parse_rfc3339("2026-11-21T12:00:00Z"), Zone::utc()};
}

struct Case {
  std::string line;
  std::string time;  // RFC 3339, UTC
  std::int64_t resolution_us;
  LineFormat format;
  bool guessed_zone = false;
  bool guessed_year = false;
};

}  // namespace

TEST_CASE("log timestamp: the usual formats") {
  const std::vector<Case> cases{
      {"Nov 21 01:53:15 web1 su[13909]: x", "2026-11-21T01:53:15Z", 1'000'000, LineFormat::syslog,
       true, true},
      {"<37>Nov  1 01:53:15 su[13909]: x", "2026-11-01T01:53:15Z", 1'000'000, LineFormat::syslog,
       true, true},
      {"Nov 21 2025 01:53:15 web1 x", "2025-11-21T01:53:15Z", 1'000'000, LineFormat::syslog, true,
       false},
      {"Nov 21 01:53:15.123 x", "2026-11-21T01:53:15.123Z", 1'000, LineFormat::syslog, true, true},
      {"<34>1 2026-11-21T01:53:15.003Z host su - ID47 - x", "2026-11-21T01:53:15.003Z", 1'000,
       LineFormat::syslog_5424},
      {"<34>1 2026-11-21T01:53:15.003004-05:30 host su - - - x", "2026-11-21T07:23:15.003004Z", 1,
       LineFormat::syslog_5424},
      {"2026-11-21T01:53:15+01:00 host app: x", "2026-11-21T00:53:15Z", 1'000'000, LineFormat::iso},
      {"2026-11-21T01:53:15.123456789Z x", "2026-11-21T01:53:15.123456Z", 1, LineFormat::iso},
      {"2026-11-21 01:53:15,123 INFO x", "2026-11-21T01:53:15.123Z", 1'000, LineFormat::iso, true},
      {"2026-11-21 01:53:15.5 +0100 x", "2026-11-21T00:53:15.5Z", 100'000, LineFormat::iso},
      {"2026-11-21 01:53:15 UTC [17] LOG: x", "2026-11-21T01:53:15Z", 1'000'000, LineFormat::iso},
      {"2026/11/21 01:53:15 [error] 12#12: x", "2026-11-21T01:53:15Z", 1'000'000, LineFormat::iso,
       true},
      {"[2026-11-21T01:53:15Z] x", "2026-11-21T01:53:15Z", 1'000'000, LineFormat::iso},
      {"ERROR 2026-11-21 01:53:15 x", "2026-11-21T01:53:15Z", 1'000'000, LineFormat::iso, true},
      {"type=CWD msg=audit(1795224237.507:62): cwd=\"/\"", "2026-11-21T01:23:57.507Z", 4'000,
       LineFormat::auditd},
      {"node=x type=EOE msg=audit(1795224237.507:62): ", "2026-11-21T01:23:57.507Z", 4'000,
       LineFormat::auditd},
      {"10.0.0.1 - - [21/Nov/2026:01:53:15 +0100] \"GET / HTTP/1.1\" 200 5", "2026-11-21T00:53:15Z",
       1'000'000, LineFormat::access},
      {"1795225995.339250 <37>Nov 21 01:53:15 su: x", "2026-11-21T01:53:15.33925Z", 1,
       LineFormat::epoch},
      {"1795225995 x", "2026-11-21T01:53:15Z", 1'000'000, LineFormat::epoch},
      {"1795225995339 x", "2026-11-21T01:53:15.339Z", 1'000, LineFormat::epoch},
      {"level=info ts=2026-11-21T01:53:15Z msg=x", "2026-11-21T01:53:15Z", 1'000'000,
       LineFormat::iso},
      {"level=info ts=1795225995.339 msg=x", "2026-11-21T01:53:15.339Z", 1'000, LineFormat::logfmt},
      {"[   12.345678] usb 1-1: x", "1970-01-01T00:00:12.345678Z", 1, LineFormat::dmesg},
      {"<6>[    0.000000] Linux version", "1970-01-01T00:00:00Z", 1, LineFormat::dmesg},
  };
  for (const auto& one : cases) {
    CAPTURE(one.line);
    const auto got = parse_line_time(one.line, context());
    REQUIRE(got);
    CHECK(format_rfc3339(got->at) == format_rfc3339(*parse_rfc3339(one.time)));
    CHECK(got->resolution_us == one.resolution_us);
    CHECK(name_of(got->format) == name_of(one.format));
    CHECK(got->guessed_zone == one.guessed_zone);
    CHECK(got->guessed_year == one.guessed_year);
    CHECK(got->from_boot == (one.format == LineFormat::dmesg));
    CHECK(got->begin < got->end);
    CHECK(got->end <= one.line.size());
  }
}

TEST_CASE("log timestamp: what is no time is none") {
  for (const auto* line : {"",
                           " ",
                           "x",
                           "hello world",
                           "Nov",
                           "Nov 31 01:00:00 x",
                           "Nov 21 25:00:00 x",
                           "Nov 21 01:60:00 x",
                           "2026-02-30T00:00:00Z x",
                           "2026-13-01 00:00:00",
                           "2026-11-21",
                           "12345",
                           "1.2.3.4 - - [x]",
                           "[12] x",
                           "[",
                           "<",
                           "<1",
                           "<999>",
                           "<34>1 ",
                           "type=CWD msg=audit(x:1)",
                           "type=CWD msg=audit(1.2:",
                           "ts=",
                           "ts=x",
                           "t=\"",
                           "99999999999999999999 x",
                           "99999999999999999999999999.1 x",
                           "[99999999999999.1] x",
                           "\xff\xfe\0"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_line_time(line, context()));
  }
}

TEST_CASE("log timestamp: the missing year is the closest one") {
  auto at_new_year = context();
  at_new_year.reference = *parse_rfc3339("2027-01-02T00:00:00Z");
  CHECK(parse_line_time("Dec 31 23:59:59 x", at_new_year)->at ==
        *parse_rfc3339("2026-12-31T23:59:59Z"));
  CHECK(parse_line_time("Jan  1 00:00:00 x", at_new_year)->at ==
        *parse_rfc3339("2027-01-01T00:00:00Z"));
  at_new_year.reference = *parse_rfc3339("2026-12-31T23:00:00Z");
  CHECK(parse_line_time("Jan  1 00:00:01 x", at_new_year)->at ==
        *parse_rfc3339("2027-01-01T00:00:01Z"));
  at_new_year.reference = *parse_rfc3339("2027-03-01T00:00:00Z");
  CHECK(parse_line_time("Feb 29 00:00:01 x", at_new_year)->at ==
        *parse_rfc3339("2028-02-29T00:00:01Z"));
}

TEST_CASE("log timestamp: a line cut anywhere is read or refused and never misread") {
  const std::string line = "<34>1 2026-11-21T01:53:15.003004-05:30 host su - ID47 - text";
  for (std::size_t cut = 0; cut <= line.size(); ++cut) {
    const auto got = parse_line_time(std::string_view(line).substr(0, cut), context());
    if (got) {
      CHECK(got->end <= cut);
    }
    if (cut >= 38) {
      REQUIRE(got);
      CHECK(got->at == *parse_rfc3339("2026-11-21T07:23:15.003004Z"));
    }
  }
}

TEST_CASE("log timestamp: fields by themselves") {
  const auto c = context();
  CHECK(parse_time_value("2026-11-21T01:53:15Z", c)->at == *parse_rfc3339("2026-11-21T01:53:15Z"));
  CHECK(parse_time_value("1795225995", c)->at == WallTime{1'795'225'995'000'000});
  CHECK(parse_time_value("1795225995.5", c)->resolution_us == 100'000);
  CHECK(parse_time_value("1795225995339", c)->resolution_us == 1'000);
  CHECK(parse_time_value("1795225995339250", c)->at == WallTime{1'795'225'995'339'250});
  CHECK(parse_time_value("1795225995339250123", c)->at == WallTime{1'795'225'995'339'250});
  CHECK(parse_time_value("21/Nov/2026:01:53:15 +0000", c)->at ==
        *parse_rfc3339("2026-11-21T01:53:15Z"));
  for (const auto* bad :
       {"", "0", "17", "x", "-1", "1795225995.", "17952259953392501234", "2026-11-21 99:00:00"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_time_value(bad, c));
  }
}

TEST_CASE("log timestamp: zones and clock changes") {
  CHECK(Zone::parse("+02:00")->to_utc(7'200) == 0);
  CHECK(Zone::parse("-0530")->to_utc(0) == 19'800);
  CHECK(Zone::parse("UTC")->to_utc(5) == 5);
  for (const auto* bad : {"", "x", "+2", "+02:0", "+0a:00", "+99:00", "Europe/Berlin"}) {
    CAPTURE(bad);
    CHECK_FALSE(Zone::parse(bad));
  }
  const char* before = ::getenv("TZ");
  const std::string saved = before == nullptr ? "" : before;
  ::setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
  const auto zone = Zone::system();
  bool ambiguous = true;
  const auto utc = [&](const char* local) {
    return zone.to_utc(parse_rfc3339(std::string(local) + "Z")->us / 1'000'000, &ambiguous);
  };
  const auto seconds = [](const char* text) { return parse_rfc3339(text)->us / 1'000'000; };
  CHECK(utc("2026-07-01T12:00:00") == seconds("2026-07-01T10:00:00Z"));
  CHECK(utc("2026-12-01T12:00:00") == seconds("2026-12-01T11:00:00Z"));
  CHECK_FALSE(ambiguous);
  CHECK(utc("2026-10-25T02:30:00") == seconds("2026-10-25T00:30:00Z"));  // happens twice: the first
  CHECK(ambiguous);
  CHECK(utc("2026-10-25T03:00:00") == seconds("2026-10-25T02:00:00Z"));
  CHECK_FALSE(ambiguous);
  CHECK(utc("2026-10-25T01:59:59") == seconds("2026-10-24T23:59:59Z"));
  CHECK(utc("2026-03-29T02:30:00") == seconds("2026-03-29T01:30:00Z"));  // never happens
  if (before == nullptr) {
    ::unsetenv("TZ");
  } else {
    ::setenv("TZ", saved.c_str(), 1);
  }
  ::tzset();
}
