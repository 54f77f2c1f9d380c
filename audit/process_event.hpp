// SPDX-License-Identifier: Apache-2.0
// What the kernel says about the processes of a session: payloads of the events exec, exec_exit,
// file and connect (msgpack maps, docs/audit-sources.md). A process is (pid, start): a bare pid is
// reused. `start` and all other times are CLOCK_BOOTTIME in microseconds, pids those of the
// recorder's own pid namespace where the kernel tells them, else the initial one. decode() takes
// hostile bytes.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::audit {

inline constexpr std::uint32_t k_no_id = 0xFFFFFFFF;  // loginuid, audit session: unset

struct ProcessId {
  std::int64_t pid = 0;
  std::int64_t start = 0;  // 0: not known
  friend auto operator<=>(const ProcessId&, const ProcessId&) = default;
};

// A program was executed.
struct ExecFact {
  ProcessId process;
  ProcessId parent;            // who forked it
  std::int64_t ppid = 0;       // its parent now; another one than `parent`: it was orphaned
  std::vector<ProcessId> via;  // forks without an exec between `parent` and the next one that did
  std::uint32_t uid = 0;
  std::uint32_t euid = 0;
  std::uint32_t gid = 0;
  std::uint32_t egid = 0;
  std::uint32_t loginuid = k_no_id;
  std::uint32_t audit_ses = k_no_id;
  std::string tty;  // "136:4"; "" without one
  std::uint64_t cgroup = 0;
  std::string comm;
  std::string file;  // as it was asked for; a script's own name
  std::string exe;   // what runs: a script's interpreter
  std::vector<std::string> argv;
  std::uint64_t argv_bytes = 0;  // of all words with their NULs, also of what is not kept
  std::string cwd;
  std::string input;   // what descriptor 0 is: "tty", "pipe", "file", "socket", "device", "closed"
  std::string source;  // "ebpf", "audit", "proc"
  // "argv_truncated", "argv_unreadable", "cwd_truncated", "no_argv", "memfd", "deleted", "failed"
  std::vector<std::string> flags;
  int error = 0;  // errno of an exec that failed
};

// A process ended; also one that never executed anything.
struct ExitFact {
  ProcessId process;
  ProcessId parent;
  std::string comm;
  int status = 0;  // valid where signal == 0
  int signal = 0;
  bool core_dumped = false;
  std::uint32_t execs = 0;  // programs that it executed; 0: only a fork
  std::string source;
};

// A file was opened for writing.
struct FileFact {
  ProcessId process;
  std::string path;
  std::uint32_t flags = 0;  // as open(2)
  std::string comm;
  std::string source;              // "lsm", "syscall"
  std::vector<std::string> notes;  // "path_truncated"
};

// A connection was asked for (it may fail).
struct ConnectFact {
  ProcessId process;
  std::string family;   // "inet", "inet6"
  std::string address;  // "10.0.0.1", "::1"
  std::uint32_t port = 0;
  std::string protocol;  // "tcp", "udp", number
  std::string comm;
  std::string source;
};

Bytes encode(const ExecFact& p);
Bytes encode(const ExitFact& p);
Bytes encode(const FileFact& p);
Bytes encode(const ConnectFact& p);
Result<ExecFact> decode_exec(ByteView data);
Result<ExitFact> decode_exec_exit(ByteView data);
Result<FileFact> decode_file(ByteView data);
Result<ConnectFact> decode_connect(ByteView data);

}  // namespace sworn::audit
