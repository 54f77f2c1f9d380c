// SPDX-License-Identifier: Apache-2.0
#include "tests/support/pty_driver.hpp"

#include "base/file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace sworn::test {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t k_max_output = std::size_t{64} << 20U;

winsize to_winsize(TermSize size) {
  winsize ws{};
  ws.ws_col = size.cols;
  ws.ws_row = size.rows;
  return ws;
}

// Runs in the child: only calls that are safe after fork.
[[noreturn]] void run_child(const char* pts_name, const SpawnOptions& options, char* const* argv) {
  ::setsid();
  const int pts = ::open(pts_name, O_RDWR);
  if (pts < 0 || ::ioctl(pts, TIOCSCTTY, 0) != 0) {
    ::_exit(125);
  }
  for (int fd = 0; fd < 3; ++fd) {
    ::dup2(pts, fd);
  }
  if (pts > 2) {
    ::close(pts);
  }
  for (const int number : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGTSTP, SIGTTIN,
                           SIGTTOU, SIGWINCH, SIGALRM}) {
    std::signal(number, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (!options.cwd.empty() && ::chdir(options.cwd.c_str()) != 0) {
    ::_exit(125);
  }
  for (const auto& entry : options.environment) {
    const auto equals = entry.find('=');
    if (equals == std::string::npos) {
      ::unsetenv(entry.c_str());
    } else {
      ::setenv(entry.substr(0, equals).c_str(), entry.c_str() + equals + 1, 1);
    }
  }
  ::execvp(argv[0], argv);
  ::_exit(127);
}

Clock::time_point deadline_after(PtyDriver::Seconds patience) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(patience * slowness());
}

}  // namespace

double slowness() {
  double factor = 1;
  if (const char* text = std::getenv("SWORN_TEST_SLOW"); text != nullptr) {
    factor = std::clamp(std::strtod(text, nullptr), 1.0, 100.0);
  }
#ifdef SWORN_SANITIZED
  factor *= 4;
#endif
  return factor;
}

Result<std::unique_ptr<PtyDriver>> PtyDriver::spawn(const SpawnOptions& options) {
  Fd ptm(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!ptm.valid() || ::grantpt(ptm.get()) != 0 || ::unlockpt(ptm.get()) != 0) {
    return fail_sys(errno, "cannot open a terminal");
  }
  const auto ws = to_winsize(options.size);
  if (::ioctl(ptm.get(), TIOCSWINSZ, &ws) != 0) {
    return fail_sys(errno, "cannot set the terminal size");
  }
  std::array<char, 64> name{};
  if (::ptsname_r(ptm.get(), name.data(), name.size()) != 0) {
    return fail_sys(errno, "ptsname");
  }
  auto words = options.argv;
  std::vector<char*> argv;
  for (auto& word : words) {
    argv.push_back(word.data());
  }
  argv.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_sys(errno, "fork");
  }
  if (pid == 0) {
    run_child(name.data(), options, argv.data());
  }
  return std::unique_ptr<PtyDriver>(new PtyDriver(std::move(ptm), pid, options.size));
}

PtyDriver::PtyDriver(Fd ptm, pid_t pid, TermSize size)
    : ptm_(std::move(ptm)), pid_(pid), terminal_(size) {}

PtyDriver::~PtyDriver() {
  if (status_) {
    return;
  }
  ptm_.reset();  // hang up first: the polite way
  for (int i = 0; i < 50; ++i) {
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
      return;
    }
    ::poll(nullptr, 0, 10);
  }
  ::kill(-pid_, SIGKILL);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

Result<void> PtyDriver::type(std::string_view bytes) {
  return write_all(ptm_.get(), as_bytes(bytes));
}

Result<void> PtyDriver::resize(TermSize size) {
  const auto ws = to_winsize(size);
  if (::ioctl(ptm_.get(), TIOCSWINSZ, &ws) != 0) {
    return fail_sys(errno, "cannot resize the terminal");
  }
  terminal_.resize(size);
  return {};
}

Result<void> PtyDriver::signal(int number) {
  if (::kill(pid_, number) != 0) {
    return fail_sys(errno, "kill");
  }
  return {};
}

// Programs that ask their terminal something may wait for the answer (fish, vim): a few have one
// here.
void PtyDriver::answer_queries(std::string_view bytes) {
  query_ += bytes;
  struct Query {
    std::string_view question;
    std::string_view answer;
  };
  static constexpr std::array<Query, 4> k_queries = {{
      {"\x1b[c", "\x1b[?62;22c"},
      {"\x1b[0c", "\x1b[?62;22c"},
      {"\x1b[>c", "\x1b[>1;10;0c"},
      {"\x1b[6n", ""},  // the answer is the cursor
  }};
  for (const auto& [question, answer] : k_queries) {
    for (auto at = query_.find(question); at != std::string::npos; at = query_.find(question)) {
      query_.erase(0, at + question.size());
      const auto cursor = terminal_.cursor();
      const auto reply = answer.empty() ? "\x1b[" + std::to_string(cursor.row + 1) + ";" +
                                              std::to_string(cursor.col + 1) + "R"
                                        : std::string(answer);
      static_cast<void>(type(reply));
    }
  }
  if (query_.size() > 16) {
    query_.erase(0, query_.size() - 16);
  }
}

// True where something was read; sets closed_ when the other side is gone.
bool PtyDriver::read_some(int timeout_ms) {
  pollfd p{ptm_.get(), POLLIN, 0};
  if (closed_ || ::poll(&p, 1, timeout_ms) <= 0) {
    return false;
  }
  std::array<char, 65536> buffer{};
  const auto n = ::read(ptm_.get(), buffer.data(), buffer.size());
  if (n <= 0) {
    closed_ = n == 0 || errno == EIO;
    return false;
  }
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
  if (output_.size() + bytes.size() <= k_max_output) {
    output_ += bytes;
  }
  terminal_.feed(as_bytes(bytes));
  answer_queries(bytes);
  return true;
}

void PtyDriver::pump() {
  while (read_some(0)) {
  }
}

bool PtyDriver::wait_until(const std::function<bool()>& done, Seconds patience) {
  const auto deadline = deadline_after(patience);
  for (;;) {
    pump();
    if (done()) {
      return true;
    }
    if (closed_ || Clock::now() > deadline) {
      return false;
    }
    read_some(20);  // also conditions that are not on the screen are looked at 50 times a second
  }
}

bool PtyDriver::wait_text(std::string_view text, Seconds patience) {
  return wait_until([&] { return shows(text); }, patience);
}

bool PtyDriver::wait_gone(std::string_view text, Seconds patience) {
  return wait_until([&] { return !shows(text); }, patience);
}

std::optional<int> PtyDriver::wait_exit(Seconds patience) {
  const auto deadline = deadline_after(patience);
  while (!status_) {
    int status = 0;
    const auto reaped = ::waitpid(pid_, &status, WNOHANG);
    pump();  // after waitpid: all that the program wrote is then there
    if (reaped == pid_) {
      status_ = status;
    } else if (reaped < 0 || Clock::now() > deadline) {
      return std::nullopt;
    } else if (closed_) {
      ::poll(nullptr, 0, 5);
    } else {
      read_some(20);
    }
  }
  return status_;
}

std::string PtyDriver::screen() const {
  std::string text;
  std::string empty_rows;
  for (int row = 0; row < terminal_.size().rows; ++row) {
    auto line = terminal_.row_text(row);
    line.erase(line.find_last_not_of(' ') + 1);
    if (line.empty()) {
      empty_rows += '\n';
      continue;
    }
    text += empty_rows + line + "\n";
    empty_rows.clear();
  }
  return text;
}

bool PtyDriver::shows(std::string_view text) const {
  return screen().find(text) != std::string::npos;
}

}  // namespace sworn::test
