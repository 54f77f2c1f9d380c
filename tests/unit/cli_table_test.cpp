// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

using namespace sworn::cli;

TEST_CASE("cli table: names are unique and every command explains itself") {
  std::set<std::string_view> names;
  for (const auto* command : commands()) {
    CAPTURE(command->name);
    CHECK(names.insert(command->name).second);
    CHECK(find_command(command->name) == command);
    CHECK_FALSE(command->summary.empty());
    CHECK_FALSE(command->summary.ends_with('.'));
    CHECK(command->summary.size() <= 64);
    CHECK_FALSE(command->usage.empty());
    CHECK_FALSE(command->exits.empty());
    const bool runs = command->run != nullptr;  // doctest cannot print function pointers
    CHECK(runs);
    if (!command->hidden) {
      CHECK_FALSE(command->examples.empty());
    }
  }
}

TEST_CASE("cli table: options are well formed and appear in the usage") {
  for (const auto* command : commands()) {
    std::set<std::string_view> flags;
    for (const auto& option : command->options) {
      CAPTURE(command->name);
      CAPTURE(option.flags);
      CHECK(long_name(option).starts_with("--"));
      CHECK(flags.insert(long_name(option)).second);
      CHECK((option.kind == ValueKind::none) == option.value.empty());
      CHECK_FALSE(option.help.empty());
      if (!option.hidden && command->usage.find("[OPTIONS]") == std::string_view::npos) {
        const auto first = option.flags.substr(0, option.flags.find(','));
        const bool shown = command->usage.find(first) != std::string_view::npos ||
                           command->usage.find(long_name(option)) != std::string_view::npos;
        CHECK(shown);
      }
    }
  }
}

TEST_CASE("cli help: no line is wider than a terminal") {
  std::string all = render_overview();
  for (const auto* command : commands()) {
    all += render_help(*command);
  }
  std::size_t begin = 0;
  while (begin < all.size()) {
    const auto end = all.find('\n', begin);
    const auto line = all.substr(begin, end - begin);
    CAPTURE(line);
    CHECK(line.size() <= 96);
    begin = end + 1;
  }
}

TEST_CASE("cli help: says every option and every exit status") {
  for (const auto* command : commands()) {
    const auto text = render_help(*command);
    CAPTURE(text);
    for (const auto& option : command->options) {
      CHECK((text.find(long_name(option)) != std::string::npos) == !option.hidden);
    }
    for (const auto& exit : command->exits) {
      CHECK(text.find("\n  " + std::string(exit.status)) != std::string::npos);
    }
  }
}

TEST_CASE("cli completion: knows every visible command and option") {
  const auto script = render_bash_completion();
  for (const auto* command : commands()) {
    CAPTURE(command->name);
    const bool listed =
        script.find("\n    " + std::string(command->name) + ")\n") != std::string::npos;
    CHECK(listed == !command->hidden);
    for (const auto& option : command->options) {
      if (!option.hidden) {
        CHECK(script.find(long_name(option)) != std::string::npos);
      }
    }
  }
}
