// SPDX-License-Identifier: Apache-2.0
// Bytes of a log file, unpacked on the way: gzip, zstd and xz are recognised by their first bytes,
// whatever the name says. Memory is bounded by the decoders' windows (xz and zstd: 128 MiB at
// most); how much comes out is the caller's to limit. One thread.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace sworn::audit::logs {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // Up to out.size() bytes, 0 at the end. A file that breaks off inside a packed block:
  // Errc::truncated.
  virtual Result<std::size_t> read(std::span<std::byte> out) = 0;
};

// "-" is standard input. A directory is refused.
Result<std::unique_ptr<ByteStream>> open_byte_stream(const std::string& path);
Result<std::unique_ptr<ByteStream>> byte_stream_of(Fd fd, const std::string& name);

}  // namespace sworn::audit::logs
