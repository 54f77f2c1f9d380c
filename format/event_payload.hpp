// SPDX-License-Identifier: Apache-2.0
// The structured event payloads: msgpack maps with string keys (docs/format.md, "Event payloads").
// encode() never fails; decode() takes hostile bytes: bounded, duplicate keys refused, unknown keys
// skipped.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/term_size.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sworn::format {

struct Resize {
  TermSize size;
};
struct Signal {
  int number = 0;
  std::string origin;  // "recorder" (sent to us), "keyboard", "child_stopped", ...
};
struct Marker {
  std::string label;
};
// One point of the map between CLOCK_BOOTTIME (Event::t) and CLOCK_REALTIME.
struct ClockSample {
  WallTime wall;
  bool synchronised = false;
  std::int64_t max_error_us = 0;
  std::string reason;  // "start", "periodic", "step", "end"
};
// Who and what. Event 0, so that it can be encrypted and redacted like everything else.
struct SessionStart {
  std::string user;
  std::uint32_t uid = 0;
  std::uint32_t loginuid = 0xFFFFFFFF;   // unset: 4294967295, as the kernel has it
  std::uint32_t audit_ses = 0xFFFFFFFF;  // kernel audit session
  std::vector<std::uint32_t> groups;
  std::string hostname;
  std::string tty;   // the outer terminal, "" without one
  std::string pts;   // the terminal of the session
  std::string term;  // TERM
  TermSize size;
  bool terminal = true;  // false: streams mode
  std::vector<std::string> argv;
  std::string cwd;
  std::vector<std::pair<std::string, std::string>> environment;  // allow-listed names only
  std::string ssh_connection;
  std::string reason;
  std::string ticket;
  std::string policy;  // text of the effective policy
  std::string input_policy;
  std::int64_t recorder_pid = 0;
  std::int64_t child_pid = 0;     // 0 where it is not known yet
  std::string zone;               // of the host's local time, "CET"; empty: not known
  std::int64_t utc_offset_s = 0;  // east of UTC at the start; valid where there is a zone
};
struct CommandBegin {
  std::uint64_t n = 0;  // counts command lines of one shell, from 1
  std::int64_t shell_pid = 0;
  std::string text;
  std::string text_source;  // "hook", "none"
  std::string cwd;
  std::string shell;            // "bash", "zsh", "fish"
  std::int64_t anchor_pid = 0;  // the PS0 child, orders the line among the shell's forks; 0: none
  std::vector<std::string> flags;
};
struct CommandEnd {
  std::uint64_t n = 0;
  std::int64_t shell_pid = 0;
  int exit_status = 0;
  std::string pipestatus;  // "1 0 3"
  std::string cwd_after;
  std::vector<std::string> flags;
};
struct Gap {
  std::string reason;  // a short code: "disk_full", "tail_hole", "hook_flood", ...
  std::uint64_t lost_events = 0;
  std::uint64_t lost_bytes = 0;
  std::string detail;
};
struct Exit {
  int status = 0;  // exit status, valid where signal == 0
  int signal = 0;
  bool core_dumped = false;
  std::uint64_t undrained_bytes = 0;  // output that came after the final drain
  std::string detail;
};

// The texts under `key` of any payload; empty where there are none or it makes no sense.
std::vector<std::string> payload_texts(ByteView data, std::string_view key);

Bytes encode(const Resize& p);
Bytes encode(const Signal& p);
Bytes encode(const Marker& p);
Bytes encode(const ClockSample& p);
Bytes encode(const SessionStart& p);
Bytes encode(const CommandBegin& p);
Bytes encode(const CommandEnd& p);
Bytes encode(const Gap& p);
Bytes encode(const Exit& p);

Result<Resize> decode_resize(ByteView data);
Result<Signal> decode_signal(ByteView data);
Result<Marker> decode_marker(ByteView data);
Result<ClockSample> decode_clock_sample(ByteView data);
Result<SessionStart> decode_session_start(ByteView data);
Result<CommandBegin> decode_command_begin(ByteView data);
Result<CommandEnd> decode_command_end(ByteView data);
Result<Gap> decode_gap(ByteView data);
Result<Exit> decode_exit(ByteView data);

}  // namespace sworn::format
