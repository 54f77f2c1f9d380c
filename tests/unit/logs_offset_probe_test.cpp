// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/offset_probe.hpp"
#include "format/event_payload.hpp"
#include "tests/support/text_stream.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

using namespace sworn;
using namespace sworn::audit::logs;

namespace {

constexpr std::int64_t k_second = 1'000'000;

// Twenty commands, one in seven seconds, from 1000 s after boot on, which is 12:00:00.
SessionFacts facts() {
  SessionFacts out;
  out.placement.clock.add({1000 * k_second}, *parse_rfc3339("2026-11-21T12:00:00Z"));
  out.placement.window = {{1000 * k_second}, {1200 * k_second}};
  out.lineage.audit_ses = 7;
  out.lineage.user = "alice";
  for (std::uint64_t i = 0; i < 20; ++i) {
    const MonoTime t{1000 * k_second + static_cast<std::int64_t>(i) * 7 * k_second + 300'000};
    const auto data = format::encode(format::CommandBegin{
        i + 1, 9, i % 2 == 0 ? "sudo id -u" : "ls -la /srv", "hook", "/", "bash", 0, {}});
    out.commands.add({i, format::EventKind::command_begin, t, t, data});
  }
  return out;
}

std::string audit_log(std::int64_t off_us, int ses = 7) {
  std::string out;
  for (int i = 1; i < 20; i += 2) {
    const auto at = parse_rfc3339("2026-11-21T12:00:00Z")->us + i * 7 * k_second + 310'000 + off_us;
    out += fmt::format(
        "type=SYSCALL msg=audit({}.{:03}:{}): syscall=59 ppid=9 pid={} auid=1 uid=1 ses={} "
        "exe=\"/bin/ls\"\n"
        "type=EXECVE msg=audit({}.{:03}:{}): argc=3 a0=\"ls\" a1=\"-la\" a2=\"/srv\"\n",
        at / k_second, at / 1000 % 1000, i, 100 + i, ses, at / k_second, at / 1000 % 1000, i);
  }
  return out;
}

std::string auth_log(std::int64_t off_us) {
  std::string out;
  for (int i = 0; i < 20; i += 2) {
    const WallTime at{parse_rfc3339("2026-11-21T12:00:00Z")->us + i * 7 * k_second + 310'000 +
                      off_us};
    out += "Nov 21 " + format_rfc3339(at, 0).substr(11, 8) +
           " h sudo:   alice : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id -u\n";
  }
  return out;
}

std::optional<MeasuredOffset> measure(const std::string& log) {
  return measure_offset(test::text_stream(log, 4096), {.name = "x"}, facts());
}

}  // namespace

TEST_CASE("offset of a source: measured on what both sides know") {
  for (const auto off : {0LL, 2'500'000LL, -40'000'000LL, 300'000'000LL}) {
    CAPTURE(off);
    const auto audit = measure(audit_log(off));
    REQUIRE(audit);
    CHECK(audit->lines >= 9);
    CHECK(std::abs(audit->add_us + off) < 100'000);
    const auto auth = measure(auth_log(off));
    REQUIRE(auth);
    CHECK(auth->lines >= 9);
    CHECK(std::abs(auth->add_us + off) < 1'000'000);
    CHECK((off != 0 || std::abs(auth->add_us) <= auth->fineness_us));
  }
}

TEST_CASE("offset of a source: nothing to measure on is no offset") {
  CHECK_FALSE(measure(""));
  CHECK_FALSE(measure("Nov 21 12:00:01 h app: hello\n"));
  CHECK_FALSE(measure(audit_log(0, 8)));  // another session did the same
  CHECK_FALSE(measure(auth_log(0).substr(0, auth_log(0).find('\n') + 1)));  // one line is no vote
}
