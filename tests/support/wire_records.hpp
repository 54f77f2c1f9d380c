// SPDX-License-Identifier: Apache-2.0
// Packets as sworn-bpf sends them, for tests of what reads them.
#pragma once

#include "audit/bpf/kernel_wire.h"
#include "base/bytes.hpp"

#include <cstring>
#include <string>
#include <string_view>

namespace sworn::test {

template <typename T>
Bytes struct_bytes(const T& value, std::string_view data = {}) {
  Bytes out(sizeof value);
  std::memcpy(out.data(), &value, sizeof value);
  append(out, as_bytes(data));
  return out;
}

inline Bytes message(std::uint16_t type, const Bytes& body = {}, std::uint32_t value = 0) {
  auto out = struct_bytes(sworn_message{SWORN_WIRE_VERSION, type, value});
  append(out, body);
  return out;
}

inline sworn_wire_header wire_header(std::uint16_t kind, std::uint32_t pid, std::uint64_t seq,
                                     std::uint16_t cpu = 0) {
  sworn_wire_header h{};
  h.kind = kind;
  h.cpu = cpu;
  h.seq = seq;
  h.at = 1'000'000'000 + seq * 1'000'000;
  h.pid = pid;
  h.start = std::uint64_t{pid} * 1'000'000;
  return h;
}

inline Bytes fork_record(std::uint32_t pid, std::uint32_t parent, std::uint64_t seq,
                         std::uint16_t cpu = 0) {
  sworn_wire_fork r{};
  r.h = wire_header(SWORN_FORK, pid, seq, cpu);
  r.h.size = sizeof r;
  r.parent = parent;
  r.parent_start = std::uint64_t{parent} * 1'000'000;
  return struct_bytes(r);
}

inline Bytes exec_record(std::uint32_t pid, std::uint32_t parent, std::uint64_t seq,
                         std::string_view argv, std::string_view exe, std::string_view cwd,
                         std::uint32_t flags = 0) {
  sworn_wire_exec r{};
  r.h = wire_header(SWORN_EXEC, pid, seq);
  r.parent = parent;
  r.ppid = parent;
  r.parent_start = std::uint64_t{parent} * 1'000'000;
  r.flags = flags;
  r.argv_total = static_cast<std::uint32_t>(argv.size());
  r.argv_length = r.argv_total;
  const std::string file("x\0", 2);
  r.file_length = 2;
  r.exe_length = static_cast<std::uint32_t>(exe.size());
  r.cwd_length = static_cast<std::uint32_t>(cwd.size());
  std::memcpy(r.comm, "x", 2);
  std::string data;
  data.append(argv).append(file).append(exe).append(cwd);
  r.h.size = static_cast<std::uint32_t>(sizeof r + data.size());
  return struct_bytes(r, data);
}

inline Bytes exit_record(std::uint32_t pid, std::uint32_t parent, std::uint64_t seq,
                         std::uint32_t status) {
  sworn_wire_exit r{};
  r.h = wire_header(SWORN_EXIT, pid, seq);
  r.h.size = sizeof r;
  r.parent = parent;
  r.parent_start = std::uint64_t{parent} * 1'000'000;
  r.status = status;
  return struct_bytes(r);
}

}  // namespace sworn::test
