// SPDX-License-Identifier: Apache-2.0
#include "recorder/command.hpp"

#include <array>
#include <cerrno>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>

namespace sworn::recorder {

Result<std::unique_ptr<Command>> Command::start(AnchorPlan plan) {
  auto out = std::unique_ptr<Command>(new Command);
  std::array<int, 2> sockets{};
  std::array<int, 2> go{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0) {
    return fail_sys(errno, "socketpair");
  }
  out->socket_.reset(sockets[0]);
  const Fd anchor_end(sockets[1]);
  if (::pipe2(go.data(), O_CLOEXEC) != 0) {
    return fail_sys(errno, "pipe");
  }
  const Fd go_read(go[0]);
  out->go_.reset(go[1]);
  plan.report_fd = anchor_end.get();
  plan.go_fd = go_read.get();
  plan.recorder_fds.push_back(out->socket_.get());
  plan.recorder_fds.push_back(out->go_.get());

  out->anchor_ = ::fork();
  if (out->anchor_ < 0) {
    return fail_sys(errno, "cannot start another process");
  }
  if (out->anchor_ == 0) {
    run_anchor(plan);
  }
  TRY(out->hear_pid());
  return out;
}

Result<void> Command::hear_pid() {
  AnchorMessage first;
  ssize_t n = 0;
  while ((n = ::recv(socket_.get(), &first, sizeof first, 0)) < 0 && errno == EINTR) {
  }
  if (n != static_cast<ssize_t>(sizeof first) || first.kind != AnchorMessage::Kind::command_pid) {
    return fail_sys(n > 0 ? first.value : ECHILD,
                    "cannot prepare the command's terminal or process");
  }
  pid_ = first.value;
  return {};
}

Result<std::unique_ptr<Command>> Command::attach(Fd socket, Fd go, int timeout_ms) {
  auto out = std::unique_ptr<Command>(new Command);
  out->socket_ = std::move(socket);
  out->go_ = std::move(go);
  pollfd ready{out->socket_.get(), POLLIN, 0};
  if (::poll(&ready, 1, timeout_ms) <= 0) {
    return fail_sys(ETIMEDOUT, "the client did not prepare the command");
  }
  TRY(out->hear_pid());
  return out;
}

Command::~Command() {
  go_.reset();
  socket_.reset();
  if (anchor_ > 0) {
    ::waitpid(anchor_, nullptr, 0);
  }
}

void Command::go() {
  const char byte = 1;
  while (::write(go_.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  go_.reset();
}

std::optional<CommandReport> Command::next() {
  if (ended_) {
    return std::nullopt;
  }
  AnchorMessage message;
  const auto n = ::recv(socket_.get(), &message, sizeof message, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
    return std::nullopt;
  }
  if (n != static_cast<ssize_t>(sizeof message)) {
    ended_ = true;
    return CommandReport{CommandReport::Kind::lost, 0};
  }
  switch (message.kind) {
    case AnchorMessage::Kind::exec_failed:
      return CommandReport{CommandReport::Kind::exec_failed, message.value};
    case AnchorMessage::Kind::stopped:
      return CommandReport{CommandReport::Kind::stopped, message.value};
    case AnchorMessage::Kind::continued:
      return CommandReport{CommandReport::Kind::continued, message.value};
    case AnchorMessage::Kind::ended:
      ended_ = true;
      return CommandReport{CommandReport::Kind::ended, message.value};
    case AnchorMessage::Kind::command_pid:
    case AnchorMessage::Kind::pass:
    case AnchorMessage::Kind::foreground:
    case AnchorMessage::Kind::background:
    case AnchorMessage::Kind::hang_up:
      break;
  }
  return std::nullopt;
}

void Command::tell(AnchorMessage::Kind kind, int value) {
  const AnchorMessage message{kind, value};
  while (::send(socket_.get(), &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

}  // namespace sworn::recorder
