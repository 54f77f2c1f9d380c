// SPDX-License-Identifier: Apache-2.0
#include "recorder/client/handshake.hpp"

#include "recorder/message.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace sworn::recorder::client {
namespace {

std::int64_t now_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1'000 + now.tv_nsec / 1'000'000;
}

Result<Fd> connect_to_daemon() {
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  static_assert(sizeof host::k_daemon_socket <= sizeof address.sun_path);
  std::memcpy(address.sun_path, host::k_daemon_socket, sizeof host::k_daemon_socket);
  const std::int64_t give_up = now_ms() + k_patience_ms;
  while (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
         0) {
    // EAGAIN: its queue is full. There is nothing to poll for then.
    if ((errno != EAGAIN && errno != EINTR) || now_ms() >= give_up) {
      return fail_sys(errno, "swornd does not listen");
    }
    ::poll(nullptr, 0, 5);
  }
  // Who listens there must be root: else somebody else has taken the name.
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != 0) {
    return fail(Errc::bad_usage, "the socket of swornd does not belong to root");
  }
  return socket;
}

// Waits with patience first, then says why nothing happens.
Result<host::Packet> wait_aloud(int socket, std::int64_t deadline, bool& told) {
  while (true) {
    const std::int64_t left = deadline - now_ms();
    if (left <= 0) {
      return fail_sys(ETIMEDOUT, "swornd does not answer");
    }
    const int step = static_cast<int>(told ? left : std::min<std::int64_t>(left, k_patience_ms));
    auto packet = wait_for_packet(socket, step);
    if (packet || packet.error().sys != ETIMEDOUT) {
      return packet;
    }
    if (!told) {
      complain({"login: waiting for swornd", "the recorder of this host does not answer yet", ""});
      told = true;
    }
  }
}

}  // namespace

Result<host::Packet> wait_for_packet(int socket, int timeout_ms) {
  const std::int64_t deadline = now_ms() + timeout_ms;
  while (true) {
    auto got = host::receive_packet(socket);
    switch (got.state) {
      case host::Received::State::done:
        return std::move(got.packet);
      case host::Received::State::end:
        return fail_sys(ECONNRESET, "the other process ended the connection");
      case host::Received::State::broken:
        return fail_sys(EPROTO, "the other process sent what is not understood");
      case host::Received::State::again:
        break;
    }
    const std::int64_t left = deadline - now_ms();
    if (left <= 0) {
      return fail_sys(ETIMEDOUT, "the other process does not answer");
    }
    pollfd ready{socket, POLLIN, 0};
    ::poll(&ready, 1, static_cast<int>(left));
  }
}

Result<Decision> shake_hands(const host::Hello& hello) {
  const std::int64_t deadline = now_ms() + k_timeout_ms;
  bool told = false;
  TRY_ASSIGN(const Fd socket, connect_to_daemon());
  constexpr std::array k_stdio{0, 1, 2};
  TRY(host::send_packet(socket.get(), host::encode(hello), k_stdio));
  TRY_ASSIGN(const auto first, wait_aloud(socket.get(), deadline, told));
  TRY_ASSIGN(auto message, host::decode(first.data));
  if (const auto* challenge = std::get_if<host::Challenge>(&message)) {
    TRY(host::send_packet(socket.get(), host::encode(host::Answer{challenge->nonce}), {},
                          host::Claim::credentials));
  } else if (auto* refused = std::get_if<host::Refused>(&message)) {
    return Decision{std::move(*refused), {}};
  } else {
    return fail(Errc::corrupt, "swornd answered with something else than a challenge");
  }
  TRY_ASSIGN(auto second, wait_aloud(socket.get(), deadline, told));
  TRY_ASSIGN(auto decision, host::decode(second.data));
  if (auto* accepted = std::get_if<host::Accepted>(&decision)) {
    return Decision{std::move(*accepted), std::move(second.fds)};
  }
  if (auto* refused = std::get_if<host::Refused>(&decision)) {
    return Decision{std::move(*refused), {}};
  }
  return fail(Errc::corrupt, "swornd answered with something else than a decision");
}

}  // namespace sworn::recorder::client
