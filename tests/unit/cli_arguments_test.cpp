// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/suggest.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace sworn;
using namespace sworn::cli;

namespace {

constexpr Option k_options[] = {
    {"-o,--output", ValueKind::file, "FILE", "help"},
    {"--json", ValueKind::none, "", "help"},
    {"--mode", ValueKind::choice, "one|two", "help"},
    {"--add", ValueKind::text, "TEXT", "help"},
};
constexpr Command k_command = {
    .name = "test",
    .summary = "a test",
    .usage = "",
    .details = "",
    .operands = {"FILE", ValueKind::session, 1, 2},
    .options = k_options,
    .examples = {},
    .exits = {},
    .run = nullptr,
};

Result<Arguments> parse(const std::vector<std::string>& words) {
  return Arguments::parse(k_command, words);
}

std::string refusal(const std::vector<std::string>& words) {
  const auto args = parse(words);
  REQUIRE_FALSE(args);
  CHECK(args.error().code == Errc::bad_usage);
  return args.error().context;
}

}  // namespace

TEST_CASE("cli arguments: options and operands in any order") {
  const auto args = parse({"a.sworn", "--json", "-o", "out", "b.sworn", "--mode=two"});
  REQUIRE(args);
  CHECK(args->words() == std::vector<std::string>{"a.sworn", "b.sworn"});
  CHECK(args->has("--json"));
  CHECK(args->value("--output") == "out");
  CHECK(args->value_or("--mode", "one") == "two");
  CHECK_FALSE(args->has("--add"));
  CHECK(args->value_or("--add", "none") == "none");
}

TEST_CASE("cli arguments: a value may begin with a dash or a minus when it is attached") {
  const auto args = parse({"--add=-2:00", "x"});
  REQUIRE(args);
  CHECK(args->value("--add") == "-2:00");
}

TEST_CASE("cli arguments: repeated options keep every value") {
  const auto args = parse({"--add", "1", "--add=2", "x"});
  REQUIRE(args);
  CHECK(args->values("--add") == std::vector<std::string>{"1", "2"});
  CHECK(args->words() == std::vector<std::string>{"x"});
}

TEST_CASE("cli arguments: words behind -- are operands") {
  const auto args = parse({"--", "--json"});
  REQUIRE(args);
  CHECK(args->words() == std::vector<std::string>{"--json"});
  CHECK_FALSE(args->has("--json"));
}

TEST_CASE("cli arguments: help needs no operands") {
  const auto args = parse({"--help"});
  REQUIRE(args);
  CHECK(args->help());
}

TEST_CASE("cli arguments: mistakes are refused with a reason") {
  CHECK(refusal({}) == "FILE is missing");
  CHECK(refusal({"a", "b", "c"}) == "one argument too many: c");
  CHECK(refusal({"a", "--jsno"}) == "there is no option --jsno; did you mean --json?");
  CHECK(refusal({"a", "--frobnicate=3"}) == "there is no option --frobnicate");
  CHECK(refusal({"a", "--mode", "three"}) == "--mode knows one|two, not three");
  CHECK(refusal({"a", "-o"}) == "--output needs a value: FILE");
  CHECK(refusal({"a", "--json=yes"}) == "--json takes no value");
  CHECK(refusal({"a", "-z"}) == "there is no option -z");
}

TEST_CASE("cli arguments: hostile words come back escaped in the refusal") {
  CHECK(refusal({"a", "--x\x1b]52;c;x\x07"}).find('\x1b') == std::string::npos);
}

TEST_CASE("cli suggest: slips are found and strangers are not") {
  const std::vector<std::string_view> names{"verify", "info", "ls", "export", "play"};
  CHECK(nearest("verfy", names) == "verify");
  CHECK(nearest("evrify", names) == "verify");
  CHECK(nearest("plya", names) == "play");
  CHECK(nearest("sl", names) == std::nullopt);
  CHECK(nearest("frobnicate", names) == std::nullopt);
  CHECK(nearest("", names) == std::nullopt);
  CHECK(nearest(std::string(100'000, 'x'), names) == std::nullopt);
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("abc", "acb") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
}
