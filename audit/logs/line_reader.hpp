// SPDX-License-Identifier: Apache-2.0
// Lines of a byte stream in bounded memory. Lines longer than k_max_line_bytes are cut and say so;
// NULs and broken UTF-8 are bytes like others; a carriage return before the end is dropped. Views
// live until the next call. One thread.
#pragma once

#include "audit/logs/decompress.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace sworn::audit::logs {

inline constexpr std::size_t k_max_line_bytes = 1U << 20U;

struct RawLine {
  std::string_view text;
  std::uint64_t number = 0;  // from 1
  bool cut = false;
};

class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteStream> stream);
  // nullopt at the end.
  Result<std::optional<RawLine>> next();
  [[nodiscard]] std::uint64_t bytes_read() const { return bytes_read_; }

 private:
  Result<bool> fill();  // false: nothing more came

  std::unique_ptr<ByteStream> stream_;
  Bytes buffer_;
  Bytes long_line_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t bytes_read_ = 0;
  bool ended_ = false;
};

}  // namespace sworn::audit::logs
