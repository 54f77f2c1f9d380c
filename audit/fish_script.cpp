// SPDX-License-Identifier: Apache-2.0
#include "audit/fish_script.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>

namespace sworn::audit {
namespace {

// No times: fish has none without a fork, and a datagram arrives within microseconds. fish cannot
// close descriptors: its programs inherit the socket, and the memory file, which is wiped when the
// shell has said hello.
constexpr std::string_view k_functions = R"SWORN(
function __sworn_preexec --on-event fish_preexec
    set -l line "$argv[1]"
    set -g __sworn_open 1
    # Longer ones do not fit into a datagram: they are sent in pieces, which are joined again.
    builtin printf 'SW1\0%s\0B\0\0raw\x000\0%s\0' $__sworn_key "$PWD" >&SOCKET
    while test (builtin string length -- "$line") -gt 20000
        builtin printf '%s' (builtin string sub -l 20000 -- "$line" | builtin string collect -N) >&SOCKET
        set line (builtin string sub -s 20001 -- "$line" | builtin string collect -N)
    end
    builtin printf '%s\0' "$line" >&SOCKET
end
function __sworn_postexec --on-event fish_postexec
    set -l s $status $pipestatus
    if set -q __sworn_open
        set -e __sworn_open
        builtin printf 'SW1\0%s\0E\0\0%s\0%s\0%s\0' $__sworn_key $s[1] "$s[2..]" "$PWD" >&SOCKET
    end
end
function __sworn_exit --on-event fish_exit
    set -l s $status
    if set -q __sworn_open
        set -e __sworn_open
        builtin printf 'SW1\0%s\0X\0\0%s\0\0%s\0' $__sworn_key $s "$PWD" >&SOCKET
    end
end
if status is-interactive
    builtin printf 'SW1\0%s\0H\0\0fish\0%s\0%s\0' $__sworn_key $version "$PWD" >&SOCKET
end
)SWORN";

}  // namespace

FishStart read_fish_start(const std::vector<std::string>& argv) {
  constexpr std::array<std::string_view, 10> k_with_value{
      "-C", "--init-command", "-d", "--debug",  "-o", "--debug-output",
      "-f", "--features",     "-p", "--profile"};
  FishStart start;
  std::size_t at = 1;
  while (at < argv.size() && argv[at].size() >= 2 && argv[at].front() == '-') {
    const std::string_view word = argv[at++];
    if (word == "--") {
      break;
    }
    for (const auto option : k_with_value) {
      at += word == option ? 1U : 0U;
    }
    const bool is_short = word[1] != '-';
    if (word.starts_with("--command") || word == "--version" || word == "--help" ||
        word == "--no-execute" ||
        (is_short && word.find_first_of("cvhn", 1) != std::string_view::npos)) {
      start.reason = "not_interactive";
      return start;
    }
  }
  if (at < argv.size()) {
    start.reason = "not_interactive";  // a script
    return start;
  }
  start.hookable = true;
  return start;
}

std::string fish_script(const FishScriptOptions& options) {
  auto out = fmt::format("set -g __sworn_key {}\n", options.key);
  std::string_view rest = k_functions;
  constexpr std::string_view k_mark = "SOCKET";
  for (auto at = rest.find(k_mark); at != std::string_view::npos; at = rest.find(k_mark)) {
    out += rest.substr(0, at);
    out += std::to_string(options.socket_fd);
    rest.remove_prefix(at + k_mark.size());
  }
  out += rest;
  return out;
}

}  // namespace sworn::audit
