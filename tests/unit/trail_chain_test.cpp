// SPDX-License-Identifier: Apache-2.0
#include "audit/trail/trail_chain.hpp"

#include "audit/trail/trail_sinks.hpp"
#include "tests/support/mem_file.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using namespace sworn;
using namespace sworn::audit::trail;

namespace {

TrailEntry entry(const std::string& text) {
  TrailEntry out;
  out.session.file_id = "00112233445566778899aabbccddeeff";
  out.session.host = "web1";
  out.session.user = "alice";
  out.at = *parse_rfc3339("2026-11-21T01:53:15Z");
  out.end = out.at;
  out.text = text;
  out.command = 1;
  return out;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> lines_of_text(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

TrailVerifier verify(const std::vector<std::string>& lines, bool torn = false) {
  TrailVerifier verifier;
  verifier.file("t");
  for (std::size_t i = 0; i < lines.size(); ++i) {
    verifier.line(lines[i], i + 1, torn && i + 1 == lines.size());
  }
  return verifier;
}

std::vector<std::string> sample(std::size_t n) {
  auto state = *new_chain();
  std::vector<std::string> out;
  for (std::size_t i = 0; i < n; ++i) {
    auto line = chained_line(
        "{\"schema\":\"sworn.trail/1\",\"text\":\"" + std::to_string(i) + "\\\",\\\"chain\\\":{\"}",
        state);
    line.pop_back();
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace

TEST_CASE("trail chain: what was written verifies, each line alone and the whole") {
  const auto lines = sample(5);
  const auto verifier = verify(lines);
  CHECK(verifier.findings().empty());
  CHECK(verifier.proven() == 5);
  CHECK(verifier.first_seq() == 0);
  CHECK(verifier.last_seq() == 4);
  for (const auto& line : lines) {
    const auto read = read_chained_line(line);
    REQUIRE(read);
    CHECK(read->proven);
  }
  CHECK(read_chained_line(lines[0])->prev == std::string(64, '0'));
}

TEST_CASE("trail chain: every changed byte of a line is found") {
  const auto lines = sample(3);
  for (std::size_t at = 0; at < lines[1].size(); ++at) {
    auto changed = lines;
    changed[1][at] = static_cast<char>(changed[1][at] ^ 1);
    CAPTURE(at);
    CHECK_FALSE(verify(changed).findings().empty());
  }
}

TEST_CASE("trail chain: lines taken out, put in, swapped or doubled are found and named") {
  const auto lines = sample(6);
  auto missing = lines;
  missing.erase(missing.begin() + 2, missing.begin() + 4);
  REQUIRE(verify(missing).findings().size() == 1);
  CHECK(verify(missing).findings()[0].code == "missing");
  CHECK(verify(missing).findings()[0].text == "entries 2 to 3 are missing");
  CHECK(verify(missing).findings()[0].line == 3);
  auto doubled = lines;
  doubled.insert(doubled.begin() + 1, lines[1]);
  CHECK(verify(doubled).findings()[0].code == "added");
  auto swapped = lines;
  std::swap(swapped[1], swapped[2]);
  CHECK_FALSE(verify(swapped).findings().empty());
  auto foreign = lines;
  foreign[3] = sample(4)[3];  // of another chain
  CHECK(verify(foreign).findings()[0].code == "other_chain");
  auto rewritten = lines;
  {  // a line written anew behind the same one before
    const auto before = *read_chained_line(lines[2]);
    auto state = state_behind(before);
    rewritten[3] = chained_line("{\"text\":\"another\"}", state);
    rewritten[3].pop_back();
  }
  CHECK(verify(rewritten).findings()[0].code == "altered");
  CHECK(verify(rewritten).findings()[0].line == 5);
  auto plain = lines;
  plain[4] = "{\"text\":\"no chain\"}";
  CHECK(verify(plain).findings()[0].code == "not_chained");
  auto torn = lines;
  torn[5].resize(torn[5].size() - 10);
  CHECK(verify(torn, true).findings()[0].code == "torn");
  std::vector<std::string> later(lines.begin() + 3, lines.end());
  CHECK(verify(later).findings().empty());
  CHECK(verify(later).first_seq() == 3);
}

TEST_CASE("trail file: the chain goes on through rotation and restarts") {
  const test::TempDir dir;
  test::FakeClock clock;
  const auto path = dir.path() + "/trail.jsonl";
  RotationPolicy policy;
  policy.max_bytes = 2'000;
  for (int run = 0; run < 3; ++run) {
    const auto sink = open_trail_file(path, policy, clock);
    REQUIRE(sink);
    CHECK_FALSE(open_trail_file(path, policy, clock));  // a second writer would break the chain
    for (int i = 0; i < 5; ++i) {
      CHECK((*sink)->put(entry("command " + std::to_string(i))));
    }
    CHECK((*sink)->flush());
  }
  policy.max_bytes = 1U << 20U;
  policy.max_age_us = 1'000'000;
  {
    const auto sink = open_trail_file(path, policy, clock);
    REQUIRE(sink);
    clock.advance(2'000'000);
    CHECK((*sink)->put(entry("after a while")));
  }
  std::vector<std::filesystem::path> files;
  for (const auto& one : std::filesystem::directory_iterator(dir.path())) {
    files.push_back(one.path());
  }
  std::sort(files.begin(), files.end());
  CHECK(files.size() >= 4);
  TrailVerifier verifier;
  // The live file sorts first; it is the last.
  std::rotate(files.begin(), files.begin() + 1, files.end());
  for (const auto& file : files) {
    verifier.file(file.string());
    std::uint64_t number = 0;
    for (const auto& line : lines_of_text(contents(file.string()))) {
      verifier.line(line, ++number, false);
    }
  }
  CHECK(verifier.findings().empty());
  CHECK(verifier.lines() == 16);
  CHECK(verifier.last_seq() == 15);
}

TEST_CASE("trail file: a torn last line is kept, closed and told; other files are refused") {
  const test::TempDir dir;
  test::FakeClock clock;
  const auto path = dir.path() + "/trail.jsonl";
  {
    const auto sink = open_trail_file(path, {}, clock);
    REQUIRE(sink);
    CHECK((*sink)->put(entry("one")));
    CHECK((*sink)->put(entry("two")));
  }
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 20);
  {
    const auto sink = open_trail_file(path, {}, clock);
    REQUIRE(sink);
    CHECK((*sink)->put(entry("three")));
  }
  const auto lines = lines_of_text(contents(path));
  REQUIRE(lines.size() == 3);
  const auto verifier = verify(lines);
  REQUIRE(verifier.findings().size() == 1);
  CHECK(verifier.findings()[0].code == "not_chained");
  CHECK(verifier.last_seq() == 1);
  std::ofstream(dir.path() + "/other") << "not a trail\n";
  const auto refused = open_trail_file(dir.path() + "/other", {}, clock);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::corrupt);
  std::filesystem::create_symlink(path, dir.path() + "/link");
  CHECK_FALSE(open_trail_file(dir.path() + "/link", {}, clock));
}

TEST_CASE("trail messages: RFC 5424 with escaped parameters, nothing that breaks a line") {
  auto e = entry("echo \"]\\ \n\x1b[2J \xff");
  e.session.user = "a]b\"c\\";
  e.session.host = "we b";
  const auto message = syslog_message(e);
  CHECK(
      message.starts_with("<86>1 2026-11-21T01:53:15.000000Z we_b sworn - command [sworn@32473 "
                          "session=\"00112233445566778899aabbccddeeff\" link=\"sworn://we%20b/"));
  CHECK(message.find(" user=\"a\\]b\\\"c\\\\\"") != std::string::npos);
  CHECK(message.find('\n') == std::string::npos);
  CHECK(message.find('\x1b') == std::string::npos);
  e.kind = TrailKind::alert;
  e.severity = "critical";
  CHECK(syslog_message(e).starts_with("<82>1 "));
  e.text = std::string(500'000, 'x');
  CHECK(syslog_message(e).size() < 62'000);
  CHECK_FALSE(open_syslog("tcp:x"));
  CHECK_FALSE(open_syslog("udp:localhost:514"));
  CHECK_FALSE(open_syslog("udp:127.0.0.1:0"));
  CHECK(open_syslog("udp:127.0.0.1:1"));
  CHECK_FALSE(open_syslog("unix:/does/not/exist"));
}
