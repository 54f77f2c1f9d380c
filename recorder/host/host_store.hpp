// SPDX-License-Identifier: Apache-2.0
// The files of a host's sessions. All belong to root; monitors get descriptors, never names.
//   /var/lib/sworn/sessions/NAME.sworn[.part]       0640 root:sworn-audit, 0440 once closed
//   /var/lib/sworn/sessions/NAME.sworn.part.tail    a link to the tail while the session lives,
//                                                   the tail itself where the session was lost
//   /run/sworn/tails/NAME.tail                      0600, in memory: no plain text reaches a disk
//   /run/sworn/sessions/ID                          0600, what a restarted swornd must know
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "recorder/host/wire.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace sworn::recorder::host {

struct HostPaths {
  std::string state = "/var/lib/sworn";
  std::string run = "/run/sworn";
  [[nodiscard]] std::string sessions() const { return state + "/sessions"; }
  [[nodiscard]] std::string ledger() const { return state + "/ledger"; }
  [[nodiscard]] std::string tails() const { return run + "/tails"; }
  [[nodiscard]] std::string notes() const { return run + "/sessions"; }
};

// What outlives a swornd about a session.
struct SessionNote {
  SessionId id{};
  Nonce token{};
  std::string final_path;
  std::string user;
  std::uint32_t uid = 0;
  std::uint32_t client_pid = 0;
  std::uint32_t monitor_pid = 0;
  std::uint32_t loginuid = 0xFFFFFFFF;
  std::uint32_t audit_session = 0xFFFFFFFF;
  std::uint64_t started_us = 0;  // CLOCK_REALTIME
  std::uint32_t pts_device = 0;
  std::string pts;
  std::string outer_tty;
  std::uint32_t outer_device = 0;
  std::uint8_t taken = 0;
  std::uint8_t entered = 0;  // the ledger has its session_open
  std::string policy;
};
std::string to_hex(const SessionId& id);
Bytes encode_note(const SessionNote& note);
Result<SessionNote> decode_note(ByteView bytes);

// Directories with their owners and modes; `group`: sworn-audit.
Result<void> prepare_directories(const HostPaths& paths, gid_t group);

struct SessionFiles {
  Fd part;  // locked; the lock goes with the open file to the monitor
  Fd tail;
};
Result<SessionFiles> create_session_files(const HostPaths& paths, const std::string& final_path,
                                          gid_t group);
Result<void> write_note(const HostPaths& paths, const SessionNote& note);
void remove_note(const HostPaths& paths, const SessionId& id);
std::vector<SessionNote> read_notes(const HostPaths& paths);

// Final name, read-only, durable; the tail is removed. `immutable`: chattr +i where the file system
// can.
Result<void> publish_session(const HostPaths& paths, const std::string& final_path, bool immutable);
// Its recorder is gone: the tail moves from memory to the disk, beside the file.
Result<void> keep_lost_session(const HostPaths& paths, const std::string& final_path);
// Nothing was recorded.
void discard_session(const HostPaths& paths, const std::string& final_path);

// Bytes that the account may still take, as the file system of the store says.
std::uint64_t free_bytes(const HostPaths& paths);

}  // namespace sworn::recorder::host
