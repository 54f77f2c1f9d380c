// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/config.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

constexpr const char* k_sample = R"(
[[audience]]
name = "dba"
groups = ["dba"]
input = "all"
on_failure = "continue_and_alert"

[record]
users = ["*"]
exclude_users = ["backup*"]
exclude_groups = ["robots"]
hosts = ["db-*"]

[session]
sync = "critical"
shell = "/bin/dash"
retention = "long"

[shells]
alice = "/bin/zsh"

[break_glass]
groups = ["oncall"]

[limits]
reserve = "1G"
sessions_per_user = 20

[retention]
long = 3650
)";

}  // namespace

TEST_CASE("host config: rules come from the session, the audience and the user, in this order") {
  const auto got = parse_config(k_sample, "sworn.conf");
  for (const auto& finding : got.findings) {
    FAIL_CHECK(finding.line << ": " << finding.reason);
  }
  const Person dba{"carol", 1000, {"dba"}};
  CHECK(rules_for(got.config, dba).input == InputMode::all);
  CHECK(rules_for(got.config, dba).sync == SyncMode::critical);  // [session] stands behind it
  CHECK(rules_for(got.config, dba).on_failure == OnFailure::continue_and_alert);
  const Person alice{"alice", 1001, {"users"}};
  CHECK(rules_for(got.config, alice).shell == "/bin/zsh");
  CHECK(rules_for(got.config, alice).input == InputMode::commands);
  CHECK(got.config.reserve_bytes == 1ULL << 30U);
}

TEST_CASE("host config: who is recorded") {
  const Config config = parse_config(k_sample, "sworn.conf").config;
  CHECK(is_recorded(config, {"alice", 1, {"users"}}, "db-7"));
  CHECK_FALSE(is_recorded(config, {"alice", 1, {"users"}}, "web-1"));
  CHECK_FALSE(is_recorded(config, {"backup2", 2, {}}, "db-7"));
  CHECK_FALSE(is_recorded(config, {"bob", 3, {"users", "robots"}}, "db-7"));
  CHECK(is_recorded(Config{}, {"root", 0, {}}, "anything"));
  CHECK(may_break_glass(config, {"bob", 3, {"oncall"}}));
  CHECK_FALSE(may_break_glass(config, {"bob", 3, {"users"}}));
}

TEST_CASE("host config: every mistake is named with its line, and all of them at once") {
  const auto got = parse_config(
      "[session]\n"
      "inptu = \"all\"\n"
      "sync = \"sometimes\"\n"
      "shell = \"bash\"\n"
      "[record]\n"
      "users = \"alice\"\n"
      "[limits]\n"
      "sessions_per_user = -1\n",
      "f");
  REQUIRE(got.findings.size() == 5);
  CHECK(got.findings[0].line == 2);
  CHECK(got.findings[0].reason.find("'inptu'") != std::string::npos);
  CHECK(got.findings[1].line == 3);
  CHECK(got.findings[2].line == 4);
  CHECK(got.findings[3].line == 6);
  CHECK(got.findings[4].line == 8);
}

TEST_CASE("host config: what is no TOML says where") {
  const auto got = parse_config("[session]\ninput = \"all\nsync=", "f");
  REQUIRE(got.findings.size() == 1);
  CHECK(got.findings[0].line == 2);
}

TEST_CASE("host config: headers that would end the parser are refused with their line") {
  for (const char* header : {"[[)x]]", "[", "[[", "[]", "[a", "[[a]", "[a]]", "[a] b", "[a.b]"}) {
    CAPTURE(header);
    const auto got = parse_config("[session]\n" + std::string(header) + "\n", "f");
    REQUIRE(got.findings.size() == 1);
    CHECK(got.findings[0].line == 2);
  }
  CHECK(parse_config("  [session] # fine\n[record]\t\n", "f").ok());
}

TEST_CASE("host config: a class of retention that nobody defined, a shell that records itself") {
  CHECK_FALSE(parse_config("[session]\nretention = \"nosuch\"\n", "f").ok());
  CHECK_FALSE(parse_config("[session]\nshell = \"/usr/bin/sworn-login\"\n", "f").ok());
  CHECK_FALSE(parse_config("[[audience]]\nname = \"x\"\n", "f").ok());
}

TEST_CASE("host config: whom to encrypt to must be recipients") {
  constexpr const char* k_good = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kudlnz4fqu3qz5s";
  const std::string good = k_good;
  CHECK_FALSE(parse_config("[encryption]\nrecipients = [\"nobody\"]\n", "f").ok());
  CHECK_FALSE(parse_config("[encryption]\nrecipients = [\"age1nosuch\"]\n", "f").ok());
  CHECK_FALSE(parse_config("[encryption]\nsecond_person = [\"" + good + "\"]\n", "f").ok());
}

TEST_CASE("host config: what no code holds to is refused") {
  CHECK_FALSE(parse_config("[limits]\nuser_quota = \"10G\"\n", "f").ok());
  CHECK(parse_config("[limits]\nuser_quota = 0\n", "f").ok());
  CHECK_FALSE(parse_config("[anchors]\nrequired = [\"syslog\"]\n", "f").ok());
  CHECK(parse_config("[anchors]\nrequired = []\n", "f").ok());
}

TEST_CASE("host config: the policy text changes with every rule, and only then") {
  const Config config;
  Rules rules;
  const auto text = effective_policy(config, rules);
  CHECK(text == effective_policy(config, rules));
  rules.input = InputMode::all;
  CHECK(text != effective_policy(config, rules));
  Config other;
  other.required_anchors = {"syslog"};
  CHECK(text != effective_policy(other, Rules{}));
}

TEST_CASE("host config: only what root alone can write counts") {
  const test::TempDir directory;
  const std::string path = directory.path() + "/sworn.conf";
  std::ofstream(path) << "[session]\ninput = \"none\"\n";
  ::chmod(path.c_str(), 0666);
  const auto open = load_config(path);
  REQUIRE_FALSE(open.ok());
  CHECK(open.findings[0].file == path);
  ::chmod(path.c_str(), 0644);
  if (::geteuid() == 0) {
    ::chmod(directory.path().c_str(), 0777);
    CHECK_FALSE(load_config(path).ok());  // whoever may write the directory replaces the file
    ::chmod(directory.path().c_str(), 0755);
    CHECK(load_config(path).ok());
    REQUIRE(::chown(path.c_str(), 1234, 1234) == 0);
    CHECK_FALSE(load_config(path).ok());
    CHECK_FALSE(load_config(directory.path()).ok());  // no regular file
  } else {
    CHECK_FALSE(load_config(path).ok());  // it is not root's
  }
  CHECK(load_config(directory.path() + "/absent").ok());
}

}  // namespace sworn::recorder::host
