// SPDX-License-Identifier: Apache-2.0
// Reads and writes that never block, on descriptors that may be shared with other programs.
// O_NONBLOCK belongs to the open file and not to the descriptor: setting it on an inherited pipe
// would break the neighbours who share it. So inherited pipes are opened anew through /proc,
// sockets are used with MSG_DONTWAIT, and what is left is asked with poll(2) before each use. For
// the same reason an event loop never gets such a descriptor itself (libuv sets what it watches to
// non-blocking), only an epoll descriptor around it. A channel has one direction.
#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace sworn::recorder {

enum class IoState : std::uint8_t { done, again, end, broken };

struct IoResult {
  IoState state = IoState::again;
  std::size_t n = 0;
  int error = 0;  // errno where broken
};

class Channel {
 public:
  Channel() = default;
  // Ours alone: set to non-blocking.
  static Channel own_input(Fd fd);
  static Channel own_output(Fd fd);
  // 0, 1 or 2: stays open when the channel goes, unless close() is called.
  static Channel inherited_input(int fd);
  static Channel inherited_output(int fd);
  // Handed over by another process, which opened pipes and terminals anew where it could; what is
  // shared with others all the same (sockets, what could not be opened) is treated as inherited.
  static Channel adopted_input(Fd fd);
  static Channel adopted_output(Fd fd);

  [[nodiscard]] bool valid() const { return fd() >= 0; }
  [[nodiscard]] int fd() const { return fd_.valid() ? fd_.get() : inherited_; }

  // What to wait for, and in which direction; -1 for a regular file, which is always ready.
  [[nodiscard]] int wait_fd() const;
  [[nodiscard]] bool waits_for_reading() const {
    return waiter_.valid() || direction_ == Direction::in;
  }

  IoResult read(std::span<std::byte> out);
  // Read before anything else: what was already taken from the source by others. The descriptor
  // does not become readable for it.
  void put_back(Bytes data) { put_back_ = std::move(data); }
  IoResult write(ByteView data);

  // Ends the stream for whoever is at the other end: an inherited descriptor becomes /dev/null.
  void close();

 private:
  enum class Kind : std::uint8_t { nonblocking, socket, file, blocking };
  enum class Direction : std::uint8_t { in, out };
  static Channel inherited(int fd, Direction direction);
  static Channel adopted(Fd fd, Direction direction);
  bool wait_through_epoll();
  [[nodiscard]] bool ready(short events) const;

  Fd fd_;
  Fd waiter_;  // an epoll descriptor
  int inherited_ = -1;
  Bytes put_back_;
  Fd adopted_;  // what inherited_ names, where it is ours to close
  Kind kind_ = Kind::nonblocking;
  Direction direction_ = Direction::in;
};

}  // namespace sworn::recorder
