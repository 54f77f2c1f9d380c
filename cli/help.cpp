// SPDX-License-Identifier: Apache-2.0
#include "cli/help.hpp"

#include "base/version.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sworn::cli {
namespace {

constexpr std::size_t k_width = 80;

// A left column of `width` and a wrapped right one.
std::string two_columns(std::string_view left, std::string_view right, std::size_t width) {
  auto text = wrap(right, width, k_width);
  if (left.size() + 2 < width) {
    text.replace(0, left.size() + 2, "  " + std::string(left));
    return text;
  }
  return "  " + std::string(left) + "\n" + text;
}

std::string option_label(const Option& option) {
  std::string label;
  for (const char c : option.flags) {
    label += c;
    if (c == ',') {
      label += ' ';
    }
  }
  if (!option.flags.starts_with("-") || option.flags.starts_with("--")) {
    label.insert(0, "    ");
  }
  return option.kind == ValueKind::none ? label : fmt::format("{}={}", label, option.value);
}

}  // namespace

std::string render_overview() {
  std::string text =
      "sworn records terminal sessions in sealed files and replays them.\n\n"
      "usage: sworn COMMAND [ARGUMENTS]\n\ncommands:\n";
  for (const auto* command : commands()) {
    if (!command->hidden) {
      text += two_columns(command->name, command->summary, 14);
    }
  }
  text +=
      "\nsworn COMMAND --help (or sworn help COMMAND) says more; sworn --version names this "
      "build.\n"
      "Times are seconds from the start (12.5, 1:02:03), RFC 3339, \"cmd N\" or \"event N\".\n";
  return text;
}

std::string render_help(const Command& command) {
  std::string text = fmt::format("sworn {}: {}\n\nusage: sworn {} {}\n", command.name,
                                 command.summary, command.name, command.usage);
  if (!command.details.empty()) {
    text += "\n" + wrap(command.details, 0, k_width);
  }
  text += "\noptions:\n";
  for (const auto& option : command.options) {
    if (!option.hidden) {
      text += two_columns(option_label(option), option.help, 28);
    }
  }
  text += two_columns("-h, --help", "this text", 28);
  if (!key_options(command).empty()) {
    text += "\nencrypted recordings:\n";
    for (const auto& option : key_options(command)) {
      text += two_columns(option_label(option), option.help, 28);
    }
  }
  if (!command.examples.empty()) {
    text += "\nexamples:\n";
    for (const auto& example : command.examples) {
      text += fmt::format("  {}\n{}", example.line, wrap(example.meaning, 6, k_width));
    }
  }
  text += "\nexit status:\n";
  for (const auto& exit : command.exits) {
    text += two_columns(exit.status, exit.meaning, 8);
  }
  return text;
}

std::string render_version() {
  return fmt::format("sworn {}\n", k_version);
}

}  // namespace sworn::cli
