// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/spawn.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

constexpr int k_link_number = 3;

// Between fork and exec: only what may be called there.
[[noreturn]] void become_monitor(const char* program, const MonitorAccount& account, int link) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < 32; ++number) {
    ::signal(number, SIG_DFL);
  }
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  ::dup2(null, 1);
  ::dup2(null, 2);
  if (link == k_link_number) {
    ::fcntl(link, F_SETFD, 0);
  } else if (::dup2(link, k_link_number) < 0) {
    ::_exit(126);
  }
  ::close_range(k_link_number + 1, ~0U, 0);
  const rlimit locked{16U << 20U, 16U << 20U};  // keystrokes, keys, the events of an encrypted tail
  ::setrlimit(RLIMIT_MEMLOCK, &locked);
  if (::setgroups(0, nullptr) != 0 || ::setresgid(account.gid, account.gid, account.gid) != 0 ||
      ::setresuid(account.uid, account.uid, account.uid) != 0 || ::chdir("/") != 0 ||
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    ::_exit(126);
  }
  std::array<char*, 2> argv{const_cast<char*>("sworn-monitor"), nullptr};
  std::array<char*, 2> environment{const_cast<char*>("PATH=/usr/bin:/bin"), nullptr};
  ::execve(program, argv.data(), environment.data());
  ::_exit(127);
}

bool somebody_listens(const sockaddr_un& address) {
  const Fd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

[[noreturn]] void become_capture(const char* program, const char* uid, int listener) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int number = 1; number < 32; ++number) {
    ::signal(number, SIG_DFL);
  }
  if (listener == k_link_number) {
    ::fcntl(listener, F_SETFD, 0);
  } else if (::dup2(listener, k_link_number) < 0) {
    ::_exit(126);
  }
  ::close_range(k_link_number + 1, ~0U, 0);
  ::setsid();
  std::array<char*, 6> argv{const_cast<char*>("sworn-bpf"), const_cast<char*>("--listen-fd"),
                            const_cast<char*>("3"),         const_cast<char*>("--allow-uid"),
                            const_cast<char*>(uid),         nullptr};
  std::array<char*, 2> environment{const_cast<char*>("PATH=/usr/bin:/bin"), nullptr};
  ::execve(program, argv.data(), environment.data());
  ::_exit(127);
}

}  // namespace

Result<void> start_capture(const std::string& program, const std::string& socket_path,
                           const MonitorAccount& account) {
  if (::access(program.c_str(), X_OK) != 0) {
    return fail_sys(errno, program);
  }
  // The kernel counts processes from the first namespace: elsewhere it would never find ours.
  struct stat space {};
  constexpr ino_t k_first_pid_namespace = 0xEFFFFFFC;
  if (::stat("/proc/self/ns/pid", &space) != 0 || space.st_ino != k_first_pid_namespace) {
    return fail(Errc::unsupported, "this is not the first process namespace of the machine");
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_path.size() >= sizeof address.sun_path) {
    return fail(Errc::bad_usage, "the name of the capture's socket is too long");
  }
  std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
  if (somebody_listens(address)) {
    return {};
  }
  ::unlink(socket_path.c_str());
  const Fd listener(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  constexpr int k_backlog = 512;
  const mode_t old = ::umask(0177);
  const int bound =
      ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(old);
  if (bound != 0 || ::chown(socket_path.c_str(), account.uid, account.gid) != 0 ||
      ::listen(listener.get(), k_backlog) != 0) {
    return fail_sys(bound != 0 ? error : errno, "cannot listen on " + socket_path);
  }
  const std::string uid = std::to_string(account.uid);
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_sys(errno, "cannot start another process");
  }
  if (pid == 0) {
    become_capture(program.c_str(), uid.c_str(), listener.get());
  }
  return {};
}

Result<MonitorProcess> spawn_monitor(const std::string& program, const MonitorAccount& account) {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_sys(errno, "socketpair");
  }
  MonitorProcess out{-1, Fd(pair[0])};
  const Fd theirs(pair[1]);
  out.pid = ::fork();
  if (out.pid < 0) {
    return fail_sys(errno, "cannot start another process");
  }
  if (out.pid == 0) {
    become_monitor(program.c_str(), account, theirs.get());
  }
  return out;
}

}  // namespace sworn::recorder::host
