// SPDX-License-Identifier: Apache-2.0
#include "audit/alert_channel.hpp"
#include "audit/watched_files.hpp"
#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"
#include "tests/support/mem_file.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace sworn;
using namespace sworn::audit;
using format::EventKind;

namespace {

void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// Says what it is told to.
class Script final : public AuditSource {
 public:
  [[nodiscard]] std::string_view name() const override { return "script"; }
  Result<void> prepare(ChildSetup&) override { return {}; }
  void launched(pid_t) override {}
  [[nodiscard]] int fd() const override { return -1; }
  Result<void> drain(std::vector<AuditFact>& out) override {
    for (auto& fact : std::exchange(facts, {})) {
      out.push_back(std::move(fact));
    }
    return {};
  }
  void finish(std::vector<AuditFact>& out) override { static_cast<void>(drain(out)); }
  std::vector<AuditFact> facts;
};

AuditFact command_end(std::uint64_t n) {
  return {EventKind::command_end, {5}, encode(format::CommandEnd{n, 9, 0, "", "/", {}})};
}

struct Pair {
  Pair() {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
    ours = Fd(ends[0]);
    theirs = Fd(ends[1]);
  }
  Fd ours;
  Fd theirs;
};

void send(int fd, ByteView data) {
  REQUIRE(::send(fd, data.data(), data.size(), 0) == static_cast<ssize_t>(data.size()));
}

Bytes alert(const std::string& rule, std::int64_t at_us = 3) {
  return format::MapWriter()
      .text("rule", rule)
      .text("severity", "high")
      .text("text", "x")
      .number("at_us", at_us)
      .finish();
}

std::size_t count_of(const std::vector<AuditFact>& facts, EventKind kind) {
  return static_cast<std::size_t>(
      std::count_if(facts.begin(), facts.end(), [&](const auto& f) { return f.kind == kind; }));
}

}  // namespace

TEST_CASE("watched files: what changed, with digests before and after") {
  const test::TempDir dir;
  const auto passwd = dir.path() + "/passwd";
  const auto rules = dir.path() + "/sudoers.d";
  std::filesystem::create_directory(rules);
  write(passwd, "root\n");
  write(rules + "/old", "x\n");
  WatchedFiles files({passwd, rules, dir.path() + "/absent"});
  CHECK(files.check().empty());
  write(passwd, "root\nevil\n");
  write(rules + "/new", "ALL\n");
  std::filesystem::remove(rules + "/old");
  write(dir.path() + "/absent", "now\n");
  auto changes = files.check();
  REQUIRE(changes.size() == 4);
  for (const auto& change : changes) {
    CAPTURE(change.path);
    CHECK(change.before.digest != change.after.digest);
    if (change.path == passwd) {
      // sha256sum of "root\n" and "root\nevil\n"
      CHECK(change.before.digest ==
            "53175bcc0524f37b47062fafdda28e3f8eb91d519ca0a184ca71bbebe72f969a");
      CHECK(change.after.digest.size() == 64);
    }
  }
  CHECK(files.check().empty());
  std::filesystem::permissions(passwd, std::filesystem::perms::owner_all);
  changes = files.check();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].before.digest == changes[0].after.digest);
  CHECK(changes[0].before.mode != changes[0].after.mode);
}

TEST_CASE("watched files: a change stands behind the command line that made it") {
  const test::TempDir dir;
  const auto path = dir.path() + "/hosts";
  write(path, "a");
  auto script = std::make_unique<Script>();
  auto* inner = script.get();
  test::FakeClock clock;
  ChangeWatch watch(std::move(script), WatchedFiles({path}), clock);
  std::vector<AuditFact> out;
  write(path, "ab");
  inner->facts.push_back({EventKind::exec, {1}, {}});
  CHECK(watch.drain(out));
  CHECK(out.size() == 1);  // the command line has not ended
  inner->facts.push_back(command_end(7));
  CHECK(watch.drain(out));
  REQUIRE(out.size() == 3);
  CHECK(out[2].kind == EventKind::alert);
  auto map = format::MapReader::parse(out[2].data);
  REQUIRE(map);
  std::string text;
  std::string change;
  std::uint64_t command = 0;
  CHECK(map->text("text", text).text("change", change).number("command", command).done());
  CHECK(text == path + " was changed");
  CHECK(command == 7);
  CHECK(change == "file");
  CHECK(change_topic("/etc/sudoers.d/x") == "sudoers");
  CHECK(change_topic("/etc/ssh/sshd_config") == "sshd");
}

TEST_CASE("alert channel: alerts become events and markers, and the watcher learns the file") {
  Pair pair;
  test::FakeClock clock;
  AlertChannel channel(std::make_unique<Script>(), std::move(pair.ours), "/x/y.sworn.part", clock);
  ChildSetup setup;
  REQUIRE(channel.prepare(setup));
  channel.launched(1);
  char path[64] = {};
  CHECK(::recv(pair.theirs.get(), path, sizeof path, 0) == 15);
  CHECK(std::string(path) == "/x/y.sworn.part");
  std::vector<AuditFact> out;
  CHECK(channel.drain(out));
  CHECK(out.empty());
  send(pair.theirs.get(), alert("r", 3));
  pollfd ready{channel.fd(), POLLIN, 0};
  CHECK(::poll(&ready, 1, 1000) == 1);
  CHECK(channel.drain(out));
  REQUIRE(out.size() == 2);
  CHECK(out[0].kind == EventKind::alert);
  CHECK(out[0].at == MonoTime{3});
  CHECK(out[1].kind == EventKind::marker);
  CHECK(format::decode_marker(out[1].data)->label == "alert r (high)");
  out.clear();
  send(pair.theirs.get(), alert("future", INT64_MAX));
  CHECK(channel.drain(out));
  REQUIRE(out.size() == 2);
  CHECK(out[0].at == clock.mono());  // never later than now
}

TEST_CASE("alert channel: nonsense, floods and the watcher's end are told, and bounded") {
  Pair pair;
  test::FakeClock clock;
  AlertChannel channel(nullptr, std::move(pair.ours), "/x", clock);
  ChildSetup setup;
  REQUIRE(channel.prepare(setup));
  channel.launched(1);
  std::vector<AuditFact> out;
  send(pair.theirs.get(), as_bytes("not msgpack"));
  send(pair.theirs.get(), alert(""));
  for (int i = 0; i < 50; ++i) {
    send(pair.theirs.get(), alert("flood"));
    CHECK(channel.drain(out));
  }
  CHECK(count_of(out, EventKind::alert) == k_max_alerts_per_second);
  out.clear();
  pair.theirs.reset();
  CHECK(channel.drain(out));
  REQUIRE(count_of(out, EventKind::alert) == 1);
  CHECK(count_of(out, EventKind::gap) == 1);
  out.clear();
  CHECK(channel.drain(out));
  CHECK(out.empty());
  channel.finish(out);
  REQUIRE(count_of(out, EventKind::gap) == 1);
  const auto gap = format::decode_gap(std::find_if(out.begin(), out.end(), [](const auto& f) {
                                        return f.kind == EventKind::gap;
                                      })->data);
  REQUIRE(gap);
  CHECK(gap->lost_events == 32);
  CHECK(count_of(out, EventKind::capture) == 1);
}
