// SPDX-License-Identifier: Apache-2.0
#include "audit/hook_decoder.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>

using namespace sworn;
using namespace sworn::audit;
using format::EventKind;

namespace {

class TestClock final : public Clock {
 public:
  MonoTime mono() override { return {mono_us}; }
  WallTime wall() override { return {mono_us + offset_us}; }
  ClockQuality quality() override { return {true, 0}; }
  std::int64_t mono_us = 1'000'000'000;
  std::int64_t offset_us = 1'700'000'000'000'000;
};

constexpr pid_t k_shell = 100;
constexpr pid_t k_child = 101;
constexpr pid_t k_gone = 102;
constexpr pid_t k_stranger = 999;

struct Bench {
  TestClock clock;
  HookDecoder decoder{
      "key", clock, [](pid_t pid) {
        return pid == k_child ? Kin::child : pid == k_gone ? Kin::gone : Kin::stranger;
      }};
  std::vector<AuditFact> out;

  Bench() { decoder.set_shell(k_shell, "bash"); }

  void feed(pid_t sender, const std::vector<std::string>& fields) {
    std::string data{"SW1\0key\0", 8};
    for (const auto& field : fields) {
      data += field;
      data += '\0';
    }
    decoder.feed(sender, as_bytes(data), out);
  }
  void begin(pid_t sender, const std::string& text, std::int64_t age_us = 0, char type = 'B') {
    feed(sender, {std::string(1, type), stamp(age_us), "1", "7", "/tmp", "    7  " + text + "\n"});
  }
  void end(pid_t sender, const std::string& status, char type = 'E') {
    feed(sender, {std::string(1, type), stamp(0), status, status, "/home"});
  }
  std::string stamp(std::int64_t age_us) {
    const auto us = clock.wall().us - age_us;
    return fmt::format("{}.{:06}", us / 1'000'000, us % 1'000'000);
  }
  [[nodiscard]] std::vector<format::Gap> gaps() const {
    std::vector<format::Gap> found;
    for (const auto& fact : out) {
      if (fact.kind == EventKind::gap) {
        found.push_back(format::decode_gap(fact.data).value());
      }
    }
    return found;
  }
};

}  // namespace

TEST_CASE("hook decoder: begin and end of a command line") {
  Bench bench;
  bench.begin(k_child, "ls -l", 1'500);
  bench.clock.mono_us += 2'000'000;
  bench.end(k_shell, "2");
  REQUIRE(bench.out.size() == 2);
  CHECK(bench.out[0].kind == EventKind::command_begin);
  CHECK(bench.out[0].at == MonoTime{999'998'500});
  const auto begin = format::decode_command_begin(bench.out[0].data).value();
  CHECK(begin.n == 1);
  CHECK(begin.shell_pid == k_shell);
  CHECK(begin.anchor_pid == k_child);
  CHECK(begin.text == "ls -l");
  CHECK(begin.text_source == "hook");
  CHECK(begin.cwd == "/tmp");
  CHECK(begin.shell == "bash");
  const auto end = format::decode_command_end(bench.out[1].data).value();
  CHECK(bench.out[1].at == MonoTime{1'002'000'000});
  CHECK(end.n == 1);
  CHECK(end.exit_status == 2);
  CHECK(end.pipestatus == "2");
  CHECK(end.cwd_after == "/home");
  CHECK(bench.decoder.counters().events == 2);
}

TEST_CASE("hook decoder: numbers go on and prompts without a command end nothing") {
  Bench bench;
  bench.end(k_shell, "0");
  CHECK(bench.out.empty());
  bench.begin(k_child, "one");
  bench.begin(k_gone, "two");  // the end of the first was lost
  bench.end(k_shell, "0");
  bench.end(k_shell, "0");
  bench.begin(k_shell, "# three", 0, 'N');
  bench.end(k_shell, "1", 'X');
  REQUIRE(bench.out.size() == 5);
  CHECK(format::decode_command_begin(bench.out[1].data)->n == 2);
  CHECK(format::decode_command_end(bench.out[2].data)->n == 2);
  const auto third = format::decode_command_begin(bench.out[3].data).value();
  CHECK(third.n == 3);
  CHECK(third.anchor_pid == 0);
  CHECK(third.flags == std::vector<std::string>{"not_run"});
  CHECK(format::decode_command_end(bench.out[4].data)->flags ==
        std::vector<std::string>{"shell_exit"});
}

TEST_CASE("hook decoder: a line without text says so") {
  Bench bench;
  bench.feed(k_child, {"B", "", "0", "7", "/tmp", ""});
  REQUIRE(bench.out.size() == 1);
  const auto begin = format::decode_command_begin(bench.out[0].data).value();
  CHECK(begin.text.empty());
  CHECK(begin.text_source == "none");
  CHECK(bench.out[0].at == bench.clock.mono());
}

TEST_CASE("hook decoder: impossible times become now") {
  Bench bench;
  bench.begin(k_child, "from the future", -5'000'000);
  bench.begin(k_child, "from last year", 30'000'000'000'000);
  for (const auto& fact : bench.out) {
    CHECK(fact.at == bench.clock.mono());
  }
}

TEST_CASE("hook decoder: forged messages are counted and reported and never trusted") {
  Bench bench;
  bench.begin(k_stranger, "rm -rf /");
  bench.end(k_stranger, "0");
  bench.decoder.feed(k_child, as_bytes("nonsense"), bench.out);
  CHECK(bench.decoder.counters().forged == 3);
  CHECK(bench.decoder.counters().events == 0);
  // One report at once, the rest with the next one.
  REQUIRE(bench.gaps().size() == 1);
  CHECK(bench.gaps()[0].reason == "hook_forged");
  bench.clock.mono_us += 1'000'000;
  bench.begin(k_child, "ls");
  const auto gaps = bench.gaps();
  REQUIRE(gaps.size() == 2);
  CHECK(gaps[0].lost_events + gaps[1].lost_events == 3);
  CHECK(gaps[1].detail.find(std::to_string(k_child)) != std::string::npos);
}

TEST_CASE("hook decoder: a flood is bounded and what is lost is counted") {
  Bench bench;
  const int sent = 100'000;
  for (int i = 0; i < sent; ++i) {
    bench.begin(k_child, ":");
  }
  const auto& counters = bench.decoder.counters();
  CHECK(counters.lost > 0);
  CHECK(counters.events + counters.lost == static_cast<std::uint64_t>(sent));
  CHECK(counters.events <= 20'001);
  bench.decoder.finish(bench.out);
  std::uint64_t reported = 0;
  for (const auto& gap : bench.gaps()) {
    CHECK(gap.reason == "hook_flood");
    reported += gap.lost_events;
  }
  CHECK(reported == counters.lost);
  const auto map = format::MapReader::parse(bench.out.back().data);
  REQUIRE(map);
  CHECK(bench.out.back().kind == EventKind::capture);
  // Later there is room again.
  const auto before = counters.events;
  bench.clock.mono_us += 10'000'000;
  bench.begin(k_child, "ls");
  CHECK(counters.events == before + 1);
}

TEST_CASE("hook decoder: a long line is cut at characters and joins again") {
  Bench bench;
  std::string text;
  while (text.size() < 200'000) {
    text += "h\xC3\xA9llo \xF0\x9F\x98\x80 ";
  }
  bench.begin(k_child, text);
  bench.end(k_shell, "0");
  REQUIRE(bench.out.size() > 3);
  std::string joined;
  for (std::size_t i = 0; i + 1 < bench.out.size(); ++i) {
    CHECK(bench.out[i].data.size() <= format::k_max_event_bytes);
    const auto begin = format::decode_command_begin(bench.out[i].data).value();
    CHECK(begin.n == 1);
    const auto has = [&](const char* flag) {
      return std::find(begin.flags.begin(), begin.flags.end(), flag) != begin.flags.end();
    };
    CHECK(has("continued") == (i > 0));
    CHECK(has("more") == (i + 2 < bench.out.size()));
    CHECK((static_cast<unsigned char>(begin.text.front()) & 0xC0U) != 0x80U);
    joined += begin.text;
  }
  CHECK(joined == text);
}

TEST_CASE("hook decoder: hello names the shell") {
  Bench bench;
  bench.feed(k_shell, {"H", bench.stamp(0), "bash", "5.2.15(1)-release", "/tmp"});
  CHECK(bench.decoder.hello_seen());
  REQUIRE(bench.out.size() == 1);
  CHECK(bench.out[0].kind == EventKind::capture);
  std::string layer;
  std::string state;
  auto map = format::MapReader::parse(bench.out[0].data).value();
  REQUIRE(map.text("layer", layer).text("state", state).done());
  CHECK(layer == "shell_hook");
  CHECK(state == "active");
}
