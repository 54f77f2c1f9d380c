// SPDX-License-Identifier: Apache-2.0
#include "recorder/anchor.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

using Kind = AnchorMessage::Kind;

void report(int fd, Kind kind, int value) {
  const AnchorMessage message{kind, value};
  while (::send(fd, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

// Moves the three descriptors to 0, 1 and 2, whatever numbers they have now.
bool set_stdio(const int (&stdio)[3]) {
  std::array<int, 3> high{};
  for (std::size_t i = 0; i < high.size(); ++i) {
    high[i] = ::fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
    if (high[i] < 0) {
      return false;
    }
  }
  for (std::size_t i = 0; i < high.size(); ++i) {
    if (::dup2(high[i], static_cast<int>(i)) < 0) {
      return false;
    }
    ::close(high[i]);
  }
  return true;
}

std::vector<char*> c_strings(const std::vector<std::string>& words) {
  std::vector<char*> out;
  for (const auto& word : words) {
    out.push_back(const_cast<char*>(word.c_str()));  // exec wants it so, and changes nothing
  }
  out.push_back(nullptr);
  return out;
}

[[noreturn]] void run_command(const AnchorPlan& plan) {
  if (plan.pts >= 0) {
    ::setpgid(0, 0);
    if (plan.foreground) {  // SIGTTOU is blocked here
      ::tcsetpgrp(plan.pts, ::getpid());
    }
  }
  char go = 0;
  ssize_t n = 0;
  while ((n = ::read(plan.go_fd, &go, 1)) < 0 && errno == EINTR) {
  }
  if (n != 1) {
    ::_exit(0);  // the recorder could not begin
  }
  for (const int fd : plan.setup->inherit) {
    ::fcntl(fd, F_SETFD, 0);
  }
  if (!set_stdio(plan.stdio)) {
    report(plan.report_fd, Kind::exec_failed, errno);
    ::_exit(126);
  }
  const auto argv = c_strings(plan.setup->argv);
  const auto environment = c_strings(plan.setup->environment);
  plan.signals->restore();
  ::execvpe(plan.setup->program.c_str(), argv.data(), environment.data());
  report(plan.report_fd, Kind::exec_failed, errno);
  ::_exit(126);
}

class Anchor {
 public:
  Anchor(const AnchorPlan& plan, pid_t command) : plan_(plan), command_(command) {}

  [[noreturn]] void run(int signal_fd) {
    while (true) {
      std::array<pollfd, 2> ready{{{signal_fd, POLLIN, 0}, {plan_.report_fd, POLLIN, 0}}};
      if (::poll(ready.data(), ready.size(), -1) < 0) {
        continue;
      }
      if (ready[0].revents != 0) {
        on_signals(signal_fd);
      }
      if (ready[1].revents != 0) {
        on_recorder();
      }
    }
  }

 private:
  void signal_command(int number) const {
    // A command in streams mode shares the recorder's process group: only it is meant.
    ::kill(plan_.pts >= 0 ? -command_ : command_, number);
  }

  [[noreturn]] void hang_up() const {
    signal_command(SIGHUP);
    signal_command(SIGCONT);
    ::_exit(0);  // the kernel then hangs up the foreground of the terminal
  }

  void on_signals(int signal_fd) {
    signalfd_siginfo info{};
    while (::read(signal_fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      if (info.ssi_signo == SIGHUP &&
          plan_.pts >= 0) {  // the recorder's end of the terminal is gone
        hang_up();
      }
    }
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED)) > 0) {
      if (pid != command_) {
        continue;
      }
      if (WIFSTOPPED(status)) {
        report(plan_.report_fd, Kind::stopped, WSTOPSIG(status));
      } else if (WIFCONTINUED(status)) {
        report(plan_.report_fd, Kind::continued, SIGCONT);
      } else {
        report(plan_.report_fd, Kind::ended, status);
        ::_exit(0);
      }
    }
  }

  void on_recorder() {
    AnchorMessage message;
    const auto n = ::recv(plan_.report_fd, &message, sizeof message, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    }
    if (n != static_cast<ssize_t>(sizeof message)) {
      hang_up();
    }
    switch (message.kind) {
      case Kind::pass:
        signal_command(message.value);
        break;
      case Kind::foreground:
      case Kind::background:
        continue_command(message.kind == Kind::foreground);
        break;
      case Kind::hang_up:
        signal_command(SIGHUP);
        signal_command(SIGCONT);
        break;
      case Kind::command_pid:
      case Kind::exec_failed:
      case Kind::stopped:
      case Kind::continued:
      case Kind::ended:
        break;
    }
  }

  void continue_command(bool foreground) const {
    if (plan_.pts >= 0) {
      const pid_t now = ::tcgetpgrp(plan_.pts);
      if (foreground && now == ::getpgrp()) {
        ::tcsetpgrp(plan_.pts, command_);
      } else if (!foreground && now == command_) {
        ::tcsetpgrp(plan_.pts, ::getpgrp());
      }
    }
    signal_command(SIGCONT);
  }

  const AnchorPlan& plan_;
  pid_t command_;
};

// Everything but SIGKILL and SIGSTOP: what is meant for the command must not hit its watcher.
int take_signals() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  sigset_t wanted;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGCHLD);
  ::sigaddset(&wanted, SIGHUP);
  return ::signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
}

// Only these stay: an open pipe here would keep others waiting for its end. The terminal stays so
// that the recorder reads its end exactly when we go.
void close_all_but(std::array<int, 3> keep) {
  std::sort(keep.begin(), keep.end());
  unsigned from = 0;
  for (const int fd : keep) {
    if (fd >= 0 && static_cast<unsigned>(fd) > from) {
      ::close_range(from, static_cast<unsigned>(fd) - 1, 0);
    }
    from = fd >= 0 ? static_cast<unsigned>(fd) + 1 : from;
  }
  ::close_range(from, ~0U, 0);
}

}  // namespace

void run_anchor(const AnchorPlan& plan) {
  ::prctl(PR_SET_NAME, "sworn-anchor");
  for (const int fd : plan.recorder_fds) {
    ::close(fd);
  }
  if (plan.pts >= 0 && (::setsid() < 0 || ::ioctl(plan.pts, TIOCSCTTY, 0) != 0)) {
    report(plan.report_fd, Kind::exec_failed, errno);
    ::_exit(126);
  }
  const int signal_fd = take_signals();
  const pid_t command = ::fork();
  if (command < 0 || signal_fd < 0) {
    report(plan.report_fd, Kind::exec_failed, errno);
    ::_exit(126);
  }
  if (command == 0) {
    run_command(plan);
  }
  if (plan.pts >= 0) {
    ::setpgid(command, command);
  }
  report(plan.report_fd, Kind::command_pid, command);
  close_all_but({signal_fd, plan.report_fd, plan.pts});
  Anchor(plan, command).run(signal_fd);
}

}  // namespace sworn::recorder
