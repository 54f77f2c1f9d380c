// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <doctest/doctest.h>

using namespace sworn;

TEST_CASE("clock: RFC 3339 round trip and zones") {
  const auto t = parse_rfc3339("2026-11-21T02:40:42.123456Z");
  REQUIRE(t);
  CHECK(format_rfc3339(*t) == "2026-11-21T02:40:42.123456Z");
  CHECK(format_rfc3339(*t, 0) == "2026-11-21T02:40:42Z");
  CHECK(parse_rfc3339("2026-11-21T03:40:42.123456+01:00") == t);
  CHECK(parse_rfc3339("2026-11-20T21:10:42.123456789-05:30") == t);
  CHECK(format_rfc3339(WallTime{-1}) == "1969-12-31T23:59:59.999999Z");
  CHECK(parse_rfc3339("2024-02-29T00:00:00Z"));
}

TEST_CASE("clock: what is not RFC 3339 is refused") {
  for (const auto* bad :
       {"", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T02:40:42", "2026-11-21T02:40:42.Z",
        "2026-11-21T02:40:42Zx", "2026-11-21T02:40:42+1:00", "-026-11-21T02:40:42Z"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_rfc3339(bad));
  }
}

TEST_CASE("clock: durations") {
  CHECK(format_duration(5'322'100'000) == "1:28:42.100");
  CHECK(format_duration(-1'500'000, 1) == "-0:00:01.5");
  CHECK(parse_duration("12.5") == 12'500'000);
  CHECK(parse_duration("1:02") == 62'000'000);
  CHECK(parse_duration("1:02:03.25") == 3'723'250'000);
  for (const auto* bad :
       {"", "-1", "1:", "1:60", "1:2:3:4", "x", "1.", "1.x", "99999999999999999999", "1:-2"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad));
  }
}
