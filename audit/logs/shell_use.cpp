// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/entry_list.hpp"

#include <algorithm>
#include <array>

namespace sworn::audit::logs {
namespace {

constexpr std::array<std::string_view, 12> k_shells{"sh",  "bash", "rbash", "dash", "zsh", "fish",
                                                    "ksh", "mksh", "tcsh",  "csh",  "ash", "yash"};
constexpr std::array<std::string_view, 7> k_interpreters{"python", "perl", "ruby", "node",
                                                         "php",    "lua",  "tclsh"};

bool is_shell(std::string_view name) {
  return std::find(k_shells.begin(), k_shells.end(), name) != k_shells.end();
}

// "python3.11" as well.
bool is_interpreter(std::string_view name) {
  return std::any_of(k_interpreters.begin(), k_interpreters.end(), [&](std::string_view each) {
    return name.starts_with(each) &&
           name.find_first_not_of("0123456789.", each.size()) == std::string_view::npos;
  });
}

bool takes_a_word(std::string_view option) {
  return option == "-o" || option == "-O" || option == "+o" || option == "+O" ||
         option == "--rcfile" || option == "--init-file" || option == "-W" || option == "-X";
}

}  // namespace

std::string_view base_name(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

ShellUse shell_use(const ExecFact& exec) {
  // The name under which it was asked for, or that of the program behind it (busybox, a copy).
  auto name = base_name(exec.file);
  const bool shell = is_shell(name) || is_shell(base_name(exec.exe));
  if (!shell && !is_interpreter(name) && !is_interpreter(base_name(exec.exe))) {
    return ShellUse::none;
  }
  if (exec.file != exec.exe && !exec.file.empty() && !is_shell(name) && !is_interpreter(name)) {
    return ShellUse::script;  // "#!"
  }
  const std::string_view string_options = shell ? "c" : "cmeEr";
  bool reads_input = false;
  for (std::size_t i = 1; i < exec.argv.size(); ++i) {
    const std::string_view word = exec.argv[i];
    if (word == "-" || word == "--") {
      if (i + 1 < exec.argv.size() && !reads_input) {
        return ShellUse::script;
      }
      break;
    }
    if (word.size() < 2 || (word.front() != '-' && word.front() != '+')) {
      if (!reads_input) {
        return ShellUse::script;
      }
      break;
    }
    const bool is_long = word.starts_with("--");
    if (!is_long && word.front() == '-' &&
        word.find_first_of(string_options, 1) != std::string_view::npos) {
      return ShellUse::command_string;
    }
    reads_input = reads_input || (shell && !is_long && word.find('s') != std::string_view::npos);
    if (takes_a_word(word)) {
      ++i;
    }
  }
  const bool typed = exec.input.empty() ? !exec.tty.empty() : exec.input == "tty";
  return typed ? ShellUse::interactive : ShellUse::from_input;
}

}  // namespace sworn::audit::logs
