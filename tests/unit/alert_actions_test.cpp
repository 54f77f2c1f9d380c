// SPDX-License-Identifier: Apache-2.0
#include "audit/alert/alert_actions.hpp"

#include "base/clock.hpp"
#include "format/msgpack_map.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sworn;
using namespace sworn::audit::alert;

namespace {

AlertRule rule(std::vector<AlertAction> actions) {
  AlertRule out;
  out.name = "r";
  out.severity = "high";
  out.actions = std::move(actions);
  return out;
}

audit::trail::TrailEntry entry() {
  audit::trail::TrailEntry out;
  out.kind = audit::trail::TrailKind::alert;
  out.session.file_id = "00112233445566778899aabbccddeeff";
  out.session.host = "web1";
  out.session.user = "alice";
  out.code = "r";
  out.severity = "high";
  out.text = "rm -rf /var/log";
  return out;
}

// A shell with a child, both asleep; ended with the object.
class Tree {
 public:
  Tree() {
    int ends[2] = {-1, -1};
    REQUIRE(::pipe(ends) == 0);
    root = ::fork();
    if (root == 0) {
      ::setpgid(0, 0);
      if (::fork() == 0) {
        ::close(ends[0]);
        if (::write(ends[1], "x", 1) == 1) {
          ::pause();
        }
        ::_exit(0);
      }
      ::close(ends[0]);
      ::close(ends[1]);
      ::pause();
      ::_exit(0);
    }
    ::close(ends[1]);
    char byte = 0;
    REQUIRE(::read(ends[0], &byte, 1) == 1);
    ::close(ends[0]);
  }
  ~Tree() {
    ::kill(-root, SIGKILL);
    ::waitpid(root, nullptr, 0);
  }
  pid_t root = -1;
};

char state_of(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(in, text);
  const auto close = text.rfind(')');
  return close == std::string::npos ? '?' : text[close + 2];
}

bool becomes(pid_t pid, char state) {
  for (int i = 0; i < 200; ++i) {
    if (state_of(pid) == state) {
      return true;
    }
    ::poll(nullptr, 0, 10);
  }
  return false;
}

std::string contents(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("alert actions: freeze stops every process of the session") {
  const Tree tree;
  const auto below = descendants_of(tree.root);
  REQUIRE(below.size() == 1);
  SystemClock clock;
  AlertActions actions({.command = tree.root}, clock);
  CHECK(actions.run(rule({AlertAction::freeze}), entry()).empty());
  CHECK(becomes(tree.root, 'T'));
  CHECK(becomes(below[0], 'T'));
  ::kill(-tree.root, SIGCONT);
  CHECK(becomes(tree.root, 'S'));
}

TEST_CASE("alert actions: ending needs a recorder, and is refused for any other process") {
  const Tree tree;
  SystemClock clock;
  AlertActions actions({.recorder = tree.root, .command = tree.root}, clock);
  const auto failed = actions.run(rule({AlertAction::end}), entry());
  REQUIRE(failed.size() == 1);
  CHECK(failed[0].find("recorder is not known") != std::string::npos);
  CHECK(state_of(tree.root) == 'S');
  AlertActions unknown({}, clock);
  CHECK(unknown.run(rule({AlertAction::freeze, AlertAction::end}), entry()).size() == 2);
}

TEST_CASE("alert actions: a program gets the entry, its end is noticed, a missing one is none") {
  const test::TempDir dir;
  const auto script = dir.path() + "/page";
  std::ofstream(script) << "#!/bin/sh\necho \"$1 $2 $3\" >" << dir.path() << "/got; cat >>"
                        << dir.path() << "/got\n";
  ::chmod(script.c_str(), 0755);
  SystemClock clock;
  AlertActions actions({}, clock);
  auto paging = rule({AlertAction::command});
  paging.run = script;
  CHECK(actions.run(paging, entry()).empty());
  for (int i = 0; i < 500 && actions.running() > 0; ++i) {
    ::poll(nullptr, 0, 10);
    actions.tend();
  }
  CHECK(actions.running() == 0);
  const auto got = contents(dir.path() + "/got");
  CHECK(got.starts_with("r high sworn://web1/"));
  CHECK(got.find("\"text\":\"rm -rf /var/log\"") != std::string::npos);
}

TEST_CASE("alert actions: syslog and journald lines reach their sockets") {
  const test::TempDir dir;
  const auto path = dir.path() + "/log";
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  SystemClock clock;
  AlertActions actions({.syslog = "unix:" + path, .journald = path}, clock);
  CHECK(actions.run(rule({AlertAction::syslog, AlertAction::journald}), entry()).empty());
  char buffer[8192];
  auto n = ::recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
  REQUIRE(n > 0);
  const std::string line(buffer, static_cast<std::size_t>(n));
  CHECK(line.starts_with("<83>1 "));
  CHECK(line.find("rm -rf /var/log") != std::string::npos);
  n = ::recv(socket, buffer, sizeof buffer, MSG_DONTWAIT);
  REQUIRE(n > 0);
  CHECK(std::string(buffer, static_cast<std::size_t>(n)).find("\nSWORN_CODE=r\n") !=
        std::string::npos);
  ::close(socket);
  AlertActions none({.syslog = "unix:/does/not/exist", .journald = "/does/not/exist"}, clock);
  CHECK(none.run(rule({AlertAction::syslog, AlertAction::journald}), entry()).size() == 2);
}

TEST_CASE("alert message: what the recorder takes") {
  AlertHit hit;
  hit.text = std::string(100'000, 'x');
  hit.command = 7;
  hit.event = 9;
  hit.at = {123};
  const auto message = message_of(hit, rule({AlertAction::end}));
  CHECK(message.size() < 16 * 1024);
  auto map = format::MapReader::parse(message);
  REQUIRE(map);
  std::string name;
  std::uint64_t command = 0;
  std::int64_t at = 0;
  CHECK(map->text("rule", name).number("command", command).number("at_us", at).done());
  CHECK(name == "r");
  CHECK(command == 7);
  CHECK(at == 123);
}
