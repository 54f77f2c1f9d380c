// SPDX-License-Identifier: Apache-2.0
#include "recorder/channel.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

constexpr std::size_t k_atomic_pipe_bytes = 4096;  // PIPE_BUF: POLLOUT promises room for that much

IoResult from(ssize_t n, bool reading) {
  if (n > 0 || (n == 0 && !reading)) {
    return {IoState::done, static_cast<std::size_t>(n), 0};
  }
  if (n == 0) {
    return {IoState::end, 0, 0};
  }
  if (errno == EAGAIN || errno == EINTR) {
    return {IoState::again, 0, 0};
  }
  // Linux reports the end of a terminal whose other side is gone as EIO.
  return {reading && errno == EIO ? IoState::end : IoState::broken, 0, errno};
}

}  // namespace

Channel Channel::own_input(Fd fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  Channel out;
  out.fd_ = std::move(fd);
  return out;
}

Channel Channel::own_output(Fd fd) {
  Channel out = own_input(std::move(fd));
  out.direction_ = Direction::out;
  return out;
}

Channel Channel::inherited(int fd, Direction direction) {
  Channel out;
  out.inherited_ = fd;
  out.direction_ = direction;
  struct stat st {};
  if (::fstat(fd, &st) != 0) {
    out.kind_ = Kind::blocking;
  } else if (S_ISSOCK(st.st_mode)) {
    out.kind_ = Kind::socket;
  } else if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode) || S_ISDIR(st.st_mode) ||
             (S_ISCHR(st.st_mode) && ::isatty(fd) == 0)) {
    // Opening a file anew would lose the shared position. /dev/null and its like never block
    // either.
    out.kind_ = Kind::file;
    return out;
  } else {
    const int flags = direction == Direction::in ? O_RDONLY : O_WRONLY;
    out.fd_.reset(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(),
                         flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    out.kind_ = out.fd_.valid() ? Kind::nonblocking : Kind::blocking;
  }
  if (!out.fd_.valid() && !out.wait_through_epoll()) {
    out.kind_ = Kind::file;
  }
  return out;
}

bool Channel::wait_through_epoll() {
  waiter_.reset(::epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = direction_ == Direction::in ? EPOLLIN : EPOLLOUT;
  if (::epoll_ctl(waiter_.get(), EPOLL_CTL_ADD, inherited_, &event) != 0) {
    waiter_.reset();
  }
  return waiter_.valid();
}

Channel Channel::adopted(Fd fd, Direction direction) {
  Channel out;
  out.direction_ = direction;
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) {
    return out;
  }
  const bool stream = S_ISFIFO(st.st_mode) || ::isatty(fd.get()) != 0;
  if (stream && (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0) {
    out.fd_ = std::move(fd);
    return out;
  }
  out.inherited_ = fd.get();
  out.adopted_ = std::move(fd);
  out.kind_ = S_ISSOCK(st.st_mode) ? Kind::socket : stream ? Kind::blocking : Kind::file;
  if (out.kind_ != Kind::file && !out.wait_through_epoll()) {
    out.kind_ = Kind::file;
  }
  return out;
}

Channel Channel::adopted_input(Fd fd) {
  return adopted(std::move(fd), Direction::in);
}
Channel Channel::adopted_output(Fd fd) {
  return adopted(std::move(fd), Direction::out);
}

Channel Channel::inherited_input(int fd) {
  return inherited(fd, Direction::in);
}
Channel Channel::inherited_output(int fd) {
  return inherited(fd, Direction::out);
}

int Channel::wait_fd() const {
  if (kind_ == Kind::file) {
    return -1;
  }
  return waiter_.valid() ? waiter_.get() : fd();
}

bool Channel::ready(short events) const {
  pollfd state{fd(), events, 0};
  return ::poll(&state, 1, 0) > 0;
}

IoResult Channel::read(std::span<std::byte> out) {
  if (!put_back_.empty()) {
    const std::size_t n = std::min(out.size(), put_back_.size());
    std::copy_n(put_back_.begin(), n, out.begin());
    ::explicit_bzero(put_back_.data(), n);
    put_back_.erase(put_back_.begin(), put_back_.begin() + static_cast<std::ptrdiff_t>(n));
    return {IoState::done, n, 0};
  }
  switch (kind_) {
    case Kind::nonblocking:
    case Kind::file:
      return from(::read(fd(), out.data(), out.size()), true);
    case Kind::socket:
      return from(::recv(fd(), out.data(), out.size(), MSG_DONTWAIT), true);
    case Kind::blocking:
      return ready(POLLIN) ? from(::read(fd(), out.data(), out.size()), true) : IoResult{};
  }
  return {};
}

IoResult Channel::write(ByteView data) {
  switch (kind_) {
    case Kind::nonblocking:
    case Kind::file:
      return from(::write(fd(), data.data(), data.size()), false);
    case Kind::socket:
      return from(::send(fd(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL), false);
    case Kind::blocking:
      return ready(POLLOUT)
                 ? from(::write(fd(), data.data(), std::min(data.size(), k_atomic_pipe_bytes)),
                        false)
                 : IoResult{};
  }
  return {};
}

void Channel::close() {
  fd_.reset();
  waiter_.reset();
  if (adopted_.valid()) {
    adopted_.reset();
  } else if (inherited_ >= 0) {
    const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (null.valid()) {
      ::dup2(null.get(), inherited_);
    }
  }
  inherited_ = -1;
}

}  // namespace sworn::recorder
