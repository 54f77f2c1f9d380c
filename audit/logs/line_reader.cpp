// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/line_reader.hpp"

#include <cstring>

namespace sworn::audit::logs {
namespace {
constexpr std::size_t k_read = 256 * 1024;
}

LineReader::LineReader(std::unique_ptr<ByteStream> stream)
    : stream_(std::move(stream)), buffer_(k_max_line_bytes + k_read) {}

Result<bool> LineReader::fill() {
  if (ended_) {
    return false;
  }
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  TRY_ASSIGN(const auto n, stream_->read(std::span(buffer_).subspan(end_)));
  end_ += n;
  bytes_read_ += n;
  ended_ = n == 0;
  return n > 0;
}

Result<std::optional<RawLine>> LineReader::next() {
  std::size_t looked = 0;
  while (true) {
    const auto* start = buffer_.data() + begin_;
    const auto* newline =
        static_cast<const std::byte*>(std::memchr(start + looked, '\n', end_ - begin_ - looked));
    const auto available = end_ - begin_;
    RawLine line;
    if (newline != nullptr) {
      auto length = static_cast<std::size_t>(newline - start);
      begin_ += length + 1;
      line.cut = length > k_max_line_bytes;
      length = line.cut ? k_max_line_bytes : length;
      line.text = as_text({start, length});
    } else if (available > k_max_line_bytes) {
      // Too long: keep the start, skip to the end of the line without keeping anything.
      line.cut = true;
      Bytes kept(start, start + k_max_line_bytes);
      begin_ = end_;
      bool found = false;
      while (!found) {
        TRY_ASSIGN(const bool more, fill());
        if (!more) {
          break;
        }
        const auto* at = static_cast<const std::byte*>(
            std::memchr(buffer_.data() + begin_, '\n', end_ - begin_));
        found = at != nullptr;
        begin_ = found ? static_cast<std::size_t>(at - buffer_.data()) + 1 : end_;
      }
      long_line_ = std::move(kept);
      line.text = as_text(long_line_);
    } else {
      looked = available;
      TRY_ASSIGN(const bool more, fill());
      if (more) {
        continue;
      }
      if (available == 0) {
        return std::nullopt;
      }
      line.text = as_text({buffer_.data() + begin_, available});  // the last line has no end
      begin_ = end_;
    }
    if (line.text.ends_with('\r')) {
      line.text.remove_suffix(1);
    }
    line.number = ++number_;
    return line;
  }
}

}  // namespace sworn::audit::logs
