// SPDX-License-Identifier: Apache-2.0
// The client's side of the greeting: connect, hello, challenge, answer, decision. Bounded in time;
// says so on standard error where swornd lets the user wait.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"
#include "recorder/host/packet.hpp"
#include "recorder/host/wire.hpp"

#include <variant>
#include <vector>

namespace sworn::recorder::client {

inline constexpr int k_patience_ms = 1'500;  // before the user hears of it
inline constexpr int k_timeout_ms = 8'000;

struct Decision {
  std::variant<host::Refused, host::Accepted> answer;
  std::vector<Fd> fds;
};

// Fails where there is no swornd, or none that answers: the fallback decides then.
Result<Decision> shake_hands(const host::Hello& hello);

// The next packet, waiting up to `timeout_ms`.
Result<host::Packet> wait_for_packet(int socket, int timeout_ms);

}  // namespace sworn::recorder::client
