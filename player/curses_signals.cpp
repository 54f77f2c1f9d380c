// SPDX-License-Identifier: Apache-2.0
#include "player/curses_signals.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace sworn::player {
namespace {

// What signal handlers need: written before they are installed, plain data only.
struct SignalState {
  int pipe = -1;
  int tty = -1;
  bool have_modes = false;
  termios modes{};
  std::array<char, 512> restore{};
  std::size_t restore_size = 0;
};
SignalState g_signals;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

extern "C" void on_signal(int number) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(number);
  [[maybe_unused]] const auto n = ::write(g_signals.pipe, &byte, 1);
  errno = saved;
}

// The program is broken: leave the terminal usable, then die of the same signal.
extern "C" void on_crash(int number) {
  [[maybe_unused]] const auto n =
      ::write(g_signals.tty, g_signals.restore.data(), g_signals.restore_size);
  if (g_signals.have_modes) {
    ::tcsetattr(g_signals.tty, TCSANOW, &g_signals.modes);
  }
  ::raise(number);
}

void install(int number, void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  ::sigaction(number, &action, nullptr);
}

constexpr std::array<int, 7> k_signals{SIGTERM, SIGHUP,   SIGINT, SIGQUIT,
                                       SIGTSTP, SIGWINCH, SIGCONT};
constexpr std::array<int, 5> k_crashes{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

}  // namespace

Result<void> SignalGuard::open() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) {
    return fail_sys(errno, "cannot make a pipe");
  }
  read_ = Fd(ends[0]);
  write_ = Fd(ends[1]);
  g_signals.pipe = ends[1];
  g_signals.tty = STDOUT_FILENO;
  g_signals.have_modes = ::tcgetattr(STDIN_FILENO, &g_signals.modes) == 0;
  return {};
}

void SignalGuard::install(const std::string& restore) {
  g_signals.restore_size = std::min(restore.size(), g_signals.restore.size());
  std::memcpy(g_signals.restore.data(), restore.data(), g_signals.restore_size);
  for (const int number : k_signals) {
    sworn::player::install(number, on_signal, SA_RESTART);
  }
  for (const int number : k_crashes) {
    sworn::player::install(number, on_crash, static_cast<int>(SA_RESETHAND | SA_NODEFER));
  }
}

SignalGuard::~SignalGuard() {
  for (const int number : k_signals) {
    sworn::player::install(number, SIG_DFL, 0);
  }
  for (const int number : k_crashes) {
    sworn::player::install(number, SIG_DFL, 0);
  }
  g_signals = SignalState{};
}

void SignalGuard::notify() const {
  const unsigned char nothing = 0;
  [[maybe_unused]] const auto n = ::write(write_.get(), &nothing, 1);
}

void SignalGuard::stop() {
  sworn::player::install(SIGTSTP, SIG_DFL, 0);
  ::raise(SIGTSTP);
  sworn::player::install(SIGTSTP, on_signal, SA_RESTART);
}

}  // namespace sworn::player
