// SPDX-License-Identifier: Apache-2.0
#include "recorder/signals.hpp"

#include <array>
#include <cerrno>

#include <sys/signalfd.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

constexpr std::array k_taken{SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
                             SIGUSR2, SIGALRM, SIGTSTP, SIGCONT};

bool is_ignored(int number) {
  struct sigaction action {};
  return ::sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Result<Signals> Signals::take() {
  Signals out;
  sigset_t taken;
  ::sigemptyset(&taken);
  // A blocked signal is queued even where it is ignored, so what nohup asked for must stay outside.
  for (const int number : k_taken) {
    if (!is_ignored(number)) {
      ::sigaddset(&taken, number);
    }
  }
  // A parent may have left SIGCHLD ignored, and then nobody could tell how the command ended.
  ::signal(SIGCHLD, SIG_DFL);
  ::sigaddset(&taken, SIGCHLD);
  ::sigaddset(&taken, SIGWINCH);
  out.ignored_pipe_ = is_ignored(SIGPIPE);
  ::signal(SIGPIPE, SIG_IGN);
  if (::sigprocmask(SIG_BLOCK, &taken, &out.original_mask_) != 0) {
    return fail_sys(errno, "sigprocmask");
  }
  out.fd_.reset(::signalfd(-1, &taken, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!out.fd_.valid()) {
    return fail_sys(errno, "signalfd");
  }
  return out;
}

std::optional<SignalFact> Signals::next() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) {
    return std::nullopt;
  }
  return SignalFact{static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL,
                    static_cast<std::int64_t>(info.ssi_pid)};
}

void Signals::restore() const {
  if (!ignored_pipe_) {
    ::signal(SIGPIPE, SIG_DFL);
  }
  ::sigprocmask(SIG_SETMASK, &original_mask_, nullptr);
}

bool Signals::stop_self(int number) const {
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, number);
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  // The whole job: a shell takes a pipeline for stopped only when all of it is.
  ::kill(0, number);
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  const bool stopped = ::sigismember(&pending, SIGCONT) == 1;
  if (number != SIGTTIN && number != SIGTTOU && number != SIGSTOP) {
    ::sigprocmask(SIG_BLOCK, &one, nullptr);
  }
  return stopped;
}

}  // namespace sworn::recorder
