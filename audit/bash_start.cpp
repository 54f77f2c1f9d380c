// SPDX-License-Identifier: Apache-2.0
#include "audit/bash_start.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::audit {
namespace {

constexpr std::string_view k_function_prefix = "BASH_FUNC_";
constexpr std::string_view k_function_suffix = "%%";

bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto end = std::min(list.find(':'), list.size());
    if (list.substr(0, end) == word) {
      return true;
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

bool is_identifier(std::string_view name) {
  const auto word = [](char c) {
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), word);
}

// A function from the environment with a name such as "log-it"; empty for everything else.
std::string_view odd_function_name(std::string_view entry) {
  constexpr std::string_view k_harmless =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:.+@";
  const auto equals = entry.find('=');
  auto name = entry.substr(0, equals);
  if (equals == std::string_view::npos || !name.starts_with(k_function_prefix) ||
      !name.ends_with(k_function_suffix) || !entry.substr(equals + 1).starts_with("() {")) {
    return {};
  }
  name.remove_prefix(k_function_prefix.size());
  name.remove_suffix(std::min(name.size(), k_function_suffix.size()));
  if (name.empty() || is_identifier(name) || name.front() == '-' ||
      name.find_first_not_of(k_harmless) != std::string_view::npos) {
    return {};
  }
  return name;
}

class OptionReader {
 public:
  OptionReader(const std::vector<std::string>& argv, BashStart& start)
      : argv_(argv), start_(start) {}

  void read() {
    while (at_ < argv_.size() && is_option(argv_[at_]) && start_.reason.empty()) {
      const auto& word = argv_[at_++];
      if (word == "-" || word == "--") {
        break;
      }
      if (!long_option(word)) {
        short_options(word);
      }
    }
    if (start_.reason.empty() && at_ < argv_.size() && !reads_stdin_) {
      start_.reason = "not_interactive";  // a script
    }
  }

 private:
  static bool is_option(std::string_view word) {
    return word.size() >= 2 ? word.front() == '-' || word.front() == '+' : word == "-";
  }

  bool long_option(std::string_view word) {  // bash takes one dash as well as two
    if (word.front() != '-') {
      return false;
    }
    word.remove_prefix(word.starts_with("--") ? 2 : 1);
    auto& options = start_.options;
    if (word == "rcfile" || word == "init-file") {
      if (at_ < argv_.size()) {
        options.has_rc_file = true;
        options.rc_file = argv_[at_++];
      } else {
        start_.reason = "not_interactive";  // bash will complain and end
      }
    } else if (word == "norc") {
      options.no_rc = true;
    } else if (word == "noprofile") {
      options.no_profile = true;
    } else if (word == "posix") {
      options.keep_posix = true;
    } else if (word == "restricted") {
      start_.reason = "restricted";
    } else if (word == "login" || word == "noediting" || word == "verbose" || word == "protected") {
      return true;
    } else {
      constexpr std::array<std::string_view, 7> k_no_shell{
          "help",         "version", "dump-strings", "dump-po-strings",
          "pretty-print", "wordexp", "debugger"};
      if (std::find(k_no_shell.begin(), k_no_shell.end(), word) == k_no_shell.end()) {
        return false;
      }
      start_.reason = "not_interactive";
    }
    return true;
  }

  void short_options(std::string_view word) {
    const bool on = word.front() == '-';
    for (const char c : word.substr(1)) {
      if (c == 'c' && on) {
        start_.reason = "not_interactive";
      } else if (c == 'r' && on) {
        start_.reason = "restricted";
      } else if (c == 'p' && on) {
        start_.reason = "privileged";  // reads no start-up file, ours neither
      } else if (c == 's' && on) {
        reads_stdin_ = true;
      } else if ((c == 'o' || c == 'O') && at_ < argv_.size()) {
        const auto& name = argv_[at_++];
        start_.options.keep_posix |= c == 'o' && on && name == "posix";
        start_.options.keep_inherit_errexit |= c == 'O' && on && name == "inherit_errexit";
      }
    }
  }

  const std::vector<std::string>& argv_;
  BashStart& start_;
  std::size_t at_ = 1;
  bool reads_stdin_ = false;
};

}  // namespace

const char* environment_value(const std::vector<std::string>& environment, std::string_view name) {
  for (const auto& entry : environment) {
    if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
      return entry.c_str() + name.size() + 1;
    }
  }
  return nullptr;
}

void drop_odd_functions(std::vector<std::string>& environment) {
  environment.erase(
      std::remove_if(environment.begin(), environment.end(),
                     [](const auto& entry) { return !odd_function_name(entry).empty(); }),
      environment.end());
}

BashStart read_bash_start(const std::vector<std::string>& argv,
                          const std::vector<std::string>& environment) {
  BashStart start;
  OptionReader(argv, start).read();
  if (!start.reason.empty()) {
    return start;
  }
  auto& options = start.options;
  if (environment_value(environment, "POSIXLY_CORRECT") != nullptr) {
    options.keep_posix = true;
  }
  if (const auto* set = environment_value(environment, "SHELLOPTS"); set != nullptr) {
    options.keep_posix |= has_word(set, "posix");
  }
  if (const auto* set = environment_value(environment, "BASHOPTS"); set != nullptr) {
    options.keep_inherit_errexit |= has_word(set, "inherit_errexit");
  }
  options.had_histfile = environment_value(environment, "HISTFILE") != nullptr;
  if (const auto* env = environment_value(environment, "ENV"); env != nullptr) {
    options.had_env = true;
    options.env = env;
  }
  for (const std::string_view entry : environment) {
    if (const auto name = odd_function_name(entry); !name.empty()) {
      options.functions += fmt::format("{} {}\nbuiltin export -f {}\n", name,
                                       entry.substr(entry.find('=') + 1), name);
    }
  }
  start.hookable = true;
  return start;
}

}  // namespace sworn::audit
