// SPDX-License-Identifier: Apache-2.0
// One message on a SOCK_SEQPACKET socket of the host's own protocol, with descriptors and, where
// the socket asks for it (SO_PASSCRED), the credentials that the kernel vouches for. Never blocks.
#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/result.hpp"

#include <optional>
#include <span>
#include <vector>

#include <sys/socket.h>

namespace sworn::recorder::host {

inline constexpr std::size_t k_max_packet_bytes = 160 * 1024;
inline constexpr std::size_t k_max_packet_fds = 8;

struct Packet {
  Bytes data;
  std::vector<Fd> fds;          // close-on-exec
  std::optional<ucred> sender;  // of the process that sent it
};

struct Received {
  enum class State : std::uint8_t { done, again, end, broken };
  State state = State::again;
  Packet packet;
};

// broken: an error of the socket, a packet longer than `max_bytes`, or more descriptors than
// allowed.
Received receive_packet(int socket, std::size_t max_bytes = k_max_packet_bytes);

// Fails with EAGAIN where the other side does not read. `claim`: says who we are (SCM_CREDENTIALS).
enum class Claim : std::uint8_t { none, credentials };
Result<void> send_packet(int socket, ByteView data, std::span<const int> fds = {},
                         Claim claim = Claim::none);

}  // namespace sworn::recorder::host
