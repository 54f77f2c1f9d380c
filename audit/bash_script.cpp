// SPDX-License-Identifier: Apache-2.0
#include "audit/bash_script.hpp"

#include <fmt/format.h>

namespace sworn::audit {
namespace {

// How it works, and why so:
//
// PS0 is expanded in the user's shell after a line was read and before it runs. Its parameter
// expansions with := can assign there without running a command, so no trap fires and nothing is
// traced. The one command substitution in it is the child that sends the line ("begin"), and whose
// process id orders the line among the shell's forks. Everything is wrapped into a pattern removal
// that always gives nothing, and into a test that gives nothing in shells below, should the user
// have exported PS0 or PS1.
//
// PROMPT_COMMAND gets one element in front of the user's own: it sends the status ("end") without a
// fork. Its output goes to /dev/null, which also hides what a DEBUG trap or xtrace would print for
// it.
//
// The text comes from the history list, which is exact. HISTCONTROL and HISTIGNORE would keep lines
// out of it: they are empty while a line is read, get their values back before it runs, and their
// rules are applied to it afterwards.
//
// Where PROMPT_COMMAND is read-only or exported (an array cannot be exported, and the shells below
// need it), the end comes from a command substitution in PS1 instead, and lines that HISTCONTROL or
// HISTIGNORE keep out of the history have no text.
//
// Functions are defined before any file of the user is read, so that no alias of his gets into
// them. Every command in them is a builtin by name: his functions do not get into them either.
//
// The lengths of these literals stay below what compilers must accept.
constexpr std::string_view k_functions = R"SWORN(
__sworn_z=z __sworn_open= __sworn_blank= __sworn_hc= __sworn_hi= __sworn_last= __sworn_ready=
__sworn_back[9990]=1
__sworn_bang='\!'
__sworn_pc='{ __sworn_prompt; } >/dev/null 2>&1'
__sworn_ps1='${__sworn_key:+${__sworn_z#[z"$((__sworn_last=${__sworn_bang@P}))$({ __sworn_ended; } >/dev/null 2>&1)"]}}'
__sworn_ps0='${__sworn_key:+${__sworn_z#[z"${__sworn_open:=1}${__sworn_hc:+${HISTCONTROL:=$__sworn_hc}}${__sworn_hi:+${HISTIGNORE:=$__sworn_hi}}$((__sworn_at=$({ __sworn_begin; } 3>&1 >/dev/null 2>&1)0))${__sworn_back[__sworn_at]:+${PROMPT_COMMAND[__sworn_at]:=$__sworn_pc}}"]}}'
__sworn_ps0_only='${__sworn_key:+${__sworn_z#[z"$({ __sworn_begin; } 3>&1 >/dev/null 2>&1)"]}}'

# In the child of PS0. Where somebody removed the prompt hook, it prints (a tenth of) a place to put it back.
__sworn_begin() {
  builtin set +xvueTE
  builtin trap - DEBUG ERR RETURN
  builtin local IFS=$' \t\n' h=${__sworn_bang@P} k
  if [[ "${PROMPT_COMMAND[*]}" != *__sworn_prompt* && ${PROMPT_COMMAND@a} != *[rx]* ]]; then
    builtin echo 999 >&3
  fi
  k=$((h - ${__sworn_last:-$((h - 1))}))
  if ((k > 1)) && builtin shopt -q cmdhist; then k=1; fi
  __sworn_line B "$k"
}

# Sends the last $2 lines of the history as a message of type $1.
__sworn_line() {
  builtin local k=$2
  if [[ ! -o history || ${HISTSIZE-} == 0 || $k -lt 0 ]]; then
    k=0
  fi
  {
    __sworn_head "$1" "$k"
    if [[ $k -gt 0 ]] && ! __sworn_history "$k"; then
      __sworn_pieces "$1" "$k"
    fi
    builtin printf '\0'
  } >&"$__sworn_fd"
}
__sworn_head() {
  builtin printf 'SW1\0%s\0%s\0%s\0%s\0%s\0%s\0' "$__sworn_key" "$1" "${EPOCHREALTIME-}" "$2" "$h" "$PWD"
}
# A read-only HISTTIMEFORMAT would print times in front of the lines.
__sworn_history() {
  if [[ ${HISTTIMEFORMAT@a} == *r* ]]; then
    builtin fc -ln -0 -0
  else
    HISTTIMEFORMAT= builtin history "$1"
  fi
}
# A line that is too long for one datagram: once more from the start, in pieces.
__sworn_pieces() {
  builtin local t n=0 LC_ALL=C IFS=
  __sworn_head "$1" "$2"
  __sworn_history "$2" >|"/proc/self/fd/$__sworn_mem"
  while builtin read -r -d "" -n 16384 t || [[ -n $t ]]; do
    builtin printf %s "$t"
    if ((++n == 70)); then builtin break; fi
  done <"/proc/self/fd/$__sworn_mem"
}

__sworn_end() {
  builtin printf 'SW1\0%s\0%s\0%s\0%s\0%s\0%s\0' "$__sworn_key" "$1" "${EPOCHREALTIME-}" "$2" "$3" "$PWD" >&"$__sworn_fd"
}

# In the child of PS1, where PROMPT_COMMAND is not ours to change.
__sworn_ended() {
  local s=$? p=("${PIPESTATUS[@]}") IFS=' '
  builtin set +xvueTE
  __sworn_end E "$s" "${p[*]}"
}

# The prompt hook. bash itself restores $? and PIPESTATUS for the next element.
__sworn_prompt() {
  local s=$? p=("${PIPESTATUS[@]}") IFS=' '
  builtin local -
  builtin set +xvueTE
  builtin local h=${__sworn_bang@P}
  __sworn_settle E
  if [[ -z $__sworn_ready ]]; then
    __sworn_prepare
  fi
  __sworn_arm
  builtin return 0
}

# Reports the end of a command, or a line that was read and never ran (a comment, a syntax error).
__sworn_settle() {
  if [[ -n $__sworn_open ]]; then
    __sworn_end "$1" "$s" "${p[*]}"
  elif [[ -n $__sworn_last && $h -gt $__sworn_last ]]; then
    local k=$((h - __sworn_last)) t=N
    if ((k > 1)) && builtin shopt -q cmdhist; then k=1; fi
    if [[ ${PS0-} != *"$__sworn_ps0"* ]]; then t=L; fi
    __sworn_line "$t" "$k"
    __sworn_end E "$s" "${p[*]}"
  fi
  if [[ -n $__sworn_blank ]]; then
    if [[ -z $__sworn_open ]]; then
      if [[ -n $__sworn_hc && -z ${HISTCONTROL-} ]]; then HISTCONTROL=$__sworn_hc; fi
      if [[ -n $__sworn_hi && -z ${HISTIGNORE-} ]]; then HISTIGNORE=$__sworn_hi; fi
    fi
    # Not superfluous: := does not tell bash's history code.
    if [[ -n $__sworn_hc ]]; then HISTCONTROL=${HISTCONTROL-}; fi
    if [[ -n $__sworn_hi ]]; then HISTIGNORE=${HISTIGNORE-}; fi
    if [[ -n $__sworn_last && -o history ]] && ((h == __sworn_last + 1)); then
      __sworn_sift
    fi
  fi
  __sworn_open= __sworn_blank=
}

# Applies the user's HISTCONTROL and HISTIGNORE to the last line, as bash would have.
__sworn_sift() {
  builtin local a i n t w HISTTIMEFORMAT=
  builtin history 2 >|"/proc/self/fd/$__sworn_mem"
  builtin mapfile -t a <"/proc/self/fd/$__sworn_mem"
  builtin printf -v n '%5d' "$h"
  w=$((${#n} + 2)) i=${#a[@]}
  while [[ $i -gt 0 ]]; do
    i=$((i - 1))
    if [[ ${a[i]} == "$n"[\ *]\ * ]]; then break; fi
  done
  builtin local IFS=$'\n'
  t="${a[*]:i}"
  t=${t:w}
  if [[ -n $__sworn_hi || :$__sworn_hc: == *:erasedups:* ]]; then
    builtin history -d -1
    builtin history -s -- "$t"
  elif [[ :$__sworn_hc: == *:ignore@(space|both):* && ${t:0:1} == ' ' ]]; then
    builtin history -d -1
  elif [[ $i -gt 0 && :$__sworn_hc: == *:ignore@(dups|both):* ]]; then
    n="${a[*]:0:i}"
    if [[ ${n:w} == "$t" ]]; then builtin history -d -1; fi
  fi
}

# Makes everything ready for the next line, whatever the user changed.
__sworn_arm() {
  __sworn_hc= __sworn_hi=
  if ! builtin shopt -q promptvars; then
    if [[ ${PS0@a} != *r* ]]; then PS0=${PS0/"$__sworn_ps0"}; fi
  elif [[ ${PROMPT_COMMAND@a} == *[rx]* || ${PS0@a} == *r* ]]; then
    __sworn_arm_prompts
  else
    __sworn_arm_hooks
  fi
  __sworn_last=${__sworn_bang@P}
  # bash gives 1 for the first line and for an empty list.
  if [[ $__sworn_last == 1 ]]; then
    builtin history 1 >|"/proc/self/fd/$__sworn_mem"
    if [[ ! -s /proc/self/fd/$__sworn_mem ]]; then __sworn_last=0; fi
  fi
}

__sworn_arm_prompts() {
  if [[ ${PS0@a} != *r* && ${PS0-} != *"$__sworn_ps0_only"* ]]; then
    PS0=$__sworn_ps0_only${PS0/"$__sworn_ps0"}
  fi
  if [[ ${PS1@a} != *r* && ${PS1-} != *"$__sworn_ps1"* ]]; then
    PS1=$__sworn_ps1${PS1-}
  fi
}

__sworn_arm_hooks() {
  if [[ ${PROMPT_COMMAND[0]-} != *__sworn_prompt* ]]; then
    local i c=()
    for i in "${PROMPT_COMMAND[@]}"; do
      if [[ $i != "$__sworn_pc" && -n $i ]]; then c+=("$i"); fi
    done
    PROMPT_COMMAND=("$__sworn_pc" "${c[@]}")
  fi
  if [[ ${PS0-} != *"$__sworn_ps0"* ]]; then
    PS0=$__sworn_ps0${PS0-}
  fi
  if builtin shopt -q cmdhist && [[ ${HISTTIMEFORMAT@a} != *r* ]]; then
    if [[ -n ${HISTCONTROL-} && ${HISTCONTROL@a} != *r* ]]; then
      __sworn_hc=$HISTCONTROL __sworn_blank=1 HISTCONTROL=
    fi
    if [[ -n ${HISTIGNORE-} && ${HISTIGNORE@a} != *r* ]]; then
      __sworn_hi=$HISTIGNORE __sworn_blank=1 HISTIGNORE=
    fi
  fi
}

__sworn_exit() {
  local s=$? p=("${PIPESTATUS[@]}") IFS=' '
  builtin set +xvueTE
  builtin local h=${__sworn_bang@P}
  p=()
  __sworn_settle X
}

# Gives descriptor $1 a close-on-exec copy under the number $2: bash cannot set the flag, but it sets it on
# the copy that it saves during a redirection, and hands it on from there.
__sworn_private() {
  builtin eval "exec $2>&$1; { __sworn_find $1 $2; } $1>/dev/null; exec $1>&-"
}
__sworn_find() {
  builtin local i
  for i in {10..60}; do
    if [[ $i != "$1" && $i != "$2" && /proc/self/fd/$i -ef /proc/self/fd/$2 ]]; then
      builtin eval "exec $2>&$i"
      builtin return
    fi
  done
}

__sworn_prepare() {
  __sworn_ready=1
  __sworn_private "$__sworn_fd" "$__sworn_fd2" && __sworn_fd=$__sworn_fd2
  __sworn_private "$__sworn_mem" "$__sworn_mem2" && __sworn_mem=$__sworn_mem2
  builtin unset -v __sworn_fd2 __sworn_mem2
  if [[ -z $(builtin trap -p EXIT) ]]; then
    builtin trap '{ __sworn_exit; } >/dev/null 2>&1' EXIT
  fi
  __sworn_end H bash "$BASH_VERSION"
}

__sworn_install() {
  builtin local s=$1 IFS=$' \t\n' e=$-
  builtin local -
  builtin set +xvueTE
  if [[ -n $__sworn_key ]]; then
    __sworn_prepare
    __sworn_arm
    __sworn_last=
  fi
  if [[ $e == *e* ]]; then s=0; fi
  builtin return "$s"
}
)SWORN";

constexpr std::string_view k_start = R"SWORN(
if ((BASH_VERSINFO[0] < 5 || BASH_VERSINFO[0] == 5 && BASH_VERSINFO[1] < 1)); then
  builtin printf 'SW1\0%s\0H\0\0bash-old\0%s\0%s\0' "$__sworn_key" "$BASH_VERSION" "$PWD" >&"$__sworn_fd"
  builtin eval "exec $__sworn_fd>&- $__sworn_mem>&-"
  __sworn_key=
else
  PS0=$__sworn_ps0${PS0-}
fi
{

  if [[ -n $__sworn_posix ]]; then
    if [[ -n ${ENV-} ]]; then builtin eval "builtin . \"$ENV\""; fi
  elif builtin shopt -q login_shell; then
    if [[ -z $__sworn_noprofile ]]; then
      if [[ -r /etc/profile ]]; then builtin . /etc/profile; fi
      if [[ -r ~/.bash_profile ]]; then
        builtin . ~/.bash_profile
      elif [[ -r ~/.bash_login ]]; then
        builtin . ~/.bash_login
      elif [[ -r ~/.profile ]]; then
        builtin . ~/.profile
      fi
    fi
  elif [[ -z $__sworn_norc ]]; then
    if [[ -r /etc/bash.bashrc ]]; then builtin . /etc/bash.bashrc; fi
    if [[ -r $__sworn_rcfile ]]; then builtin . "$__sworn_rcfile"; fi
  fi
  { __sworn_install "$?" ""; } >/dev/null 2>&1
}
)SWORN";

}  // namespace

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string bash_script(const BashScriptOptions& options) {
  auto out = fmt::format(
      "__sworn_key={} __sworn_fd={} __sworn_mem={} __sworn_fd2={} __sworn_mem2={}\n"
      "__sworn_posix={} __sworn_norc={} __sworn_noprofile={}\n",
      options.key, options.socket_fd, options.memory_fd, options.socket_copy_fd,
      options.memory_copy_fd, options.keep_posix ? "1" : "", options.no_rc ? "1" : "",
      options.no_profile ? "1" : "");
  if (!options.keep_posix) {
    out += "builtin set +o posix\n";
    if (!options.keep_inherit_errexit) {
      out += "builtin shopt -u inherit_errexit\n";
    }
    if (!options.had_histfile) {  // POSIX mode would have chosen ~/.sh_history
      out += "HISTFILE=~/.bash_history\n";
    }
  }
  if (options.had_env) {
    out += fmt::format("builtin export ENV={}\n", shell_quoted(options.env));
  } else {
    out += "builtin unset -v ENV\n";
  }
  out += fmt::format("__sworn_rcfile={}\n",
                     options.has_rc_file ? shell_quoted(options.rc_file) : "~/.bashrc");
  out += k_functions;
  if (!options.keep_posix) {
    out += options.functions;
  }
  out += k_start;
  return out;
}

}  // namespace sworn::audit
