// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/packet.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <unistd.h>

namespace sworn::recorder::host {
namespace {

constexpr std::size_t k_control_bytes =
    CMSG_SPACE(sizeof(int) * k_max_packet_fds) + CMSG_SPACE(sizeof(ucred));

void take_control(msghdr& message, Packet& out) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
       part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_len < CMSG_LEN(0)) {
      continue;
    }
    const std::size_t bytes = part->cmsg_len - CMSG_LEN(0);
    if (part->cmsg_type == SCM_RIGHTS) {
      for (std::size_t at = 0; at + sizeof(int) <= bytes; at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(part) + at, sizeof fd);
        out.fds.emplace_back(fd);
      }
    } else if (part->cmsg_type == SCM_CREDENTIALS && bytes == sizeof(ucred)) {
      ucred sender{};
      std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
      out.sender = sender;
    }
  }
}

}  // namespace

Received receive_packet(int socket, std::size_t max_bytes) {
  Received out;
  // Asked first, so that a packet costs no more memory than it has bytes.
  const auto waiting = ::recv(socket, nullptr, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
  if (waiting < 0) {
    out.state =
        errno == EAGAIN || errno == EINTR ? Received::State::again : Received::State::broken;
    return out;
  }
  const auto length = static_cast<std::size_t>(waiting);
  out.packet.data.resize(std::min(length, max_bytes));
  iovec part{out.packet.data.data(), out.packet.data.size()};
  alignas(cmsghdr) std::array<std::byte, k_control_bytes> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto n = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0) {
    out.state =
        errno == EAGAIN || errno == EINTR ? Received::State::again : Received::State::broken;
    return out;
  }
  take_control(message, out.packet);
  if (n == 0) {
    out.state = Received::State::end;
    return out;
  }
  const bool whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  out.state = whole ? Received::State::done : Received::State::broken;
  return out;
}

Result<void> send_packet(int socket, ByteView data, std::span<const int> fds, Claim claim) {
  if (fds.size() > k_max_packet_fds || data.size() > k_max_packet_bytes) {
    return fail(Errc::bad_usage, "a packet larger than the protocol allows");
  }
  iovec part{const_cast<std::byte*>(data.data()), data.size()};
  alignas(cmsghdr) std::array<std::byte, k_control_bytes> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  std::size_t used = 0;
  const auto add = [&](int type, const void* from, std::size_t bytes) {
    message.msg_control = control.data();
    message.msg_controllen = used + CMSG_SPACE(bytes);
    auto* header = reinterpret_cast<cmsghdr*>(control.data() + used);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(bytes);
    std::memcpy(CMSG_DATA(header), from, bytes);
    used += CMSG_SPACE(bytes);
  };
  if (!fds.empty()) {
    add(SCM_RIGHTS, fds.data(), fds.size_bytes());
  }
  if (claim == Claim::credentials) {
    const ucred us{::getpid(), ::getuid(), ::getgid()};
    add(SCM_CREDENTIALS, &us, sizeof us);
  }
  while (::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return fail_sys(errno, "cannot send to the other process");
    }
  }
  return {};
}

}  // namespace sworn::recorder::host
