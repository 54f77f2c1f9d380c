// SPDX-License-Identifier: Apache-2.0
// The baseline of every figure in bench/results.md: a PTY relay that keeps nothing. It does what
// each recorder must do at least (raw mode, window size, both directions, exit status) and does it
// the fast way: one poll, then 4 KiB reads until EAGAIN. What a recorder costs is the distance from
// here.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace {

constexpr std::size_t k_read_bytes = 4096;
// Keystrokes wait at most this many reads of a flood of output.
constexpr int k_reads_per_poll = 64;

class RawTerminal {
 public:
  RawTerminal() : active_(::tcgetattr(STDIN_FILENO, &saved_) == 0) {
    if (active_) {
      termios raw = saved_;
      ::cfmakeraw(&raw);
      ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (active_) {
      ::tcsetattr(STDIN_FILENO, TCSADRAIN, &saved_);
    }
  }
  [[nodiscard]] const termios* saved() const { return active_ ? &saved_ : nullptr; }

 private:
  termios saved_{};
  bool active_;
};

bool write_out(std::string_view data) {
  while (!data.empty()) {
    const ssize_t n = ::write(STDOUT_FILENO, data.data(), data.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return false;
    }
    data.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void pass_window_size(int ptm) {
  winsize size{};
  if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0) {
    ::ioctl(ptm, TIOCSWINSZ, &size);
  }
}

class Relay {
 public:
  Relay(int ptm, int signals) : ptm_(ptm), signals_(signals) {}

  // Until the session's terminal has no writer any more, or nobody looks at ours.
  void run() {
    while (step()) {
    }
  }

 private:
  bool step() {
    pollfd fds[3] = {
        {.fd = ptm_, .events = POLLIN, .revents = 0},
        {.fd = pending_ == 0 && input_open_ ? STDIN_FILENO : -1, .events = POLLIN, .revents = 0},
        {.fd = signals_, .events = POLLIN, .revents = 0}};
    if (pending_ > 0) {
      fds[0].events |= POLLOUT;
    }
    if (::poll(fds, 3, -1) < 0) {
      return errno == EINTR;
    }
    if (fds[2].revents != 0) {
      take_signals();
    }
    if (fds[1].revents != 0) {
      take_input();
    }
    if (pending_ > 0) {
      send_input();
    }
    return (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) == 0 || take_output();
  }

  bool take_output() {
    char buffer[k_read_bytes];
    for (int i = 0; i < k_reads_per_poll; ++i) {
      const ssize_t n = ::read(ptm_, buffer, sizeof(buffer));
      if (n < 0 && errno == EAGAIN) {
        return true;
      }
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n <= 0 || !write_out({buffer, static_cast<std::size_t>(n)})) {
        return false;  // EIO: the last process closed the terminal
      }
    }
    return true;
  }

  void take_input() {
    const ssize_t n = ::read(STDIN_FILENO, input_, sizeof(input_));
    if (n > 0) {
      pending_ = static_cast<std::size_t>(n);
      sent_ = 0;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      input_open_ = false;
    }
  }

  void send_input() {
    const ssize_t n = ::write(ptm_, input_ + sent_, pending_);
    if (n > 0) {
      sent_ += static_cast<std::size_t>(n);
      pending_ -= static_cast<std::size_t>(n);
    }
  }

  void take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
      pass_window_size(ptm_);
    }
  }

  int ptm_;
  int signals_;
  bool input_open_ = true;
  char input_[k_read_bytes];
  std::size_t pending_ = 0;
  std::size_t sent_ = 0;
};

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: bench_relay COMMAND [ARGUMENT ...]\n", stderr);
    return 125;
  }
  sigset_t winch;
  sigemptyset(&winch);
  sigaddset(&winch, SIGWINCH);
  sigprocmask(SIG_BLOCK, &winch, nullptr);
  int status = 0;
  {
    const RawTerminal terminal;
    int ptm = -1;
    const pid_t child = ::forkpty(&ptm, nullptr, terminal.saved(), nullptr);
    if (child < 0) {
      std::perror("bench_relay: forkpty");
      return 125;
    }
    if (child == 0) {
      pass_window_size(STDIN_FILENO);
      sigprocmask(SIG_UNBLOCK, &winch, nullptr);
      ::execvp(argv[1], argv + 1);
      std::perror(argv[1]);
      ::_exit(127);
    }
    pass_window_size(ptm);
    ::fcntl(ptm, F_SETFL, O_NONBLOCK);
    Relay(ptm, ::signalfd(-1, &winch, SFD_NONBLOCK | SFD_CLOEXEC)).run();
    ::close(ptm);  // where nobody reads any more, the program gets its hang-up
    status = wait_for(child);
  }
  if (WIFSIGNALED(status)) {
    std::signal(WTERMSIG(status), SIG_DFL);
    ::raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
  }
  return WEXITSTATUS(status);
}
