// SPDX-License-Identifier: Apache-2.0
#include "audit/alert/alert_rules.hpp"

namespace sworn::audit::alert {
namespace {

// Each rule has a recording of its attack among the tests, and ordinary work that it must not
// mistake for one. Patterns look at what is asked for, not at who asks: a site narrows them with
// user, not_user and unless.
constexpr std::string_view k_rules =
    R"TOML(# The rules that sworn ships with. Copy them to change them.

[[rule]]
name = "log-deletion"
severity = "high"
about = "log files removed, emptied or overwritten"
command = [
  '\b(rm|shred|unlink|truncate)\b[^|;&]*(/var/log/|/var/spool/rsyslog|\.journal\b)',
  '>\s*/var/log/\S+',
  '\bcp\s+/dev/null\s+/var/log/',
  '\bln\s+-s\S*\s+/dev/null\s+/var/log/',
  '\bjournalctl\b.*--(vacuum-(size|time|files)=?\s*[01]?(s|m|B|K|M)?\b|rotate.*--vacuum)',
  '\bsed\s+(-\S*i\S*|--in-place\S*)\s.*/var/log/',
]
exec = [
  '^(\S*/)?(rm|shred|unlink|truncate) .*(/var/log/|\.journal\b)',
]
unless = ['/var/log/apt/\S*\.tmp', '--help']

[[rule]]
name = "history-clearing"
severity = "high"
about = "the shell's history switched off, cleared or removed"
command = [
  '\bhistory\s+-(c|w?c|d)\b',
  '\bunset\s+HIST(FILE|SIZE|FILESIZE)\b',
  '\b(export\s+)?HISTFILE=(/dev/null|\s|;|$|"")',
  '\b(export\s+)?HIST(SIZE|FILESIZE)=0\b',
  '\bset\s+\+o\s+history\b',
  '\b(rm|shred|truncate|ln)\b[^|;&]*\.(bash|zsh|sh|ash)_history\b',
  '>\s*~?\S*\.(bash|zsh|sh)_history\b',
  '\bfish_history\b.*(clear|delete)|\bhistory\s+(clear|delete)\b',
]

[[rule]]
name = "account-files"
severity = "high"
about = "password, group or sudo rules written by hand"
command = [
  '\b(vi|vim|nano|emacs|ed|sed\s+(-\S*i\S*|--in-place\S*)|tee|cp|mv|install|dd)\b[^|;&]*\s(\S*of=)?/etc/(shadow|gshadow|passwd|group|sudoers)\b',
  '>\s*/etc/(shadow|gshadow|passwd|group|sudoers)\b',
  '>\s*/etc/sudoers\.d/',
  '\b(tee|cp|mv|install)\b[^|;&]*\s/etc/sudoers\.d/',
  '\buseradd\b.*\s(-o\b.*-u\s*0|-u\s*0\b.*-o)\b',
  '\busermod\b.*\s-(a?G|G\s?)\s*\S*\b(sudo|wheel|root|shadow)\b',
]
file = ['^/etc/(shadow|gshadow|sudoers)$', '^/etc/sudoers\.d/']

[[rule]]
name = "audit-off"
severity = "critical"
about = "the kernel's audit, its rules or the system's logging switched off"
command = [
  '\bauditctl\s+(.*\s)?-(D|e\s*0|R\s*/dev/null)\b',
  '\b(systemctl|service)\b.*\b(stop|disable|mask|kill)\b.*\b(auditd|rsyslog|syslog-ng|systemd-journald|osquery\w*|falco)\b',
  '\bservice\s+(auditd|rsyslog|syslog-ng|osquery\w*|falco)\s+stop\b',
  '\b(kill|pkill|killall)\b.*\b(auditd|rsyslogd|syslog-ng|journald)\b',
  '\bsetenforce\s+0\b',
]
exec = ['^(\S*/)?auditctl (.* )?-(D|e 0)\b']

[[rule]]
name = "recorder-stop"
severity = "critical"
about = "an attempt to stop the recorder or to remove what it wrote"
command = [
  '\b(kill|pkill|killall)\b.*\bsworn\w*',
  '\b(systemctl|service)\b.*\b(stop|disable|mask|kill)\b.*\bsworn\w*\b',
  '\bservice\s+swornd\s+stop\b',
  '\b(rm|shred|mv|truncate|chattr)\b[^|;&]*(/var/lib/sworn|\.sworn(\.part|\.tail)?\b|/run/sworn)',
]
unless = ['\bsworn-?\w*\s+--help']

[[rule]]
name = "encoded-command"
severity = "high"
about = "decoded or downloaded text handed to an interpreter"
command = [
  '\b(base64|base32|xxd|openssl\s+(enc|base64))\b[^|;&]*(-d|--decode|-D|-r)\b[^;&]*\|\s*(sudo\s+)?(\S*/)?(ba|da|z|k|c)?sh\b',
  '\b(base64|base32|xxd)\b[^|;&]*(-d|--decode|-D|-r)\b[^;&]*\|\s*(sudo\s+)?(\S*/)?(python[0-9.]*|perl|ruby|node)\b',
  '\b(ba|da|z|k)?sh\s+(-c\s+)?["<(\$`]*\(?\s*.*\b(base64|base32)\s+(-d|--decode)',
  '\beval\s+.*\b(base64|base32|xxd)\s+(-d|--decode|-r)',
  '\b(curl|wget)\b[^|;&]*\|\s*(sudo\s+)?(\S*/)?(ba|da|z|k)?sh\b',
]

[[rule]]
name = "reverse-shell"
severity = "critical"
about = "a shell bound to a network connection"
command = [
  '/dev/(tcp|udp)/[^\s/]+/\d+',
  '\b(nc|ncat|netcat|nc\.\w+)\b.*\s(-\w*[ec]\s*|--(sh-)?exec[= ])\s*\S*sh\b',
  '\bmkfifo\b.*\b(nc|ncat|netcat|telnet|openssl\s+s_client)\b',
  '\bsocat\b.*\b(?i:exec|system):',
  '\b(python[0-9.]*|perl|ruby|php|node)\b.*\bsocket\b.*\b(dup2|exec|spawn|system|/bin/(ba)?sh)\b',
  '\bphp\b.*\bfsockopen\b.*\b(exec|system|proc_open|shell_exec)\b',
]
exec = [
  '^(\S*/)?(nc|ncat|netcat)(\.\w+)? (.* )?(-\w*[ec]|--(sh-)?exec[= ]?) ?\S*sh\b',
  '^(\S*/)?socat .*\b(?i:exec|system):',
]
)TOML";

}  // namespace

std::string_view default_alert_rules() {
  return k_rules;
}

}  // namespace sworn::audit::alert
