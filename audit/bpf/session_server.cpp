// SPDX-License-Identifier: Apache-2.0
#include "audit/bpf/session_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sworn::bpf {
namespace {

constexpr int k_drain_ms = 20;                    // between two visits while there are records
constexpr std::size_t k_max_queued = 16U << 20U;  // of one client
constexpr std::size_t k_packet_bytes = SWORN_MAX_PACKET - 1024;
constexpr std::size_t k_max_clients = SWORN_MAX_SLOTS;
constexpr int k_max_depth = 16;  // from the process of a session up to who asked for it
constexpr int k_send_buffer = 4 * 1024 * 1024;

template <typename T>
void append_struct(Bytes& out, const T& value) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof value);
}

sworn_message head(sworn_message_type type, std::uint32_t value = 0) {
  return {SWORN_WIRE_VERSION, static_cast<std::uint16_t>(type), value};
}

// "Uid:\t1001..." of /proc/PID/status; -1 where the process or the line is not there.
std::int64_t status_field(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(name)) {
      return std::strtoll(line.c_str() + name.size(), nullptr, 10);
    }
  }
  return -1;
}

}  // namespace

SessionServer::SessionServer(ServerOptions options, std::unique_ptr<CaptureProgram> program,
                             std::string reason)
    : options_(std::move(options)), program_(std::move(program)), reason_(std::move(reason)) {}

SessionServer::~SessionServer() = default;

Result<void> SessionServer::watch(int fd, bool writing) {
  epoll_event event{};
  event.events = EPOLLIN | (writing ? EPOLLOUT : 0U);
  event.data.fd = fd;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0 &&
      (errno != EEXIST || ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event) != 0)) {
    return fail_sys(errno, "epoll_ctl");
  }
  return {};
}

Result<void> SessionServer::set_up() {
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) {
    return fail_sys(errno, "epoll_create1");
  }
  if (program_) {
    TRY(watch(program_->fd(), false));
  }
  if (options_.listener.valid()) {
    TRY(watch(options_.listener.get(), false));
  } else {
    admit(std::move(options_.client));
  }
  return {};
}

Result<void> SessionServer::run() {
  TRY(set_up());
  const bool one = !options_.listener.valid();
  bool draining = false;
  std::array<epoll_event, 32> events{};
  while (!one || !clients_.empty()) {
    const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                               draining ? k_drain_ms : -1);
    if (n < 0 && errno != EINTR) {
      return fail_sys(errno, "epoll_wait");
    }
    for (int i = 0; i < n; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (program_ && fd == program_->fd()) {
        continue;
      }
      if (fd == options_.listener.get()) {
        accept_all();
      } else if (const auto found = clients_.find(fd); found != clients_.end()) {
        on_client(found->second, events[static_cast<std::size_t>(i)].events);
      }
    }
    if (program_) {
      const auto take = [this](ByteView record) { on_record(record); };
      draining = program_->consume(take);
      if (!draining) {
        program_->set_sleeping(true);
        draining = program_->consume(take);  // what came in between woke nobody
        if (draining) {
          program_->set_sleeping(false);
        }
      }
      for (auto& [fd, client] : clients_) {
        finish_packet(client);
      }
    }
    drop_gone();
  }
  return {};
}

// --- clients

void SessionServer::admit(Fd fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  int type = 0;
  socklen_t type_length = sizeof type;
  if (clients_.size() >= k_max_clients ||
      ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0 ||
      ::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &type_length) != 0 ||
      type != SOCK_SEQPACKET || !watch(fd.get(), false)) {
    return;
  }
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &k_send_buffer, sizeof k_send_buffer);
  Client client;
  client.uid = peer.uid;
  client.pid = peer.pid;
  const int key = fd.get();
  client.fd = std::move(fd);
  clients_.emplace(key, std::move(client));
}

void SessionServer::accept_all() {
  while (true) {
    Fd fd(::accept4(options_.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd.valid()) {
      return;
    }
    admit(std::move(fd));
  }
}

void SessionServer::on_client(Client& client, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) {
    flush_queue(client);
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    while (!client.closing && read_message(client)) {
    }
  }
}

bool SessionServer::read_message(Client& client) {
  std::array<std::byte, 64> buffer{};
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(8 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const auto n = ::recvmsg(client.fd.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    return false;
  }
  std::vector<Fd> received;
  for (auto* header = n > 0 ? CMSG_FIRSTHDR(&message) : nullptr; header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      const auto count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof fd);
        received.emplace_back(fd);
      }
    }
  }
  if (n <= 0) {
    client.queue.clear();
    client.queued = 0;
    client.closing = true;
    return false;
  }
  sworn_message request{};
  if (n != static_cast<ssize_t>(sizeof request)) {
    refuse(client, "a message of the wrong length");
    return false;
  }
  std::memcpy(&request, buffer.data(), sizeof request);
  if (request.version != SWORN_WIRE_VERSION) {
    refuse(client, fmt::format("this is version {} of the protocol, not {}", SWORN_WIRE_VERSION,
                               request.version));
  } else if (request.type == SWORN_MSG_OPEN && client.generation == 0 && received.size() == 1) {
    on_open(client, std::move(received.front()));
  } else if (request.type == SWORN_MSG_FLUSH && client.generation != 0 && received.empty()) {
    on_flush(client, request.value);
  } else {
    refuse(client, "a message that has no place here");
  }
  return !client.closing;
}

// Who may see what a process does: root and who was named; anybody for his own children.
Result<void> SessionServer::may_follow(const Client& client, int pidfd) const {
  const auto pid = status_field(fmt::format("/proc/self/fdinfo/{}", pidfd), "Pid:");
  if (pid <= 0) {
    return fail(Errc::bad_usage, "the descriptor is not that of a living process");
  }
  const auto uid = status_field(fmt::format("/proc/{}/status", pid), "Uid:");
  if (uid < 0) {
    return fail(Errc::not_found, "the process has ended");
  }
  const bool trusted =
      client.uid == 0 || std::find(options_.allowed.begin(), options_.allowed.end(), client.uid) !=
                             options_.allowed.end();
  if (trusted && options_.listener.valid()) {
    return {};
  }
  if (!trusted && uid != static_cast<std::int64_t>(client.uid)) {
    return fail(Errc::bad_usage, "the process belongs to somebody else");
  }
  auto above = pid;
  for (int depth = 0; depth < k_max_depth && above > 1; ++depth) {
    above = status_field(fmt::format("/proc/{}/status", above), "PPid:");
    if (above == client.pid) {
      return {};
    }
  }
  return fail(Errc::bad_usage, "the process was not started by who asks for it");
}

std::uint32_t SessionServer::free_slot() const {
  for (std::uint32_t i = 0; i < SWORN_MAX_SLOTS; ++i) {
    const auto slot = (next_slot_ + i) % SWORN_MAX_SLOTS;
    if (!by_slot_.contains(slot)) {
      return slot;
    }
  }
  return SWORN_MAX_SLOTS;
}

void SessionServer::on_open(Client& client, Fd pidfd) {
  if (!program_) {
    refuse(client, reason_);
    return;
  }
  if (auto allowed = may_follow(client, pidfd.get()); !allowed) {
    refuse(client, describe(allowed.error()));
    return;
  }
  const auto slot = free_slot();
  if (slot == SWORN_MAX_SLOTS) {
    refuse(client, "too many sessions");
    return;
  }
  const auto generation = next_generation_++;
  if (next_generation_ == 0) {
    next_generation_ = 1;
  }
  if (auto begun = program_->begin(slot, generation, pidfd.get()); !begun) {
    refuse(client, describe(begun.error()));
    return;
  }
  next_slot_ = slot + 1;
  client.slot = slot;
  client.generation = generation;
  by_slot_[slot] = client.fd.get();
  sworn_message_state state{};
  state.m = head(SWORN_MSG_STATE);
  state.exec = static_cast<std::uint8_t>(Level::complete);
  state.files = static_cast<std::uint8_t>(program_->files());
  state.connect = static_cast<std::uint8_t>(program_->connects());
  state.ring_bytes = program_->ring_bytes();
  Bytes message;
  append_struct(message, state);
  const auto text = as_bytes(program_->remarks());
  append(message, text);
  send(client, std::move(message));
}

void SessionServer::on_flush(Client& client, std::uint32_t value) {
  const auto numbers = program_->last_numbers(client.slot);  // before the ring: never too high
  drain();
  finish_packet(client);
  sworn_message_counters counters{};
  counters.m = head(SWORN_MSG_COUNTERS, value);
  counters.missed = program_->missed();
  counters.cpus = program_->cpus();
  Bytes message;
  append_struct(message, counters);
  for (const auto number : numbers) {
    append_struct(message, number);
  }
  send(client, std::move(message));
}

// --- records

void SessionServer::drain() {
  program_->consume([this](ByteView record) { on_record(record); });
}

void SessionServer::on_record(ByteView record) {
  sworn_wire_header header{};
  if (record.size() < sizeof header) {
    return;
  }
  std::memcpy(&header, record.data(), sizeof header);
  const auto found = by_slot_.find(header.slot);
  if (found == by_slot_.end()) {
    return;
  }
  auto& client = clients_.at(found->second);
  if (client.generation != header.generation || header.size != record.size()) {
    return;
  }
  if (client.packet.size() + record.size() > k_packet_bytes) {
    finish_packet(client);
  }
  if (client.packet.empty()) {
    append_struct(client.packet, head(SWORN_MSG_RECORDS));
  }
  append(client.packet, record);
}

void SessionServer::finish_packet(Client& client) {
  if (!client.packet.empty()) {
    send(client, std::exchange(client.packet, {}));
  }
}

void SessionServer::send(Client& client, Bytes message) {
  if (client.closing) {
    return;
  }
  if (client.queued + message.size() > k_max_queued) {
    return;  // the holes in the numbers tell the client
  }
  client.queued += message.size();
  client.queue.push_back(std::move(message));
  flush_queue(client);
}

void SessionServer::refuse(Client& client, const std::string& why) {
  Bytes message;
  append_struct(message, head(SWORN_MSG_REFUSED));
  const auto text = as_bytes(why);
  append(message, text);
  send(client, std::move(message));
  client.closing = true;
}

void SessionServer::flush_queue(Client& client) {
  while (!client.queue.empty()) {
    const auto& message = client.queue.front();
    const auto n =
        ::send(client.fd.get(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS)) {
      break;
    }
    client.queued -= message.size();
    client.queue.pop_front();
    if (n < 0) {
      client.queue.clear();
      client.queued = 0;
      client.closing = true;
    }
  }
  const bool wants = !client.queue.empty();
  if (wants != client.wants_writing) {
    client.wants_writing = wants;
    static_cast<void>(watch(client.fd.get(), wants));
  }
}

void SessionServer::drop_gone() {
  std::erase_if(clients_, [this](const auto& each) {
    const auto& client = each.second;
    if (!client.closing || !client.queue.empty()) {
      return false;
    }
    if (client.generation != 0) {
      program_->end(client.slot);
      by_slot_.erase(client.slot);
    }
    return true;
  });
}

}  // namespace sworn::bpf
