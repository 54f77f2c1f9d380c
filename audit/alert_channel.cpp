// SPDX-License-Identifier: Apache-2.0
#include "audit/alert_channel.hpp"

#include "format/event_payload.hpp"
#include "format/msgpack_map.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include <sys/epoll.h>
#include <sys/socket.h>

namespace sworn::audit {
namespace {

using format::EventKind;

constexpr int k_messages_per_drain = 64;

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

}  // namespace

AlertChannel::AlertChannel(std::unique_ptr<AuditSource> inner, Fd watcher, std::string session_path,
                           Clock& clock)
    : inner_(std::move(inner)),
      watcher_(std::move(watcher)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      session_path_(std::move(session_path)),
      clock_(clock) {}

Result<void> AlertChannel::prepare_channel() const {
  return epoll_.valid() ? Result<void>{} : fail_sys(errno, "epoll");
}

Result<void> AlertChannel::prepare(ChildSetup& setup) {
  TRY(prepare_channel());
  return inner_ ? inner_->prepare(setup) : Result<void>{};
}

void AlertChannel::launched(pid_t command) {
  if (inner_) {
    inner_->launched(command);
    if (inner_->fd() >= 0) {
      watch(epoll_.get(), inner_->fd());
    }
  }
  watch(epoll_.get(), watcher_.get());
  // A watcher that is gone already shows at the first drain.
  static_cast<void>(
      ::send(watcher_.get(), session_path_.data(), session_path_.size(), MSG_NOSIGNAL));
}

Result<void> AlertChannel::drain(std::vector<AuditFact>& out) {
  if (watcher_.valid()) {
    receive(out);
  }
  if (!inner_ || inner_->fd() < 0) {
    return {};
  }
  const int before = inner_->fd();
  auto result = inner_->drain(out);
  if (!result && inner_->fd() < 0) {  // that layer is dead; alerts go on
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, before, nullptr);
    out.push_back({EventKind::gap, clock_.mono(),
                   format::encode(format::Gap{"capture_lost", 0, 0, describe(result.error())})});
  }
  return {};
}

void AlertChannel::receive(std::vector<AuditFact>& out) {
  std::array<std::byte, k_max_alert_message> buffer{};
  for (int i = 0; i < k_messages_per_drain; ++i) {
    const auto n = ::recv(watcher_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (n > static_cast<ssize_t>(buffer.size())) {
      ++malformed_;
    } else if (n > 0) {
      take(ByteView(buffer).first(static_cast<std::size_t>(n)), out);
    } else if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
      return;
    } else {
      lost(out);
      return;
    }
  }
}

bool AlertChannel::admit() {
  const auto now = clock_.mono();
  if (now.us - second_.us >= 1'000'000) {
    second_ = now;
    in_second_ = 0;
  }
  return ++in_second_ <= k_max_alerts_per_second;
}

void AlertChannel::take(ByteView message, std::vector<AuditFact>& out) {
  auto map = format::MapReader::parse(message);
  std::string rule;
  std::string severity;
  std::string text;
  std::int64_t at_us = 0;
  if (!map ||
      !map->text("rule", rule)
           .text("severity", severity)
           .text("text", text)
           .number("at_us", at_us)
           .done() ||
      rule.empty()) {
    ++malformed_;
    return;
  }
  if (!admit()) {
    ++dropped_;
    return;
  }
  ++alerts_;
  const auto now = clock_.mono();
  const MonoTime at{at_us > 0 ? std::min(at_us, now.us) : now.us};
  out.push_back({EventKind::alert, at, Bytes(message.begin(), message.end())});
  out.push_back({EventKind::marker, at,
                 format::encode(format::Marker{fmt::format("alert {} ({})", rule, severity)})});
}

void AlertChannel::lost(std::vector<AuditFact>& out) {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watcher_.get(), nullptr);
  watcher_.reset();
  const auto now = clock_.mono();
  out.push_back({EventKind::alert, now,
                 format::MapWriter()
                     .text("rule", "alert-watcher-lost")
                     .text("severity", "critical")
                     .text("text", "the process that runs the alert rules ended")
                     .finish()});
  out.push_back(
      {EventKind::gap, now,
       format::encode(format::Gap{"alerts_lost", 0, 0, "no alert rule runs from here on"})});
}

void AlertChannel::finish(std::vector<AuditFact>& out) {
  if (watcher_.valid()) {
    receive(out);
  }
  if (inner_) {
    inner_->finish(out);
  }
  if (dropped_ > 0 || malformed_ > 0) {
    out.push_back({EventKind::gap, clock_.mono(),
                   format::encode(format::Gap{"alert_flood", dropped_ + malformed_, 0,
                                              "alerts that were too many or made no sense"})});
  }
  out.push_back({EventKind::capture, clock_.mono(),
                 format::MapWriter()
                     .text("layer", "alerts")
                     .text("state", watcher_.valid() ? "ended" : "lost")
                     .unsigned_number("alerts", alerts_)
                     .unsigned_number("dropped", dropped_)
                     .unsigned_number("malformed", malformed_)
                     .finish()});
  watcher_.reset();
}

}  // namespace sworn::audit
