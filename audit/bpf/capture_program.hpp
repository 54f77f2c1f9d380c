// SPDX-License-Identifier: Apache-2.0
// The BPF programs in the kernel: loaded, attached, read. What the kernel refuses of the optional
// parts is left out, with the reason; without the core (fork, exec, exit) load() fails. Owns all
// maps and links; one thread.
#pragma once

#include "audit/bpf/kernel_wire.h"
#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sworn::bpf {

enum class Level : std::uint8_t { none = 0, best_effort = 1, complete = 2 };

class CaptureProgram {
 public:
  struct Options {
    std::uint32_t ring_bytes = 8U << 20U;  // a power of two, in pages
    bool files = true;
    bool connects = true;
    bool syscalls = false;  // slows down every system call of the host
    std::string btf = "/sys/kernel/btf/vmlinux";
  };
  static Result<std::unique_ptr<CaptureProgram>> load(const Options& options);
  ~CaptureProgram();
  CaptureProgram(const CaptureProgram&) = delete;
  CaptureProgram& operator=(const CaptureProgram&) = delete;

  [[nodiscard]] Level files() const;
  [[nodiscard]] Level connects() const;
  [[nodiscard]] std::uint32_t ring_bytes() const;
  [[nodiscard]] const std::string& remarks() const;  // what is left out, and why

  // From now on the process of `pidfd` and all that come from it belong to (slot, generation).
  Result<void> begin(std::uint32_t slot, std::uint32_t generation, int pidfd);
  void end(std::uint32_t slot);

  // Readable when somebody must come at once; else come by every 20 ms while there is something.
  [[nodiscard]] int fd() const;
  // Hands out every record that is there; false where there was none.
  bool consume(const std::function<void(ByteView)>& take);
  // Call before sleeping without a limit; then consume() once more.
  void set_sleeping(bool sleeping);

  [[nodiscard]] std::uint32_t cpus() const;
  // [stream][cpu]
  [[nodiscard]] std::vector<std::uint64_t> last_numbers(std::uint32_t slot) const;
  [[nodiscard]] std::uint64_t missed() const;

 private:
  struct Impl;
  explicit CaptureProgram(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::bpf
