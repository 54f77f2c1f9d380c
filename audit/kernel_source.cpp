// SPDX-License-Identifier: Apache-2.0
#include "audit/kernel_source.hpp"

#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sworn::audit {
namespace {

using format::EventKind;

constexpr int k_helper_fd = 3;
constexpr int k_packets_per_drain = 64;
constexpr int k_receive_buffer = 4 * 1024 * 1024;
constexpr std::int64_t k_finish_us = 1'000'000;  // for the last records

class SpawnActions {
 public:
  SpawnActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

KernelSource::KernelSource(Clock& clock, Options options)
    : clock_(clock), options_(std::move(options)) {}

KernelSource::~KernelSource() {
  socket_.reset();
  reap();
}

// sworn-bpf ends with its socket; where it does not at once, init will wait for it.
void KernelSource::reap() {
  if (helper_ > 0 && ::waitpid(helper_, nullptr, WNOHANG) != 0) {
    helper_ = -1;
  }
}

void KernelSource::give_up(std::string why) {
  reason_ = std::move(why);
  socket_.reset();
  state_ = {};
  state_.text = reason_;
}

Result<void> KernelSource::start_helper() {
  if (::access(options_.program.c_str(), X_OK) != 0) {
    return fail(Errc::not_found, "sworn-bpf is not installed: " + options_.program);
  }
  std::array<int, 2> pair{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_sys(errno, "no socket for sworn-bpf");
  }
  socket_.reset(pair[0]);
  const Fd theirs(pair[1]);
  std::vector<std::string> words{"sworn-bpf", "--fd", std::to_string(k_helper_fd)};
  words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  // Nothing of the user's environment can steer it.
  std::array<char*, 1> environment{nullptr};
  SpawnActions actions;
  for (int fd = 0; fd <= 2; ++fd) {
    ::posix_spawn_file_actions_addopen(actions.get(), fd, "/dev/null", O_RDWR, 0);
  }
  ::posix_spawn_file_actions_adddup2(actions.get(), theirs.get(), k_helper_fd);
  ::posix_spawn_file_actions_addclosefrom_np(actions.get(), k_helper_fd + 1);
  if (const int error = ::posix_spawn(&helper_, options_.program.c_str(), actions.get(), nullptr,
                                      argv.data(), environment.data());
      error != 0) {
    helper_ = -1;
    return fail_sys(error, "cannot start sworn-bpf");
  }
  return {};
}

Result<void> KernelSource::connect_to_helper() {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (options_.connect_path.size() >= sizeof address.sun_path) {
    return fail(Errc::bad_usage, "the path of the socket of sworn-bpf is too long");
  }
  std::memcpy(address.sun_path, options_.connect_path.c_str(), options_.connect_path.size() + 1);
  socket_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (!socket_.valid() ||
      ::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_sys(errno, "cannot reach sworn-bpf");
  }
  return {};
}

Result<void> KernelSource::prepare(ChildSetup& /*setup*/) {
  auto ready = options_.connect_path.empty() ? start_helper() : connect_to_helper();
  if (!ready) {
    give_up(describe(ready.error()));
    return ready;
  }
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &k_receive_buffer, sizeof k_receive_buffer);
  buffer_ = std::make_unique_for_overwrite<std::byte[]>(SWORN_MAX_PACKET);
  return {};
}

void KernelSource::launched(pid_t command) {
  if (!socket_.valid()) {
    return;
  }
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, command, 0U)));
  if (!pidfd.valid()) {
    give_up(describe(Error{Errc::io, errno, "no descriptor of the session's process"}));
    return;
  }
  launched_as(command, std::move(pidfd));
}

void KernelSource::launched_as(pid_t /*command*/, Fd pidfd) {
  if (!socket_.valid()) {
    return;
  }
  auto answered = send(SWORN_MSG_OPEN, 0, pidfd.get());
  if (answered) {
    answered = wait_for_state();
  }
  if (!answered) {
    give_up(describe(answered.error()));
  } else if (decoder_.state()->refused) {
    give_up(decoder_.state()->text);
  } else {
    state_ = *decoder_.state();
  }
}

Result<void> KernelSource::wait_for_state() {
  const auto deadline = clock_.mono().us + std::int64_t{options_.patience_ms} * 1000;
  while (!decoder_.state()) {
    const auto left = (deadline - clock_.mono().us + 999) / 1000;
    pollfd ready{socket_.get(), POLLIN, 0};
    if (left <= 0 || ::poll(&ready, 1, static_cast<int>(left)) == 0) {
      return fail(Errc::io, "sworn-bpf does not answer");
    }
    TRY_ASSIGN(const bool any, receive(early_));
    static_cast<void>(any);
  }
  return {};
}

Result<void> KernelSource::send(std::uint16_t type, std::uint32_t value, int fd) {
  sworn_message message{SWORN_WIRE_VERSION, type, value};
  iovec part{&message, sizeof message};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (fd >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    auto* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  ssize_t n = 0;
  while ((n = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL)) < 0 && errno == EINTR) {
  }
  if (n < 0) {
    return fail_sys(errno, "sworn-bpf has gone");
  }
  return {};
}

Result<bool> KernelSource::receive(std::vector<AuditFact>& out) {
  const auto n = ::recv(socket_.get(), buffer_.get(), SWORN_MAX_PACKET, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    return false;
  }
  if (n <= 0) {
    return fail_sys(n < 0 ? errno : EPIPE, "sworn-bpf has gone");
  }
  decoder_.feed(ByteView(buffer_.get(), static_cast<std::size_t>(n)), out);
  return true;
}

Result<void> KernelSource::drain(std::vector<AuditFact>& out) {
  out.insert(out.end(), std::make_move_iterator(early_.begin()),
             std::make_move_iterator(early_.end()));
  early_.clear();
  if (!socket_.valid()) {
    return {};
  }
  for (int i = 0; i < k_packets_per_drain; ++i) {
    const auto any = receive(out);
    if (!any) {
      broken_ = true;
      socket_.reset();
      out.push_back({EventKind::gap, clock_.mono(),
                     format::encode(format::Gap{"kernel_capture_ended", 0, 0,
                                                "the process that reads the kernel's records has "
                                                "gone: executions are no longer seen"})});
      return tl::make_unexpected(any.error());
    }
    if (!*any) {
      break;
    }
  }
  if (const auto n = decoder_.counters().malformed; n > malformed_reported_) {
    out.push_back({EventKind::gap, clock_.mono(),
                   format::encode(format::Gap{"kernel_malformed", n - malformed_reported_, 0,
                                              "records of the kernel that make no sense"})});
    malformed_reported_ = n;
  }
  return {};
}

void KernelSource::finish(std::vector<AuditFact>& out) {
  if (finished_) {
    return;
  }
  finished_ = true;
  const bool active = socket_.valid();
  if (active && send(SWORN_MSG_FLUSH, 1, -1)) {
    const auto deadline = clock_.mono().us + k_finish_us;
    while (!decoder_.flushed() && socket_.valid() && clock_.mono().us < deadline) {
      pollfd ready{socket_.get(), POLLIN, 0};
      ::poll(&ready, 1, 50);
      [[maybe_unused]] const auto done = drain(out);
    }
  }
  const bool whole = decoder_.flushed().has_value();
  if (active && !whole && !broken_) {
    out.push_back({EventKind::gap, clock_.mono(),
                   format::encode(format::Gap{"kernel_capture_ended", 0, 0,
                                              "the last records of the kernel did not come"})});
    broken_ = true;
  }
  const auto& n = decoder_.counters();
  out.push_back({EventKind::capture, clock_.mono(),
                 format::MapWriter()
                     .text("layer", "ebpf")
                     .text("state", !active && !broken_ ? "unavailable"
                                    : broken_           ? "broken"
                                                        : "ended")
                     .text("detail", broken_ ? "sworn-bpf went away" : state_.text)
                     .unsigned_number("ring_bytes", state_.ring_bytes)
                     .unsigned_number("forks", n.forks)
                     .unsigned_number("execs", n.execs)
                     .unsigned_number("exits", n.exits)
                     .unsigned_number("files", n.files)
                     .unsigned_number("connects", n.connects)
                     .unsigned_number("lost", n.lost)
                     .unsigned_number("missed_on_host", n.missed)
                     .unsigned_number("malformed", n.malformed)
                     .finish()});
  socket_.reset();
  reap();
}

}  // namespace sworn::audit
