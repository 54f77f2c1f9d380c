// SPDX-License-Identifier: Apache-2.0
// Where trail entries go: a file with a hash chain, rotated; syslog by RFC 5424 over a local socket
// or UDP; journald's native protocol; a stream. A sink reports what it could not hand over, and
// does not block for longer than the system call takes. One thread each.
#pragma once

#include "audit/trail/trail_chain.hpp"
#include "audit/trail/trail_entry.hpp"
#include "audit/trail/trail_json.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace sworn::audit::trail {

class TrailSink {
 public:
  virtual ~TrailSink() = default;
  virtual Result<void> put(const TrailEntry& entry) = 0;
  virtual Result<void> flush() { return {}; }
};

struct RotationPolicy {
  std::uint64_t max_bytes = 64U << 20U;
  std::int64_t max_age_us = 24LL * 3600 * 1'000'000;
};

// Appends to PATH; a file that is there goes on with its chain (a torn last line is closed and
// kept). Rotated files are named PATH.SEQ, SEQ being the number of their first entry.
Result<std::unique_ptr<TrailSink>> open_trail_file(const std::string& path, RotationPolicy policy,
                                                   Clock& clock);

// JSON lines to a descriptor that the caller keeps open.
std::unique_ptr<TrailSink> stream_sink(int fd, TrailFormat format);

// "unix:/dev/log", "udp:HOST:PORT" (numeric address).
Result<std::unique_ptr<TrailSink>> open_syslog(const std::string& target);
// The message as it goes out, without framing.
std::string syslog_message(const TrailEntry& entry);

// /run/systemd/journal/socket, or another path for tests.
Result<std::unique_ptr<TrailSink>> open_journald(const std::string& socket_path);
std::string journald_message(const TrailEntry& entry);

}  // namespace sworn::audit::trail
