// SPDX-License-Identifier: Apache-2.0
#include "audit/proc_source.hpp"

#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sworn::audit {
namespace {

using format::EventKind;

constexpr int k_receive_buffer = 8 * 1024 * 1024;
constexpr int k_messages_per_drain = 4096;
constexpr std::size_t k_max_argv = 16'383;
constexpr std::size_t k_max_link = 4096;

std::string read_proc(std::int64_t pid, const char* name, std::size_t most) {
  const Fd file(::open(fmt::format("/proc/{}/{}", pid, name).c_str(), O_RDONLY | O_CLOEXEC));
  std::string out(most, '\0');
  const auto n = file.valid() ? ::read(file.get(), out.data(), out.size()) : -1;
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

std::string read_link(std::int64_t pid, const char* name) {
  std::string out(k_max_link, '\0');
  const auto n = ::readlink(fmt::format("/proc/{}/{}", pid, name).c_str(), out.data(), out.size());
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

// The numbers behind "Uid:\t" in /proc/PID/status.
std::array<std::uint32_t, 2> two_numbers(std::string_view status, std::string_view name) {
  std::array<std::uint32_t, 2> out{};
  const auto at = status.find(name);
  if (at == std::string_view::npos) {
    return out;
  }
  const auto* position = status.data() + at + name.size();
  const auto* last = status.data() + status.size();
  for (auto& number : out) {
    while (position < last && (*position == '\t' || *position == ' ')) {
      ++position;
    }
    position = std::from_chars(position, last, number).ptr;
  }
  return out;
}

std::int64_t clock_us(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

std::string input_of(std::int64_t pid) {
  const auto target = read_link(pid, "fd/0");
  return target.starts_with("/dev/pts/") || target.starts_with("/dev/tty") ? "tty"
         : target.starts_with("pipe:")                                     ? "pipe"
         : target.starts_with("socket:")                                   ? "socket"
         : target.starts_with("/dev/")                                     ? "device"
         : target.empty()                                                  ? ""
                                                                           : "file";
}

}  // namespace

Result<void> ProcSource::prepare(ChildSetup& /*setup*/) {
  socket_.reset(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = CN_IDX_PROC;
  if (!socket_.valid() ||
      ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    socket_.reset();
    return fail_sys(error, "the kernel's process events are not available");
  }
  ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &k_receive_buffer,
               sizeof k_receive_buffer);
  alignas(NLMSG_ALIGNTO) std::array<std::byte, NLMSG_SPACE(sizeof(cn_msg) + sizeof(int))> bytes{};
  nlmsghdr netlink{};
  netlink.nlmsg_len = NLMSG_LENGTH(sizeof(cn_msg) + sizeof(int));
  netlink.nlmsg_type = NLMSG_DONE;
  cn_msg connector{};
  connector.id = {CN_IDX_PROC, CN_VAL_PROC};
  connector.len = sizeof(int);
  const int listen = PROC_CN_MCAST_LISTEN;
  std::memcpy(bytes.data(), &netlink, sizeof netlink);
  std::memcpy(bytes.data() + NLMSG_HDRLEN, &connector, sizeof connector);
  std::memcpy(bytes.data() + NLMSG_HDRLEN + sizeof connector, &listen, sizeof listen);
  if (::send(socket_.get(), bytes.data(), netlink.nlmsg_len, 0) < 0) {
    const int error = errno;
    socket_.reset();
    return fail_sys(error, "the kernel's process events are not available");
  }
  sleep_us_ = clock_us(CLOCK_BOOTTIME) - clock_us(CLOCK_MONOTONIC);
  return {};
}

void ProcSource::launched(pid_t command) {
  living_.forked({command, clock_.mono().us}, {});
}

MonoTime ProcSource::happened(std::uint64_t monotonic_ns) const {
  return {static_cast<std::int64_t>(monotonic_ns / 1000) + sleep_us_};
}

Result<void> ProcSource::drain(std::vector<AuditFact>& out) {
  alignas(NLMSG_ALIGNTO) std::array<std::byte, 4096> buffer{};
  for (int i = 0; socket_.valid() && i < k_messages_per_drain; ++i) {
    sockaddr_nl sender{};
    socklen_t length = sizeof sender;
    const auto n = ::recvfrom(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                              reinterpret_cast<sockaddr*>(&sender), &length);
    if (n < 0 && errno == ENOBUFS) {
      ++overruns_;
      out.push_back({EventKind::gap, clock_.mono(),
                     format::encode(format::Gap{"proc_overrun", 1, 0,
                                                "process events of the kernel are missing; how "
                                                "many is not known"})});
      continue;
    }
    if (n <= 0) {
      break;
    }
    if (sender.nl_pid == 0) {  // the kernel and nobody else
      take(buffer.data(), static_cast<std::size_t>(n), out);
    }
  }
  return {};
}

void ProcSource::take(const std::byte* data, std::size_t size, std::vector<AuditFact>& out) {
  nlmsghdr netlink{};
  cn_msg connector{};
  proc_event event{};
  constexpr std::size_t k_head = NLMSG_HDRLEN + sizeof connector;
  if (size < k_head) {
    return;
  }
  std::memcpy(&netlink, data, sizeof netlink);
  std::memcpy(&connector, data + NLMSG_HDRLEN, sizeof connector);
  if (netlink.nlmsg_type != NLMSG_DONE || connector.id.idx != CN_IDX_PROC ||
      connector.id.val != CN_VAL_PROC) {
    return;
  }
  std::memcpy(&event, data + k_head, std::min(size - k_head, sizeof event));
  const auto at = happened(event.timestamp_ns);
  switch (event.what) {
    case proc_event::PROC_EVENT_FORK: {
      const auto& fork = event.event_data.fork;
      if (fork.child_pid == fork.child_tgid) {  // else a thread
        on_fork(fork.parent_tgid, fork.child_pid, at);
      }
      break;
    }
    case proc_event::PROC_EVENT_EXEC:
      on_exec(event.event_data.exec.process_tgid, at, out);
      break;
    case proc_event::PROC_EVENT_EXIT: {
      const auto& exit = event.event_data.exit;
      if (exit.process_pid == exit.process_tgid) {
        on_exit(exit.process_pid, exit.exit_code, at, out);
      }
      break;
    }
    default:
      break;
  }
}

void ProcSource::on_fork(std::int64_t parent, std::int64_t child, MonoTime at) {
  if (const auto* known = living_.find(parent)) {
    living_.forked({child, at.us}, {parent, known->start});
  }
}

void ProcSource::on_exec(std::int64_t pid, MonoTime at, std::vector<AuditFact>& out) {
  const auto* known = living_.find(pid);
  if (known == nullptr) {
    return;
  }
  ExecFact fact;
  fact.process = {pid, known->start};
  fact.parent = known->parent;
  fact.ppid = fact.parent.pid;
  fact.source = "proc";
  fact.via = living_.forks_above(fact.parent);
  const auto words = read_proc(pid, "cmdline", k_max_argv);
  fact.argv_bytes = words.size();
  for (std::size_t from = 0; from < words.size();) {
    const auto end = std::min(words.find('\0', from), words.size());
    fact.argv.push_back(words.substr(from, end - from));
    from = end + 1;
  }
  fact.exe = read_link(pid, "exe");
  fact.file = fact.exe;
  fact.cwd = read_link(pid, "cwd");
  fact.input = input_of(pid);
  fact.comm = read_proc(pid, "comm", 16);
  while (!fact.comm.empty() && fact.comm.back() == '\n') {
    fact.comm.pop_back();
  }
  const auto status = read_proc(pid, "status", 4096);
  const auto uids = two_numbers(status, "\nUid:");
  const auto gids = two_numbers(status, "\nGid:");
  fact.uid = uids[0];
  fact.euid = uids[1];
  fact.gid = gids[0];
  fact.egid = gids[1];
  if (words.empty()) {
    fact.flags.emplace_back("argv_unreadable");
    ++unreadable_;
  } else if (words.size() == k_max_argv) {
    fact.flags.emplace_back("argv_truncated");
  }
  const auto parent = fact.parent;
  const auto process = fact.process;
  ++execs_;
  out.push_back({EventKind::exec, at, encode(fact)});
  living_.executed(process, parent);
}

void ProcSource::on_exit(std::int64_t pid, std::uint32_t code, MonoTime at,
                         std::vector<AuditFact>& out) {
  const auto* known = living_.find(pid);
  if (known == nullptr) {
    return;
  }
  ExitFact fact;
  fact.process = {pid, known->start};
  fact.parent = known->parent;
  fact.execs = known->execs;
  fact.signal = static_cast<int>(code & 0x7FU);
  fact.core_dumped = (code & 0x80U) != 0;
  fact.status = static_cast<int>(code >> 8U & 0xFFU);
  fact.source = "proc";
  out.push_back({EventKind::exec_exit, at, encode(fact)});
  living_.ended(fact.process);
}

void ProcSource::finish(std::vector<AuditFact>& out) {
  if (finished_) {
    return;
  }
  finished_ = true;
  [[maybe_unused]] const auto last = drain(out);
  out.push_back({EventKind::capture, clock_.mono(),
                 format::MapWriter()
                     .text("layer", "proc")
                     .text("state", "ended")
                     .unsigned_number("execs", execs_)
                     .unsigned_number("without_words", unreadable_)
                     .unsigned_number("overruns", overruns_)
                     .finish()});
  socket_.reset();
}

}  // namespace sworn::audit
