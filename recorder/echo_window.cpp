// SPDX-License-Identifier: Apache-2.0
#include "recorder/echo_window.hpp"

#include <algorithm>

namespace sworn::recorder {

void EchoWindow::on_output(ByteView data) {
  for (const std::byte byte : data) {
    const auto c = std::to_integer<unsigned>(byte);
    if (filter_.is_text(byte) && c >= 0x20 && c != 0x7F) {
      ring_[end_++ % k_size] = byte;
    }
  }
}

std::optional<std::uint64_t> EchoWindow::find(ByteView needle, std::uint64_t from,
                                              std::uint64_t slack) const {
  const std::uint64_t oldest = end_ > k_size ? end_ - k_size : 0;
  for (std::uint64_t start = std::max(from, oldest);
       start + needle.size() <= end_ && start <= from + slack; ++start) {
    std::size_t same = 0;
    while (same < needle.size() && at(start + same) == needle[same]) {
      ++same;
    }
    if (same == needle.size()) {
      return start + needle.size();
    }
  }
  return std::nullopt;
}

}  // namespace sworn::recorder
