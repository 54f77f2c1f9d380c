// SPDX-License-Identifier: Apache-2.0
#include "audit/zsh_script.hpp"

#include "audit/bash_script.hpp"
#include "audit/bash_start.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace sworn::audit {
namespace {

// How it works, and why so:
//
// preexec gets the line as it was typed, before it runs and whatever HIST_IGNORE_SPACE and the like
// keep out of the history; precmd sees its status. Both send one datagram, with one system call and
// no fork. The functions are defined before any file of the user is read, so that no alias of his
// gets into them; every command in them is a builtin by name, under options of their own. Their
// errors and traces go to /dev/null.
//
// Start-up files that assign precmd_functions or preexec_functions throw the hooks out. The history
// hook runs before preexec and puts both back; so does each of them for the other two.
//
// zsh has no way to mark a descriptor close-on-exec that it did not open: programs started from the
// shell inherit the socket. Without the key, which is wiped from the memory file when the shell has
// said hello, nothing that they write there is believed.
constexpr std::string_view k_functions = R"SWORN(
__sworn_send() {
  builtin emulate -L zsh
  builtin local t=$EPOCHREALTIME m
  m=$'SW1\0'$__sworn_key$'\0'$1$'\0'${t[1,17]}$'\0'$2$'\0'$3$'\0'$PWD$'\0'
  if (( $# > 3 )); then m+=$4$'\0'; fi
  # More than a datagram takes is sent in pieces, which are joined again.
  builtin setopt no_multibyte
  while (( $#m > 100000 )); do
    builtin syswrite -o $__sworn_fd -- "${m[1,100000]}"
    m=${m[100001,-1]}
  done
  builtin syswrite -o $__sworn_fd -- "$m"
} 2>/dev/null
__sworn_arm() {
  builtin emulate -L zsh
  if [[ ${precmd_functions[1]-} != __sworn_precmd ]]; then
    precmd_functions=(__sworn_precmd ${precmd_functions:#__sworn_precmd})
  fi
  if [[ ${preexec_functions[(r)__sworn_preexec]-} != __sworn_preexec ]]; then
    preexec_functions+=(__sworn_preexec)
  fi
  if [[ ${zshaddhistory_functions[(r)__sworn_history]-} != __sworn_history ]]; then
    zshaddhistory_functions+=(__sworn_history)
  fi
  if [[ ${zshexit_functions[(r)__sworn_exit]-} != __sworn_exit ]]; then
    zshexit_functions+=(__sworn_exit)
  fi
  builtin return 0
} 2>/dev/null
__sworn_preexec() {
  __sworn_open=1
  __sworn_arm
  if [[ -n $1 ]]; then
    __sworn_send B raw 0 "$1"
  else
    __sworn_send B raw 0 "${3-}"
  fi
} 2>/dev/null
__sworn_precmd() {
  __sworn_status=($? "${pipestatus[@]}")
  builtin emulate -L zsh
  if [[ -z $__sworn_hello ]]; then
    __sworn_hello=1
    __sworn_send H zsh "$ZSH_VERSION"
  fi
  __sworn_arm
  if [[ -n $__sworn_open ]]; then
    __sworn_open=
    __sworn_send E "$__sworn_status[1]" "${(j: :)__sworn_status[2,-1]}"
  fi
  builtin return 0
} 2>/dev/null
__sworn_history() {
  __sworn_arm
  builtin return 0
} 2>/dev/null
__sworn_exit() {
  builtin local s=$?
  if (( ZSH_SUBSHELL == 0 )) && [[ -n $__sworn_open ]]; then
    __sworn_open=
    __sworn_send X "$s" ""
  fi
} 2>/dev/null
)SWORN";

constexpr std::string_view k_start = R"SWORN(
if builtin zmodload zsh/datetime zsh/system 2>/dev/null && [[ -o interactive ]]; then
  builtin typeset -g __sworn_open= __sworn_hello=
  builtin typeset -ga __sworn_status precmd_functions preexec_functions zshaddhistory_functions zshexit_functions
  __sworn_arm
fi
if [[ -r ${ZDOTDIR-$HOME}/.zshenv ]]; then
  builtin source ${ZDOTDIR-$HOME}/.zshenv
fi
)SWORN";

}  // namespace

ZshStart read_zsh_start(const std::vector<std::string>& argv,
                        const std::vector<std::string>& environment) {
  ZshStart start;
  std::size_t at = 1;
  bool reads_stdin = false;
  while (at < argv.size() && argv[at].size() >= 2 &&
         (argv[at].front() == '-' || argv[at].front() == '+') && start.reason.empty()) {
    const std::string_view word = argv[at++];
    if (word == "--") {
      break;
    }
    if (word == "--version" || word == "--help" || word == "--emulate") {
      start.reason = "not_interactive";
    } else if (word.starts_with("--")) {
      if (word == "--no-rcs" || word == "--norcs") {
        start.reason = "no_rc";
      }
    } else {
      for (const char c : word.substr(1)) {
        if (c == 'c' && word.front() == '-') {
          start.reason = "not_interactive";
        } else if (c == 'f' && word.front() == '-') {
          start.reason = "no_rc";  // reads no .zshenv
        } else if (c == 'p' && word.front() == '-') {
          start.reason = "privileged";
        } else if (c == 's' && word.front() == '-') {
          reads_stdin = true;
        } else if (c == 'o' && at < argv.size()) {
          std::string name = argv[at++];
          std::erase(name, '_');
          std::transform(name.begin(), name.end(), name.begin(),
                         [](unsigned char x) { return static_cast<char>(std::tolower(x)); });
          if ((word.front() == '-' && (name == "norcs" || name == "privileged")) ||
              (word.front() == '+' && name == "rcs")) {
            start.reason = "no_rc";
          }
        }
      }
    }
  }
  if (start.reason.empty() && at < argv.size() && !reads_stdin) {
    start.reason = "not_interactive";  // a script
  }
  if (!start.reason.empty()) {
    return start;
  }
  if (const auto* set = environment_value(environment, "ZDOTDIR"); set != nullptr) {
    start.options.had_zdotdir = true;
    start.options.zdotdir = set;
  }
  start.hookable = true;
  return start;
}

std::string zsh_script(const ZshScriptOptions& options) {
  auto out = fmt::format("builtin typeset -g __sworn_key={} __sworn_fd={}\n", options.key,
                         options.socket_fd);
  out += options.had_zdotdir
             ? fmt::format("builtin export ZDOTDIR={}\n", shell_quoted(options.zdotdir))
             : "builtin unset ZDOTDIR\n";
  out += k_functions;
  out += k_start;
  return out;
}

}  // namespace sworn::audit
