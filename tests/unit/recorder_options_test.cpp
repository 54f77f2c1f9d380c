// SPDX-License-Identifier: Apache-2.0
#include "recorder/options.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace {

using sworn::recorder::InputMode;
using sworn::recorder::k_exit_recorder_failed;
using sworn::recorder::OnFailure;
using sworn::recorder::parse_options;
using sworn::recorder::policy_text;
using sworn::recorder::SyncMode;
using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("recorder: options have defaults") {
  const auto parsed = parse_options({"rec"});
  REQUIRE(parsed.options);
  CHECK(parsed.options->output.empty());
  CHECK(parsed.options->command.empty());
  CHECK(parsed.options->input == InputMode::commands);
  CHECK(parsed.options->sync == SyncMode::interval);
  CHECK(parsed.options->on_failure == OnFailure::terminate);
  CHECK_FALSE(parsed.options->quiet);
  CHECK(
      policy_text(*parsed.options) ==
      "mode=standalone\ninput=commands\nsync=interval\non_failure=terminate\ncapture=auto\nledger="
      "user\n");
}

TEST_CASE("recorder: options are read in every spelling") {
  const auto parsed = parse_options({"rec", "-o", "a b.sworn", "--input=all", "--sync", "critical",
                                     "--on-failure=continue_and_alert", "--reason", "disk; rm -rf",
                                     "--ticket=OPS-1", "--login", "--streams", "-q", "ls", "-la"});
  REQUIRE(parsed.options);
  CHECK(parsed.options->output == "a b.sworn");
  CHECK(parsed.options->input == InputMode::all);
  CHECK(parsed.options->sync == SyncMode::critical);
  CHECK(parsed.options->on_failure == OnFailure::continue_and_alert);
  CHECK(parsed.options->reason == "disk; rm -rf");
  CHECK(parsed.options->ticket == "OPS-1");
  CHECK(parsed.options->login);
  CHECK(parsed.options->streams);
  CHECK(parsed.options->quiet);
  CHECK(parsed.options->command == Words{"ls", "-la"});
}

TEST_CASE("recorder: what stands behind the command belongs to it") {
  CHECK(parse_options({"rec", "--", "ls", "-o", "x"}).options->command == Words{"ls", "-o", "x"});
  CHECK(parse_options({"rec", "ls", "--quiet", "--"}).options->command ==
        Words{"ls", "--quiet", "--"});
  CHECK(parse_options({"rec", "--", "-weird", "--", "a"}).options->command ==
        Words{"-weird", "--", "a"});
  CHECK(parse_options({"rec", "-q", "--"}).options->command.empty());
  CHECK_FALSE(parse_options({"rec", "ls", "--quiet"}).options->quiet);
}

TEST_CASE("recorder: mistakes are refused and never run as a command") {
  for (const Words& words : std::vector<Words>{{},
                                               {"play"},
                                               {"rec", "--inptu=all"},
                                               {"rec", "--input=sometimes"},
                                               {"rec", "--input="},
                                               {"rec", "--input"},
                                               {"rec", "-o"},
                                               {"rec", "-x", "ls"},
                                               {"rec", "--sync=0"},
                                               {"rec", ""},
                                               {"rec", "--", "", "x"},
                                               {"rec", "--reason", std::string(2000, 'x')}}) {
    CAPTURE(words.size());
    const auto parsed = parse_options(words);
    CHECK_FALSE(parsed.options);
    CHECK(parsed.exit_status == k_exit_recorder_failed);
    CHECK(parsed.text.starts_with("sworn rec: "));
    CHECK(parsed.text.find("  why:  ") != std::string::npos);
  }
}

TEST_CASE("recorder: help and version go to standard output") {
  const auto help = parse_options({"rec", "--help"});
  CHECK_FALSE(help.options);
  CHECK(help.exit_status == 0);
  CHECK(help.text.find("Usage: sworn rec") != std::string::npos);
  CHECK(help.text.find("none|commands|all") != std::string::npos);
  CHECK(parse_options({"--version"}).exit_status == 0);
}
