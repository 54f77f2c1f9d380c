// SPDX-License-Identifier: Apache-2.0
// Runs a real shell on a pseudo terminal for tests: types, waits for text with a deadline, collects
// the screen bytes and what the shell hook says. The home directory is a fresh one.
#pragma once

#include "audit/shell_hook.hpp"
#include "base/clock.hpp"
#include "base/fd.hpp"
#include "format/event_payload.hpp"
#include "tests/support/temp_dir.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sworn::test {

struct ShellRun {
  std::vector<std::string> argv{"bash"};
  std::string program = "/bin/bash";
  std::vector<std::string> environment{};  // in addition to HOME, PATH, TERM, LANG
  std::vector<std::pair<std::string, std::string>> files{};  // below the home directory
  bool hooked = true;
};

struct SeenCommand {
  format::CommandBegin begin;
  std::optional<format::CommandEnd> end;
  MonoTime began;
  MonoTime ended;
};

class PtyShell {
 public:
  explicit PtyShell(const ShellRun& run) : hook_(clock_) {
    for (const auto& [name, text] : run.files) {
      std::ofstream(home() + "/" + name) << text;
    }
    audit::ChildSetup setup;
    setup.program = run.program;
    setup.argv = run.argv;
    setup.environment = {"HOME=" + home(), "PATH=/usr/local/bin:/usr/bin:/bin", "TERM=dumb",
                         "LANG=C.UTF-8", "LC_ALL=C.UTF-8"};
    setup.environment.insert(setup.environment.end(), run.environment.begin(),
                             run.environment.end());
    if (run.hooked) {
      prepared_ = hook_.prepare(setup).has_value();
    }
    start(setup);
    hook_.launched(pid_);
  }
  ~PtyShell() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }
  PtyShell(const PtyShell&) = delete;
  PtyShell& operator=(const PtyShell&) = delete;

  [[nodiscard]] std::string home() const { return home_.path(); }
  [[nodiscard]] bool prepared() const { return prepared_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  audit::ShellHook& hook() { return hook_; }

  void type(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::write(master_.get(), text.data(), text.size());
      if (n > 0) {
        text.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno != EAGAIN && errno != EINTR) {
        return;
      }
      pump(5);  // the echo must be read, or the terminal's buffer fills up
    }
  }

  // Waits until `text` shows up `times` times behind the last prompt() or wait_for(); false after
  // 20 s.
  bool wait_for(std::string_view text, int most_ms = 20'000) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(most_ms);
    while (true) {
      if (const auto at = screen_.find(text, seen_); at != std::string::npos) {
        seen_ = at + text.size();
        return true;
      }
      if (std::chrono::steady_clock::now() > deadline || (eof_ && !pump(0))) {
        return false;
      }
      pump(50);
    }
  }

  // Types one line and waits for the next prompt; gives what the terminal showed in between.
  std::string run(std::string_view line) {
    const auto from = seen_;
    type(std::string(line) + "\r");
    ok_ = wait_for(k_prompt) && ok_;
    return screen_.substr(from, seen_ - from);
  }

  // Ends the shell with ^D and takes in the rest.
  int finish() {
    type("\x04");
    return wait_exit();
  }
  int wait_exit() {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!eof_ && std::chrono::steady_clock::now() < deadline) {
      pump(50);
    }
    int status = 0;
    if (!eof_) {
      ok_ = false;
      ::kill(pid_, SIGKILL);
    }
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    hook_.finish(facts_);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  [[nodiscard]] bool ok() const { return ok_; }  // no deadline passed
  [[nodiscard]] const std::string& screen() const { return screen_; }
  [[nodiscard]] const std::vector<audit::AuditFact>& facts() const { return facts_; }

  // Command lines with their ends; parts of long ones joined.
  [[nodiscard]] std::vector<SeenCommand> commands() const {
    std::vector<SeenCommand> out;
    for (const auto& fact : facts_) {
      if (fact.kind == format::EventKind::command_begin) {
        auto begin = format::decode_command_begin(fact.data);
        if (begin && !out.empty() && out.back().begin.n == begin->n) {
          out.back().begin.text += begin->text;
        } else if (begin) {
          out.push_back({std::move(*begin), std::nullopt, fact.at, {}});
        }
      } else if (fact.kind == format::EventKind::command_end) {
        auto end = format::decode_command_end(fact.data);
        if (end && !out.empty() && out.back().begin.n == end->n) {
          out.back().ended = fact.at;
          out.back().end = std::move(*end);
        }
      }
    }
    return out;
  }

  static constexpr std::string_view k_prompt = "@@> ";

 private:
  void start(const audit::ChildSetup& setup) {
    int master = -1;
    int slave = -1;
    const winsize size{24, 200, 0, 0};
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) {
      return;
    }
    master_ = Fd(master);
    const Fd slave_fd(slave);
    ::fcntl(master, F_SETFD, FD_CLOEXEC);
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    std::vector<char*> argv;
    std::vector<char*> environment;
    for (const auto& word : setup.argv) {
      argv.push_back(const_cast<char*>(word.c_str()));
    }
    for (const auto& word : setup.environment) {
      environment.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    environment.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setsid();
      ::ioctl(slave, TIOCSCTTY, 0);
      ::dup2(slave, 0);
      ::dup2(slave, 1);
      ::dup2(slave, 2);
      for (int fd = 3; fd < 1024; ++fd) {  // also what the test runner left open
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
      }
      for (const int fd : setup.inherit) {
        ::fcntl(fd, F_SETFD, 0);
      }
      if (::chdir("/tmp") == 0) {
        ::execve(setup.program.c_str(), argv.data(), environment.data());
      }
      ::_exit(127);
    }
  }

  bool pump(int timeout_ms) {
    pollfd fds[2] = {{master_.get(), POLLIN, 0}, {hook_.fd(), POLLIN, 0}};
    if (::poll(fds, 2, timeout_ms) <= 0) {
      return false;
    }
    const auto before = facts_.size();
    ok_ = hook_.drain(facts_).has_value() && ok_;
    bool any = facts_.size() != before;
    char buffer[65536];
    const auto n = ::read(master_.get(), buffer, sizeof buffer);
    if (n > 0) {
      screen_.append(buffer, static_cast<std::size_t>(n));
      any = true;
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      eof_ = true;
    }
    return any;
  }

  SystemClock clock_;
  TempDir home_;
  audit::ShellHook hook_;
  Fd master_;
  pid_t pid_ = -1;
  std::string screen_;
  std::size_t seen_ = 0;
  std::vector<audit::AuditFact> facts_;
  bool prepared_ = false;
  bool eof_ = false;
  bool ok_ = true;
};

}  // namespace sworn::test
