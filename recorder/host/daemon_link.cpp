// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/daemon_link.hpp"

#include "recorder/host/packet.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

constexpr std::size_t k_stack_bytes = 128 * 1024;
constexpr std::size_t k_max_waiting = 64;
constexpr int k_first_pause_ms = 50;
constexpr int k_last_pause_ms = 2'000;

}  // namespace

DaemonLink::DaemonLink(Fd socket, SessionId id, Nonce token)
    : id_(id), token_(token), socket_(std::move(socket)) {}

DaemonLink::~DaemonLink() {
  if (thread_) {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake();
    ::pthread_join(*thread_, nullptr);
  }
}

Result<void> DaemonLink::start() {
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_.valid()) {
    return fail_sys(errno, "eventfd");
  }
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, k_stack_bytes);
  pthread_t thread{};
  const int rc = ::pthread_create(&thread, &attributes, run_thread, this);
  ::pthread_attr_destroy(&attributes);
  if (rc != 0) {
    return fail_sys(rc, "cannot start a thread");
  }
  thread_ = thread;
  return {};
}

void DaemonLink::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
}

void DaemonLink::post(Message message) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= k_max_waiting) {
      // A mark says everything that an older one said.
      const auto old = std::find_if(waiting_.begin(), waiting_.end(), [](const Message& each) {
        return std::holds_alternative<Mark>(each);
      });
      waiting_.erase(old == waiting_.end() ? waiting_.begin() : old);
    }
    waiting_.push_back(std::move(message));
  }
  wake();
}

bool DaemonLink::wait_opened(int timeout_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms), [this] { return opened_; });
}

bool DaemonLink::hides(const std::vector<std::uint32_t>& devices, int timeout_ms) {
  std::uint32_t mine = 0;
  {
    const std::lock_guard lock(mutex_);
    mine = ++asked_;
  }
  post(Look{devices});
  std::unique_lock lock(mutex_);
  const bool answered = changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                                          [&] { return answered_ >= mine; });
  return !answered || hides_;
}

bool DaemonLink::flush(int timeout_ms) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                           [this] { return waiting_.empty(); });
}

void* DaemonLink::run_thread(void* self) {
  ::prctl(PR_SET_NAME, "sworn-link");
  static_cast<DaemonLink*>(self)->run();
  return nullptr;
}

void DaemonLink::run() {
  while (true) {
    bool idle = false;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) {
        return;
      }
      idle = waiting_.empty();
    }
    if (!socket_.valid()) {
      reconnect();
    }
    if (socket_.valid() && !idle) {
      send_some();
    }
    wait(socket_.valid() ? -1 : pause_ms_);
  }
}

void DaemonLink::wait(int timeout_ms) {
  std::array<pollfd, 2> ready{{{wake_.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}}};
  const nfds_t count = socket_.valid() ? 2 : 1;
  ::poll(ready.data(), count, timeout_ms);
  if (ready[0].revents != 0) {
    std::uint64_t n = 0;
    [[maybe_unused]] const auto got = ::read(wake_.get(), &n, sizeof n);
  }
  if (count == 2 && ready[1].revents != 0) {
    receive_some();
  }
}

void DaemonLink::reconnect() {
  pause_ms_ = std::clamp(pause_ms_ * 2, k_first_pause_ms, k_last_pause_ms);
  Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, k_daemon_socket, sizeof k_daemon_socket);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return;
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != 0) {
    return;
  }
  if (send_packet(socket.get(), encode(Register{id_, token_}))) {
    socket_ = std::move(socket);
    pause_ms_ = 0;
  }
}

void DaemonLink::send_some() {
  std::unique_lock lock(mutex_);
  while (!waiting_.empty()) {
    const Bytes packet = encode(waiting_.front());
    lock.unlock();
    const auto sent = send_packet(socket_.get(), packet);
    lock.lock();
    if (!sent) {
      if (sent.error().sys != EAGAIN) {
        socket_.reset();
      }
      return;
    }
    waiting_.pop_front();
  }
  changed_.notify_all();
}

void DaemonLink::receive_some() {
  const auto got = receive_packet(socket_.get());
  if (got.state == Received::State::again) {
    return;
  }
  if (got.state != Received::State::done) {
    socket_.reset();
    return;
  }
  const auto message = decode(got.packet.data);
  if (!message) {
    return;
  }
  const std::lock_guard lock(mutex_);
  if (std::holds_alternative<Opened>(*message)) {
    opened_ = true;
  } else if (const auto* seen = std::get_if<Seen>(&*message)) {
    answered_ = asked_;
    hides_ = seen->hides != 0;
  }
  changed_.notify_all();
}

}  // namespace sworn::recorder::host
