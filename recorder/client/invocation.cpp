// SPDX-License-Identifier: Apache-2.0
#include "recorder/client/invocation.hpp"

#include <string_view>

namespace sworn::recorder::client {
namespace {

std::string base_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

// sworn-login --rec [--profile] [--login] [--reason TEXT] [--ticket TEXT] [--] [COMMAND...]
void read_rec(const std::vector<std::string>& argv, Invocation& out) {
  out.entry = host::Entry::rec;
  std::size_t i = 2;
  for (; i < argv.size(); ++i) {
    const std::string& word = argv[i];
    if (word == "--") {
      ++i;
      break;
    }
    if (word == "--profile") {
      out.entry = host::Entry::profile;
    } else if (word == "--login") {
      out.login = true;
    } else if ((word == "--reason" || word == "--ticket") && i + 1 < argv.size()) {
      (word == "--reason" ? out.reason : out.ticket) = argv[++i];
    } else if (word.starts_with('-')) {
      out.problem = "there is no option " + word;
      return;
    } else {
      break;
    }
  }
  out.command.assign(argv.begin() + static_cast<std::ptrdiff_t>(i), argv.end());
}

bool is_client(const std::string& word, const std::string& own_path) {
  return word == own_path || word == base_name(own_path);
}

}  // namespace

Invocation read_invocation(const std::vector<std::string>& argv, const char* original_command,
                           const std::string& own_path) {
  Invocation out;
  if (argv.size() > 1 && argv[1] == "--rec") {
    read_rec(argv, out);
    return out;
  }
  out.login = !argv.empty() && argv[0].starts_with('-');
  std::vector<std::string> rest(argv.begin() + (argv.empty() ? 0 : 1), argv.end());
  const bool forced =
      rest.empty() || (rest.size() == 2 && rest[0] == "-c" && is_client(rest[1], own_path));
  if (forced && original_command != nullptr) {
    out.entry = host::Entry::command;
    out.arguments = {"-c", original_command};
    return out;
  }
  if (forced) {
    out.login = out.login || !rest.empty();
    return out;
  }
  for (const auto& word : rest) {
    if (word == "-c") {
      out.entry = host::Entry::command;
    }
    if (!word.starts_with('-')) {
      break;
    }
  }
  out.arguments = std::move(rest);
  return out;
}

std::vector<std::string> shell_argv(const Invocation& invocation, const std::string& shell) {
  std::vector<std::string> out{(invocation.login ? "-" : "") + base_name(shell)};
  out.insert(out.end(), invocation.arguments.begin(), invocation.arguments.end());
  return out;
}

}  // namespace sworn::recorder::client
