// SPDX-License-Identifier: Apache-2.0
// sworn-bpf: the process that reads the kernel's records of what sessions execute. Started by the
// recorder with a connected socket (--fd), or by the daemon with a listening one (--listen-fd).
#include "audit/bpf/capture_program.hpp"
#include "audit/bpf/privileges.hpp"
#include "audit/bpf/session_server.hpp"
#include "base/version.hpp"

#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace {

using sworn::bpf::CaptureProgram;

constexpr std::uint32_t k_min_ring = 4096;
constexpr std::uint32_t k_max_ring = 1U << 30U;

constexpr std::string_view k_help = R"(Usage: sworn-bpf --check | --fd N | --listen-fd N [OPTIONS]
Follows the processes of recorded sessions in the kernel and hands on what they do.

  --check            load everything, say what works, and leave; exit status 0 or 1
  --fd N             serve the one session of the connected SOCK_SEQPACKET socket N
  --listen-fd N      serve all sessions that connect to the listening socket N
  --allow-uid UID    with --listen-fd: this user may follow processes of others, as root may
  --ring BYTES       size of the ring between kernel and process (a power of two; default 8388608)
  --no-files         do not report files that are opened for writing
  --no-connects      do not report connections
  --syscalls         report opened files and failed executions at the end of system calls where
                     the kernel has no better hook; slows down every system call of the host
  --btf FILE         type information of the running kernel (default /sys/kernel/btf/vmlinux)
  --version, --help

Started by sworn-recorder and swornd; not for daily use by people.

Examples:
  sworn-bpf --check
)";

struct Arguments {
  bool check = false;
  int fd = -1;
  int listen_fd = -1;
  std::vector<uid_t> allowed;
  CaptureProgram::Options program;
};

template <typename T>
bool to_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

std::optional<Arguments> parse(const std::vector<std::string_view>& words) {
  Arguments out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = words[i];
    const bool more = i + 1 < words.size();
    if (word == "--check") {
      out.check = true;
    } else if (word == "--no-files") {
      out.program.files = false;
    } else if (word == "--no-connects") {
      out.program.connects = false;
    } else if (word == "--syscalls") {
      out.program.syscalls = true;
    } else if (word == "--fd" && more) {
      if (!to_number(words[++i], out.fd)) {
        return std::nullopt;
      }
    } else if (word == "--listen-fd" && more) {
      if (!to_number(words[++i], out.listen_fd)) {
        return std::nullopt;
      }
    } else if (word == "--allow-uid" && more) {
      if (!to_number(words[++i], out.allowed.emplace_back())) {
        return std::nullopt;
      }
    } else if (word == "--ring" && more) {
      auto& bytes = out.program.ring_bytes;
      if (!to_number(words[++i], bytes) || bytes < k_min_ring || bytes > k_max_ring ||
          (bytes & (bytes - 1)) != 0) {
        return std::nullopt;
      }
    } else if (word == "--btf" && more) {
      out.program.btf = words[++i];
    } else {
      return std::nullopt;
    }
  }
  const int ways = (out.check ? 1 : 0) + (out.fd >= 0 ? 1 : 0) + (out.listen_fd >= 0 ? 1 : 0);
  return ways == 1 ? std::optional(out) : std::nullopt;
}

std::string_view name_of(sworn::bpf::Level level) {
  switch (level) {
    case sworn::bpf::Level::none:
      return "none";
    case sworn::bpf::Level::best_effort:
      return "best_effort";
    case sworn::bpf::Level::complete:
      return "complete";
  }
  return "none";
}

sworn::Result<std::unique_ptr<CaptureProgram>> prepare(const CaptureProgram::Options& options) {
  TRY(sworn::bpf::keep_only_bpf());
  return CaptureProgram::load(options);
}

int check(const CaptureProgram::Options& options) {
  const auto program = prepare(options);
  if (!program) {
    fmt::print("exec: none\nwhy: {}\n", describe(program.error()));
    return 1;
  }
  fmt::print("exec: complete\nfiles: {}\nconnect: {}\nring: {} bytes\n",
             name_of((*program)->files()), name_of((*program)->connects()),
             (*program)->ring_bytes());
  if (!(*program)->remarks().empty()) {
    fmt::print("why: {}\n", (*program)->remarks());
  }
  return 0;
}

// Nothing of whoever started us is kept: a pipe that stays open here would keep others waiting.
void leave_everything(int keep) {
  ::setsid();
  const auto kept = static_cast<unsigned>(keep);
  if (kept > 3) {
    ::close_range(3, kept - 1, 0);
  }
  ::close_range(kept + 1, ~0U, 0);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; fd <= 2 && null >= 0; ++fd) {
    if (fd != keep) {
      ::dup2(null, fd);
    }
  }
  ::fcntl(keep, F_SETFD, FD_CLOEXEC);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGPIPE}) {
    ::signal(number, SIG_IGN);  // of the terminal: meant for the session, not for its witness
  }
  const rlimit nothing{0, 0};
  if (::setrlimit(RLIMIT_FSIZE, &nothing) != 0 || ::chdir("/") != 0) {
    std::_Exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  if (words.size() == 1 && words[0] == "--version") {
    fmt::print("sworn-bpf {}\n", sworn::k_version);
    return 0;
  }
  if (words.size() == 1 && words[0] == "--help") {
    fmt::print("{}", k_help);
    return 0;
  }
  auto arguments = parse(words);
  if (!arguments) {
    fmt::print(stderr, "sworn-bpf: the options cannot be understood\n  do: sworn-bpf --help\n");
    return 2;
  }
  if (arguments->check) {
    return check(arguments->program);
  }
  const bool one = arguments->fd >= 0;
  sworn::Fd socket(one ? arguments->fd : arguments->listen_fd);
  leave_everything(socket.get());
  auto program = prepare(arguments->program);
  const auto reason = program ? std::string() : describe(program.error());
  sworn::bpf::ServerOptions options;
  (one ? options.client : options.listener) = std::move(socket);
  options.allowed = arguments->allowed;
  sworn::bpf::SessionServer server(std::move(options), program ? std::move(*program) : nullptr,
                                   reason);
  return server.run() ? 0 : 1;
}
