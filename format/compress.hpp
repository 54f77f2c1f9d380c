// SPDX-License-Identifier: Apache-2.0
// The only user of zstd. A group of chunks is one zstd frame, flushed at every chunk; a reader must
// feed the chunks of a group in order. Window 256 KiB. One thread per object.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <memory>

namespace sworn::format {

enum class GroupPart : std::uint8_t {
  opens,      // begins a frame and leaves it open
  continues,  // goes on with the frame
  whole,      // is a frame of its own: faster, nothing can follow in it
};

class Compressor {
 public:
  explicit Compressor(int level);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;
  // Appends to `out`.
  Result<void> compress(ByteView raw, GroupPart part, Bytes& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;
  void begin_group();
  // Exactly out.size() bytes must come out of all of `stored`; anything else is Errc::corrupt.
  Result<void> decompress(ByteView stored, std::span<std::byte> out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::format
