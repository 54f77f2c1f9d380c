// SPDX-License-Identifier: Apache-2.0
// Who is at the other end of a connection: as the kernel says, never as the peer does.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

namespace sworn::recorder::host {

struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  Fd pidfd;  // the number cannot be given to another process unnoticed
};
// Of a connected socket. Fails where the process is gone.
Result<Peer> peer_of(int socket);
[[nodiscard]] bool is_alive(const Peer& peer);

struct ProcessFacts {
  pid_t pid = 0;
  pid_t parent = 0;
  pid_t posix_sid = 0;
  int terminal = 0;  // device number, 0: none
  std::uint64_t start_ticks = 0;
  pid_t tracer = 0;
  uid_t uid = 0;  // real
  std::vector<std::uint32_t> groups;
};
Result<ProcessFacts> read_process(pid_t pid);
std::uint32_t proc_number(pid_t pid, const char* name);  // loginuid, sessionid; 4294967295: none
std::string working_directory(pid_t pid);

// The process executes exactly this file, which belongs to root.
[[nodiscard]] bool executes(pid_t pid, const std::string& program);

}  // namespace sworn::recorder::host
