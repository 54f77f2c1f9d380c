// SPDX-License-Identifier: Apache-2.0
#include "audit/kernel_decoder.hpp"

#include "format/event_payload.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace sworn::audit {
namespace {

using format::EventKind;

constexpr std::size_t k_max_cpus = 8192;
constexpr std::size_t k_max_words = SWORN_MAX_ARGV + 1;  // of one argv
constexpr std::size_t k_max_text = 4096;

template <typename T>
bool read_struct(ByteView bytes, T& out) {
  if (bytes.size() < sizeof out) {
    return false;
  }
  std::memcpy(&out, bytes.data(), sizeof out);
  return true;
}

std::int64_t microseconds(std::uint64_t ns) {
  return static_cast<std::int64_t>(ns / 1000);
}

ProcessId process_of(const sworn_wire_header& header) {
  return {header.pid, microseconds(header.start)};
}

std::string comm_of(const char (&comm)[16]) {
  return {comm, ::strnlen(comm, sizeof comm)};
}

// "c\0b\0a\0" -> "/a/b/c"; what lies in no directory has one name without a slash.
std::string path_of(ByteView names, bool anonymous) {
  const auto text = as_text(names);
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\0', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() == 1 && (anonymous || parts[0] == "/")) {
    return std::string(parts[0]);
  }
  std::string out;
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    out += '/';
    out += *part;
  }
  return out;
}

std::vector<std::string> words_of(ByteView argv, bool whole) {
  auto text = as_text(argv);
  std::vector<std::string> out;
  while (!text.empty() && out.size() < k_max_words) {
    const auto end = text.find('\0');
    if (end == std::string_view::npos) {
      if (!whole) {
        out.emplace_back(text);  // cut in the middle of a word
      }
      break;
    }
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  return out;
}

std::string address_of(const sworn_wire_connect& record) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = record.family == 2 ? AF_INET : AF_INET6;
  return ::inet_ntop(family, record.address, text.data(), text.size()) != nullptr ? text.data()
                                                                                  : "";
}

std::string input_of(const sworn_wire_exec& record) {
  constexpr std::uint32_t k_pts_major = 136;
  constexpr std::uint32_t k_last_pts_major = 143;
  constexpr std::uint32_t k_tty_major = 4;
  const auto major = record.stdin_major;
  switch (record.stdin_mode & S_IFMT) {
    case 0:
      return "closed";
    case S_IFCHR:
      return major == k_tty_major || (major >= k_pts_major && major <= k_last_pts_major) ? "tty"
                                                                                         : "device";
    case S_IFIFO:
      return "pipe";
    case S_IFSOCK:
      return "socket";
    default:
      return "file";
  }
}

std::string protocol_of(std::uint32_t number) {
  switch (number) {
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    default:
      return std::to_string(number);
  }
}

}  // namespace

void KernelDecoder::feed(ByteView packet, std::vector<AuditFact>& out) {
  sworn_message message{};
  if (!read_struct(packet, message) || message.version != SWORN_WIRE_VERSION) {
    ++counters_.malformed;
    return;
  }
  switch (message.type) {
    case SWORN_MSG_STATE:
    case SWORN_MSG_REFUSED:
      take_state(packet, message.type == SWORN_MSG_REFUSED);
      return;
    case SWORN_MSG_COUNTERS:
      take_counters(packet, out);
      return;
    case SWORN_MSG_RECORDS:
      break;
    default:
      ++counters_.malformed;
      return;
  }
  packet = packet.subspan(sizeof message);
  while (!packet.empty()) {
    sworn_wire_header header{};
    if (!read_struct(packet, header) || header.size < sizeof header ||
        header.size > std::min<std::size_t>(packet.size(), SWORN_SCRATCH) ||
        header.stream >= SWORN_STREAMS || header.cpu >= k_max_cpus) {
      ++counters_.malformed;
      return;  // where the next record begins is not known any more
    }
    count(header, out);
    if (!take_record(header, packet.first(header.size), out)) {
      ++counters_.malformed;
    }
    packet = packet.subspan(header.size);
  }
}

void KernelDecoder::take_state(ByteView packet, bool refused) {
  KernelState state;
  state.refused = refused;
  std::size_t text_at = sizeof(sworn_message);
  if (!refused) {
    sworn_message_state message{};
    if (!read_struct(packet, message) || message.exec > 2 || message.files > 2 ||
        message.connect > 2) {
      ++counters_.malformed;
      return;
    }
    state.exec = message.exec;
    state.files = message.files;
    state.connect = message.connect;
    state.ring_bytes = message.ring_bytes;
    text_at = sizeof message;
  }
  state.text = as_text(packet.subspan(text_at)).substr(0, k_max_text);
  state_ = std::move(state);
}

void KernelDecoder::take_counters(ByteView packet, std::vector<AuditFact>& out) {
  sworn_message_counters message{};
  if (!read_struct(packet, message) || message.cpus > k_max_cpus ||
      packet.size() != sizeof message + std::size_t{message.cpus} * SWORN_STREAMS * 8) {
    ++counters_.malformed;
    return;
  }
  counters_.missed = message.missed;
  // The end of a stream has no record behind it that would show a hole.
  for (std::uint64_t i = 0; i < std::uint64_t{message.cpus} * SWORN_STREAMS; ++i) {
    std::uint64_t number = 0;
    std::memcpy(&number, packet.data() + sizeof message + i * 8, 8);
    const auto key = i / message.cpus << 32U | i % message.cpus;
    auto& last = last_[key];
    if (number > last) {
      report_lost(number - last, static_cast<std::uint32_t>(i % message.cpus), newest_, out);
      last = number;
    }
  }
  flushed_ = message.m.value;
}

void KernelDecoder::count(const sworn_wire_header& header, std::vector<AuditFact>& out) {
  auto& last = last_[std::uint64_t{header.stream} << 32U | header.cpu];
  if (header.seq > last + 1) {
    report_lost(header.seq - last - 1, header.cpu, {microseconds(header.at)}, out);
  }
  last = std::max<std::uint64_t>(last, header.seq);
  newest_ = std::max(newest_, MonoTime{microseconds(header.at)});
}

void KernelDecoder::report_lost(std::uint64_t lost, std::uint32_t cpu, MonoTime at,
                                std::vector<AuditFact>& out) {
  counters_.lost += lost;
  out.push_back(
      {EventKind::gap, at,
       format::encode(format::Gap{
           "kernel_lost", lost, 0,
           fmt::format("the kernel's records of CPU {} came faster than they were read", cpu)})});
}

bool KernelDecoder::take_record(const sworn_wire_header& header, ByteView record,
                                std::vector<AuditFact>& out) {
  const auto process = process_of(header);
  const MonoTime at{microseconds(header.at)};
  switch (header.kind) {
    case SWORN_FORK: {
      sworn_wire_fork fork{};
      if (!read_struct(record, fork) || record.size() != sizeof fork) {
        return false;
      }
      ++counters_.forks;
      living_.forked(process, {fork.parent, microseconds(fork.parent_start)});
      return true;
    }
    case SWORN_EXEC:
    case SWORN_EXEC_FAILED:
      return take_exec(header, record, out);
    case SWORN_EXIT: {
      sworn_wire_exit exit{};
      if (!read_struct(record, exit) || record.size() != sizeof exit) {
        return false;
      }
      ExitFact fact;
      fact.process = process;
      fact.parent = {exit.parent, microseconds(exit.parent_start)};
      fact.comm = comm_of(exit.comm);
      fact.signal = static_cast<int>(exit.status & 0x7FU);
      fact.core_dumped = (exit.status & 0x80U) != 0;
      fact.status = static_cast<int>(exit.status >> 8U & 0xFFU);
      fact.execs = exit.execs;
      fact.source = "ebpf";
      ++counters_.exits;
      living_.ended(process);
      out.push_back({EventKind::exec_exit, at, encode(fact)});
      return true;
    }
    case SWORN_OPEN: {
      sworn_wire_open open{};
      if (!read_struct(record, open) || open.path_length != record.size() - sizeof open) {
        return false;
      }
      FileFact fact;
      fact.process = process;
      fact.path = path_of(record.subspan(sizeof open), false);
      fact.flags = open.open_flags;
      fact.comm = comm_of(open.comm);
      fact.source = (open.flags & SWORN_BY_SYSCALL) != 0 ? "syscall" : "lsm";
      if ((open.flags & SWORN_PATH_TRUNCATED) != 0) {
        fact.notes.emplace_back("path_truncated");
      }
      ++counters_.files;
      out.push_back({EventKind::file, at, encode(fact)});
      return true;
    }
    case SWORN_CONNECT: {
      sworn_wire_connect connect{};
      if (!read_struct(record, connect) || record.size() != sizeof connect ||
          (connect.family != 2 && connect.family != 10)) {
        return false;
      }
      ConnectFact fact;
      fact.process = process;
      fact.family = connect.family == 2 ? "inet" : "inet6";
      fact.address = address_of(connect);
      fact.port = connect.port;
      fact.protocol = protocol_of(connect.protocol);
      fact.comm = comm_of(connect.comm);
      fact.source = "ebpf";
      ++counters_.connects;
      out.push_back({EventKind::connect, at, encode(fact)});
      return true;
    }
    default:
      return false;
  }
}

bool KernelDecoder::take_exec(const sworn_wire_header& header, ByteView record,
                              std::vector<AuditFact>& out) {
  sworn_wire_exec exec{};
  if (!read_struct(record, exec)) {
    return false;
  }
  auto data = record.subspan(sizeof exec);
  const std::array<std::uint32_t, 4> lengths{exec.argv_length, exec.file_length, exec.exe_length,
                                             exec.cwd_length};
  std::array<ByteView, 4> parts;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (lengths[i] > data.size()) {
      return false;
    }
    parts[i] = data.first(lengths[i]);
    data = data.subspan(lengths[i]);
  }
  if (!data.empty()) {
    return false;
  }
  const bool failed = header.kind == SWORN_EXEC_FAILED;
  const bool anonymous = (exec.flags & SWORN_EXE_ANONYMOUS) != 0;
  ExecFact fact;
  fact.process = process_of(header);
  fact.parent = {exec.parent, microseconds(exec.parent_start)};
  fact.ppid = exec.ppid;
  fact.uid = exec.uid;
  fact.euid = exec.euid;
  fact.gid = exec.gid;
  fact.egid = exec.egid;
  fact.loginuid = exec.loginuid;
  fact.audit_ses = exec.audit_ses;
  if (exec.tty_major != 0) {
    fact.tty = fmt::format("{}:{}", exec.tty_major, exec.tty_minor);
  }
  fact.cgroup = exec.cgroup;
  fact.comm = comm_of(exec.comm);
  const auto file = as_text(parts[1]);
  fact.file = file.substr(0, std::min(file.find('\0'), file.size()));
  fact.exe = failed ? fact.file : path_of(parts[2], anonymous);
  fact.cwd = path_of(parts[3], false);
  fact.input = input_of(exec);
  fact.argv_bytes = exec.argv_total;
  fact.source = (exec.flags & SWORN_BY_SYSCALL) != 0 ? "syscall" : "ebpf";
  fact.argv = words_of(parts[0], (exec.flags & SWORN_ARGV_TRUNCATED) == 0);
  const auto flag = [&](std::uint32_t bit, const char* name) {
    if ((exec.flags & bit) != 0) {
      fact.flags.emplace_back(name);
    }
  };
  flag(SWORN_ARGV_TRUNCATED, "argv_truncated");
  flag(SWORN_ARGV_UNREADABLE, "argv_unreadable");
  flag(SWORN_PATH_TRUNCATED, "path_truncated");
  flag(SWORN_EXE_DELETED, "deleted");
  flag(SWORN_EXE_ANONYMOUS, "memfd");
  if (failed) {
    fact.error = static_cast<int>(std::min<std::uint32_t>(exec.error, 4095));
    fact.flags.emplace_back("failed");
  } else {
    ++counters_.execs;
    fact.via = living_.forks_above(fact.parent);
    living_.executed(fact.process, fact.parent);
  }
  out.push_back({EventKind::exec, {microseconds(header.at)}, encode(fact)});
  return true;
}

}  // namespace sworn::audit
