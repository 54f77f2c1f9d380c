// SPDX-License-Identifier: Apache-2.0
// RFC 5424 and journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).
#include "audit/trail/trail_sinks.hpp"
#include "base/printable.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace sworn::audit::trail {
namespace {

constexpr unsigned k_authpriv = 10;
constexpr std::size_t k_max_message = 60 * 1024;  // what a datagram carries everywhere

// syslog's levels; journald's PRIORITY is the same scale.
unsigned level_of(const TrailEntry& entry) {
  switch (entry.kind) {
    case TrailKind::alert:
      return entry.severity == "critical" ? 2 : entry.severity == "high" ? 3 : 4;
    case TrailKind::gap:
      return 4;
    case TrailKind::change:
      return 5;
    default:
      return 6;
  }
}

// PARAM-VALUE: '"', '\' and ']' are escaped (RFC 5424, 6.3.3).
std::string param(std::string_view name, std::string_view value) {
  std::string out = fmt::format(" {}=\"", name);
  for (const char c : printable(value, 2000)) {
    if (c == '"' || c == '\\' || c == ']') {
      out += '\\';
    }
    out += c;
  }
  return out + "\"";
}

// HOSTNAME, APP-NAME: printable ASCII without blanks.
std::string header_word(std::string_view word, std::size_t most) {
  std::string out;
  for (const char c : word.substr(0, most)) {
    out += c > 32 && c < 127 ? c : '_';
  }
  return out.empty() ? "-" : out;
}

Result<Fd> datagram_socket(int family) {
  Fd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return fd.valid() ? Result<Fd>(std::move(fd)) : fail_sys(errno, "no socket");
}

Result<Fd> connect_unix(const std::string& path) {
  TRY_ASSIGN(auto fd, datagram_socket(AF_UNIX));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return fail(Errc::bad_usage, "the name of the socket is too long");
  }
  std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail_sys(errno, path);
  }
  return fd;
}

Result<Fd> connect_udp(const std::string& host, std::uint16_t port) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  const bool is_v4 = ::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) {
    return fail(Errc::bad_usage, "\"" + printable(host) + "\" is no numeric address");
  }
  TRY_ASSIGN(auto fd, datagram_socket(is_v4 ? AF_INET : AF_INET6));
  const auto* address =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  if (::connect(fd.get(), address, is_v4 ? sizeof v4 : sizeof v6) != 0) {
    return fail_sys(errno, host);
  }
  return fd;
}

Result<void> send_all(int fd, std::string_view text, const std::string& where) {
  while (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) {
      return fail_sys(errno, where);
    }
  }
  return {};
}

class SyslogSink final : public TrailSink {
 public:
  SyslogSink(Fd fd, std::string target) : fd_(std::move(fd)), target_(std::move(target)) {}
  Result<void> put(const TrailEntry& entry) override {
    return send_all(fd_.get(), syslog_message(entry), target_);
  }

 private:
  Fd fd_;
  std::string target_;
};

class JournaldSink final : public TrailSink {
 public:
  JournaldSink(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<void> put(const TrailEntry& entry) override {
    const auto message = journald_message(entry);
    auto sent = send_all(fd_.get(), message, path_);
    return !sent && sent.error().sys == EMSGSIZE ? send_memory(message) : sent;
  }

 private:
  // What is too long for a datagram goes as a sealed memory file.
  Result<void> send_memory(const std::string& message) {
    const Fd memory(::memfd_create("sworn-journal", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!memory.valid()) {
      return fail_sys(errno, "no memory file for the journal");
    }
    TRY(write_all_to(memory.get(), message));
    if (::fcntl(memory.get(), F_ADD_SEALS,
                F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
      return fail_sys(errno, "cannot seal the memory file for the journal");
    }
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr header{};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    auto* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = memory.get();
    std::memcpy(CMSG_DATA(part), &fd, sizeof fd);
    return ::sendmsg(fd_.get(), &header, MSG_NOSIGNAL) >= 0 ? Result<void>{}
                                                            : fail_sys(errno, path_);
  }
  static Result<void> write_all_to(int fd, std::string_view text) {
    while (!text.empty()) {
      const auto n = ::write(fd, text.data(), text.size());
      if (n < 0 && errno != EINTR) {
        return fail_sys(errno, "memory file");
      }
      text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    }
    return {};
  }

  Fd fd_;
  std::string path_;
};

// NAME, line feed, length, value, line feed: holds any bytes.
void field(std::string& out, std::string_view name, std::string_view value) {
  if (value.find('\n') == std::string_view::npos) {
    out += fmt::format("{}={}\n", name, value);
    return;
  }
  out += fmt::format("{}\n", name);
  auto length = static_cast<std::uint64_t>(value.size());
  for (int i = 0; i < 8; ++i, length >>= 8U) {
    out += static_cast<char>(length & 0xFFU);
  }
  out += fmt::format("{}\n", value);
}

}  // namespace

std::string syslog_message(const TrailEntry& entry) {
  const auto& session = entry.session;
  auto out = fmt::format("<{}>1 {} {} sworn - {} [sworn@32473", k_authpriv * 8 + level_of(entry),
                         format_rfc3339(entry.at), header_word(session.host, 255),
                         header_word(name_of(entry.kind), 32));
  out += param("session", session.file_id);
  out += param("link", entry.link());
  out += param("user", session.user);
  if (session.audit_ses) {
    out += param("ses", std::to_string(*session.audit_ses));
  }
  if (entry.kind == TrailKind::command) {
    out += param("command", std::to_string(entry.command));
    out += param("cwd", entry.cwd);
    if (entry.ended) {
      out += param("status", std::to_string(entry.status));
    }
  } else if (!entry.code.empty()) {
    out += param("code", entry.code);
  }
  out += "] ";
  out += printable(to_sentence(entry), k_max_message - std::min(out.size(), k_max_message / 2));
  return out;
}

std::string journald_message(const TrailEntry& entry) {
  const auto& session = entry.session;
  std::string out;
  field(out, "MESSAGE", printable(to_sentence(entry), k_max_message));
  field(out, "PRIORITY", std::to_string(level_of(entry)));
  field(out, "SYSLOG_IDENTIFIER", "sworn");
  field(out, "SYSLOG_FACILITY", std::to_string(k_authpriv));
  field(out, "SWORN_KIND", name_of(entry.kind));
  field(out, "SWORN_SESSION", session.file_id);
  field(out, "SWORN_LINK", entry.link());
  field(out, "SWORN_USER", session.user);
  field(out, "SWORN_JSON", to_own_json(entry));
  if (entry.kind == TrailKind::command) {
    field(out, "SWORN_COMMAND", std::to_string(entry.command));
    if (entry.ended) {
      field(out, "SWORN_STATUS", std::to_string(entry.status));
    }
  } else if (!entry.code.empty()) {
    field(out, "SWORN_CODE", entry.code);
  }
  return out;
}

Result<std::unique_ptr<TrailSink>> open_syslog(const std::string& target) {
  constexpr std::string_view k_unix = "unix:";
  constexpr std::string_view k_udp = "udp:";
  if (target.starts_with(k_unix)) {
    TRY_ASSIGN(auto fd, connect_unix(target.substr(k_unix.size())));
    return std::unique_ptr<TrailSink>(std::make_unique<SyslogSink>(std::move(fd), target));
  }
  const auto colon = target.rfind(':');
  if (target.starts_with(k_udp) && colon > k_udp.size()) {
    std::uint16_t port = 0;
    const auto* begin = target.data() + colon + 1;
    const auto* last = target.data() + target.size();
    const auto [end, ec] = std::from_chars(begin, last, port);
    if (ec == std::errc{} && end == last && port != 0) {
      TRY_ASSIGN(auto fd, connect_udp(target.substr(k_udp.size(), colon - k_udp.size()), port));
      return std::unique_ptr<TrailSink>(std::make_unique<SyslogSink>(std::move(fd), target));
    }
  }
  return fail(Errc::bad_usage, "a syslog is unix:/dev/log or udp:ADDRESS:PORT");
}

Result<std::unique_ptr<TrailSink>> open_journald(const std::string& socket_path) {
  TRY_ASSIGN(auto fd, connect_unix(socket_path));
  return std::unique_ptr<TrailSink>(std::make_unique<JournaldSink>(std::move(fd), socket_path));
}

}  // namespace sworn::audit::trail
