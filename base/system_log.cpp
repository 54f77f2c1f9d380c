// SPDX-License-Identifier: Apache-2.0
#include "base/system_log.hpp"

#include "base/bytes.hpp"
#include "base/fd.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sworn {
namespace {

constexpr int k_authpriv = 10;

Result<void> send_datagram(std::string_view path, std::string_view datagram) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Errc::bad_usage, "a socket path that is too long");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  const Fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) {
    return fail_sys(errno, "socket");
  }
  const auto n = ::sendto(fd.get(), datagram.data(), datagram.size(), MSG_NOSIGNAL,
                          reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (n != static_cast<ssize_t>(datagram.size())) {
    return fail_sys(n < 0 ? errno : EMSGSIZE, "cannot send to " + std::string(path));
  }
  return {};
}

std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      c = ' ';
    }
  }
  return out;
}

// A value with a line break is sent with its length in front.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  if (value.find('\n') == std::string_view::npos) {
    out += '=';
  } else {
    out += '\n';
    std::uint64_t length = value.size();
    for (int i = 0; i < 8; ++i, length >>= 8U) {
      out += static_cast<char>(length & 0xFFU);
    }
  }
  out += value;
  out += '\n';
}

}  // namespace

Result<void> send_to_syslog(std::string_view identifier, LogLevel level, std::string_view text,
                            std::string_view socket_path) {
  std::array<char, 32> when{};
  const std::time_t now = std::time(nullptr);
  tm local{};
  ::localtime_r(&now, &local);
  std::strftime(when.data(), when.size(), "%b %e %H:%M:%S", &local);
  std::string line = "<" + std::to_string(k_authpriv * 8 + static_cast<int>(level)) + ">";
  line += when.data();
  line += " " + one_line(identifier) + "[" + std::to_string(::getpid()) + "]: " + one_line(text);
  return send_datagram(socket_path, line);
}

Result<void> send_to_journal(std::string_view identifier, LogLevel level, std::string_view text,
                             const std::vector<std::pair<std::string, std::string>>& fields,
                             std::string_view socket_path) {
  std::string out;
  append_field(out, "MESSAGE", text);
  append_field(out, "PRIORITY", std::to_string(static_cast<int>(level)));
  append_field(out, "SYSLOG_IDENTIFIER", identifier);
  for (const auto& [name, value] : fields) {
    append_field(out, name, value);
  }
  return send_datagram(socket_path, out);
}

}  // namespace sworn
