// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/notify.hpp"

#include "base/bytes.hpp"
#include "base/file.hpp"

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

bool g_to_stderr = false;

constexpr int k_first_passed_fd = 3;

std::optional<std::int64_t> number_in(const char* name) {
  const char* text = std::getenv(name);
  std::int64_t value = 0;
  if (text == nullptr) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  return error == std::errc{} && *end == '\0' ? std::optional(value) : std::nullopt;
}

}  // namespace

void notify_manager(const std::string& state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) {
    return;
  }
  const std::size_t length = std::strlen(path);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (length >= sizeof address.sun_path) {
    return;
  }
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') {
    address.sun_path[0] = '\0';
  }
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
}

std::string reloading_state() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return "RELOADING=1\nMONOTONIC_USEC=" +
         std::to_string(now.tv_sec * 1'000'000 + now.tv_nsec / 1'000);
}

std::optional<std::int64_t> watchdog_interval_us() {
  const auto interval = number_in("WATCHDOG_USEC");
  const auto pid = number_in("WATCHDOG_PID");
  if (!interval || *interval <= 0 || (pid && *pid != ::getpid())) {
    return std::nullopt;
  }
  return *interval / 2;
}

std::optional<Fd> passed_socket() {
  if (number_in("LISTEN_PID") != ::getpid() || number_in("LISTEN_FDS") != 1) {
    return std::nullopt;
  }
  ::fcntl(k_first_passed_fd, F_SETFD, FD_CLOEXEC);
  return Fd(k_first_passed_fd);
}

void open_log(bool to_stderr) {
  g_to_stderr = to_stderr || std::getenv("JOURNAL_STREAM") != nullptr;
  if (!g_to_stderr) {
    ::openlog("swornd", LOG_PID | LOG_NDELAY, LOG_AUTHPRIV);
  }
}

void log_line(LogLevel level, const std::string& text) {
  if (g_to_stderr) {
    const std::string line = "<" + std::to_string(static_cast<int>(level)) + ">" + text + "\n";
    static_cast<void>(write_all(STDERR_FILENO, as_bytes(line)));
  } else {
    ::syslog(static_cast<int>(level), "%s", text.c_str());
  }
}

}  // namespace sworn::recorder::host
