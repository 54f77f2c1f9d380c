// SPDX-License-Identifier: Apache-2.0
#include "recorder/message.hpp"

#include <cerrno>
#include <string_view>

#include <poll.h>
#include <unistd.h>

namespace sworn::recorder {

std::string to_text(const Message& message) {
  std::string text = "sworn " + message.what + "\n";
  if (!message.why.empty()) {
    text += "  why:  " + message.why + "\n";
  }
  if (!message.remedy.empty()) {
    text += "  do:   " + message.remedy + "\n";
  }
  return text;
}

std::string for_raw_terminal(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += '\r';
    }
    out += c;
  }
  return out;
}

void complain(const Message& message) {
  const std::string text = to_text(message);
  std::string_view left = text;
  while (!left.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&ready, 1, 1'000) <= 0) {
      return;
    }
    const auto n = ::write(STDERR_FILENO, left.data(), left.size());
    if (n < 0 && errno != EINTR && errno != EAGAIN) {
      return;
    }
    left.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
}

}  // namespace sworn::recorder
