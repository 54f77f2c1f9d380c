// SPDX-License-Identifier: Apache-2.0
#include "cli/dispatch.hpp"

#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/keys_at_hand.hpp"
#include "cli/message.hpp"
#include "cli/suggest.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <vector>

namespace sworn::cli {
namespace {

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int unknown_command(const std::string& word) {
  std::vector<std::string_view> names;
  for (const auto* command : commands()) {
    if (!command->hidden) {
      names.push_back(command->name);
    }
  }
  const auto near = nearest(word, names);
  const std::string kind = word.starts_with("-") ? "option" : "command";
  return complain(
      "", {fmt::format("there is no {} {}", kind, word),
           near ? fmt::format("did you mean {}?", *near) : "it is not in the table of commands",
           near ? fmt::format("sworn help {}", *near) : "sworn help"});
}

int run(const Command& command, std::span<const std::string> words) {
  const auto args = Arguments::parse(command, words);
  if (!args) {
    return complain_usage(command.name, args.error().context);
  }
  if (args->help()) {
    print(render_help(command));
    return k_exit_ok;
  }
  if (const int status = take_keys(*args); status != k_exit_ok) {
    return status;
  }
  return command.run(*args);
}

// Output that could not be written (a full disk behind a redirection) must not look like success.
int check_stdout(int status) {
  errno = 0;
  if ((std::fflush(stdout) != 0 || std::ferror(stdout) != 0) && status == k_exit_ok) {
    const int sys = errno;
    return complain("", {"the output could not be written", describe({Errc::io, sys, "stdout"}),
                         "check where the output goes"});
  }
  return status;
}

}  // namespace

int dispatch(std::span<const std::string> words) {
  if (words.empty()) {
    std::fputs(render_overview().c_str(), stderr);
    return k_exit_failure;
  }
  const auto& first = words[0];
  if (first == "--help" || first == "-h") {
    print(render_overview());
    return check_stdout(k_exit_ok);
  }
  if (first == "--version" || first == "-V") {
    print(render_version());
    return check_stdout(k_exit_ok);
  }
  const auto* command = find_command(first);
  return command == nullptr ? unknown_command(first)
                            : check_stdout(run(*command, words.subspan(1)));
}

}  // namespace sworn::cli
