// SPDX-License-Identifier: Apache-2.0
#include "cli/verify_text.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::cli;
using format::Verdict;
using format::VerifyReport;

namespace {

format::Evidence report_of(Verdict verdict) {
  format::Evidence e;
  VerifyReport& r = e.session;
  r.verdict = verdict;
  r.seals = 3;
  r.chunks = 1;
  r.events = 1204;
  r.sealed_bytes = 4'096;
  r.file_bytes = 4'096;
  r.closed = verdict == Verdict::self_consistent;
  r.first_key[0] = std::byte{0xAB};
  r.max_silence = {31'000'000};
  r.first_time = WallTime{0};
  r.sealed_until = WallTime{60'000'000};
  e.standing = verdict == Verdict::self_consistent ? format::Standing::self_consistent
               : verdict == Verdict::incomplete    ? format::Standing::incomplete
               : verdict == Verdict::unsealed      ? format::Standing::unsealed
               : verdict == Verdict::tampered      ? format::Standing::tampered
                                                   : format::Standing::unsupported;
  return e;
}

VerifyContext context() {
  VerifyContext c;
  c.path = "x.sworn";
  return c;
}

// Where a long line breaks is not what these tests are about.
bool contains(std::string text, std::string_view part) {
  for (auto at = text.find("\n              "); at != std::string::npos;
       at = text.find("\n              ")) {
    text.replace(at, 15, " ");
  }
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("cli verify: three answers and never a bare OK") {
  for (const auto verdict : {Verdict::self_consistent, Verdict::incomplete, Verdict::unsealed,
                             Verdict::tampered, Verdict::unsupported}) {
    const auto text = render_verify(report_of(verdict), context());
    CAPTURE(text);
    CHECK(contains(text, "\nintegrity     "));
    CHECK(contains(text, "\ncompleteness  "));
    CHECK(contains(text, "\nidentity      NOT PINNED: self-recorded"));
    CHECK_FALSE(contains(text, "OK"));
    CHECK(contains(text, "verdict       " + std::string(format::name_of(verdict)) + "\n"));
  }
}

TEST_CASE("cli verify: a whole file says what it holds") {
  const auto text = render_verify(report_of(Verdict::self_consistent), context());
  CHECK(contains(text, "3 seals, 1 chunk, 1,204 events"));
  CHECK(contains(text, "closed; 0 gaps; unsealed at the end: nothing"));
  CHECK(contains(text, "without a seal 31.0 s"));
}

TEST_CASE("cli verify: an open file is told apart from a live one") {
  auto around = context();
  CHECK(contains(render_verify(report_of(Verdict::incomplete), around), "NOT CLOSED"));
  CHECK(contains(explain_verdict(report_of(Verdict::incomplete), around).todo, "sworn salvage"));
  around.state = format::StoredState::live;
  around.tail_events = 7;
  CHECK(contains(render_verify(report_of(Verdict::incomplete), around), "STILL BEING RECORDED"));
  CHECK(contains(render_verify(report_of(Verdict::incomplete), around), "not sealed: 7 events"));
  CHECK_FALSE(contains(explain_verdict(report_of(Verdict::incomplete), around).todo, "salvage"));
}

TEST_CASE("cli verify: findings are shown escaped with their place") {
  auto r = report_of(Verdict::tampered);
  r.session.findings.push_back(
      {format::Severity::failure, "bad_signature", 12'345, 20, "seal \x1b[2J 7"});
  const auto text = render_verify(r, context());
  CHECK(contains(text, "failure       bad_signature at byte 12,345 (+20): seal \\x1b[2J 7"));
  CHECK(contains(explain_verdict(r, context()).why, "bad_signature at byte 12,345"));
}

TEST_CASE("cli verify: JSON carries the exit status and the findings") {
  auto r = report_of(Verdict::tampered);
  r.session.findings.push_back({format::Severity::failure, "bad_signature", 1, 2, "text"});
  const auto json = verify_to_json(r, context());
  CHECK(json["schema"] == "sworn.verify/1");
  CHECK(json["exit_status"] == 3);
  CHECK(json["identity"]["pinned"] == false);
  CHECK(json["findings"][0]["code"] == "bad_signature");
  CHECK(json["completeness"]["closed"] == false);
}

TEST_CASE("cli verify: the worst status of several files wins") {
  CHECK(worse_status(0, 2) == 2);
  CHECK(worse_status(3, 1) == 3);
  CHECK(worse_status(2, 1) == 1);
  CHECK(worse_status(4, 6) == 6);
  CHECK(worse_status(0, 0) == 0);
}
