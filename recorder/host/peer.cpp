// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/peer.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>
#include <string_view>

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

std::string proc_path(pid_t pid, const char* name) {
  return "/proc/" + std::to_string(pid) + "/" + name;
}

std::string read_small(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string out;
  std::array<char, 4096> buffer{};
  while (fd.valid() && out.size() < 1U << 20U) {
    const auto n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n <= 0) {
      break;
    }
    out.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return out;
}

}  // namespace

Result<Peer> peer_of(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
      credentials.pid <= 0) {
    return fail_sys(errno, "the peer has no credentials");
  }
  Peer out{credentials.pid, credentials.uid, credentials.gid, {}};
  out.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, credentials.pid, 0)));
  if (!out.pidfd.valid()) {
    return fail_sys(errno, "the peer is gone");
  }
  return out;
}

bool is_alive(const Peer& peer) {
  pollfd ended{peer.pidfd.get(), POLLIN, 0};
  return ::poll(&ended, 1, 0) == 0;
}

Result<ProcessFacts> read_process(pid_t pid) {
  ProcessFacts out;
  out.pid = pid;
  const std::string stat = read_small(proc_path(pid, "stat"));
  const auto close = stat.rfind(')');  // the name may hold anything
  if (close == std::string::npos) {
    return fail(Errc::not_found, "no such process");
  }
  std::istringstream fields(stat.substr(close + 1));
  std::string state;
  long long skipped = 0;
  long long group = 0;
  fields >> state >> out.parent >> group >> out.posix_sid >> out.terminal;
  for (int i = 0; i < 14; ++i) {
    fields >> skipped;
  }
  fields >> out.start_ticks;
  if (!fields) {
    return fail(Errc::corrupt, "the kernel's description of a process is not understood");
  }
  std::istringstream status(read_small(proc_path(pid, "status")));
  for (std::string line; std::getline(status, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    if (name == "TracerPid:") {
      words >> out.tracer;
    } else if (name == "Uid:") {
      words >> out.uid;
    } else if (name == "Groups:") {
      for (std::uint32_t gid = 0; words >> gid;) {
        out.groups.push_back(gid);
      }
    }
  }
  return out;
}

std::uint32_t proc_number(pid_t pid, const char* name) {
  const std::string text = read_small(proc_path(pid, name));
  std::uint32_t value = 0xFFFFFFFF;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string working_directory(pid_t pid) {
  std::array<char, PATH_MAX> target{};
  const auto n = ::readlink(proc_path(pid, "cwd").c_str(), target.data(), target.size());
  return n > 0 ? std::string(target.data(), static_cast<std::size_t>(n)) : std::string();
}

bool executes(pid_t pid, const std::string& program) {
  struct stat running {};
  struct stat wanted {};
  return ::stat(proc_path(pid, "exe").c_str(), &running) == 0 &&
         ::stat(program.c_str(), &wanted) == 0 && running.st_dev == wanted.st_dev &&
         running.st_ino == wanted.st_ino && wanted.st_uid == 0 && (wanted.st_mode & 022U) == 0;
}

}  // namespace sworn::recorder::host
