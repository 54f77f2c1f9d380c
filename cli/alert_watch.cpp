// SPDX-License-Identifier: Apache-2.0
#include "cli/alert_watch.hpp"

#include "audit/alert/alert_actions.hpp"
#include "audit/alert/alert_engine.hpp"
#include "audit/trail/live_session.hpp"
#include "audit/trail/trail_builder.hpp"
#include "audit/trail/trail_json.hpp"
#include "base/printable.hpp"
#include "cli/command.hpp"
#include "cli/message.hpp"
#include "format/event_payload.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sworn::cli {
namespace {

using namespace audit::alert;
using audit::trail::LiveSession;
using audit::trail::TrailBuilder;

constexpr int k_poll_ms = 50;
constexpr int k_wait_for_file_ms = 10'000;

class Watcher {
 public:
  Watcher(const AlertWatch& watch, std::unique_ptr<LiveSession> session)
      : watch_(watch), session_(std::move(session)), engine_(watch.rules) {}

  int run() {
    bool recorder_gone = false;
    while (true) {
      if (const auto looked = look(); !looked) {
        return complain("alert", explain_session_error(session_->path(), looked.error()),
                        exit_status_for(looked.error()));
      }
      if (actions_) {
        actions_->tend();
      }
      if (session_->over() || recorder_gone) {
        break;
      }
      pollfd wait{watch_.recorder_fd, POLLIN, 0};
      if (watch_.recorder_fd >= 0) {
        if (::poll(&wait, 1, k_poll_ms) > 0) {
          recorder_gone = true;  // it says nothing after the path: this is its end
          ::poll(nullptr, 0, k_poll_ms);
        }
      } else {
        ::poll(nullptr, 0, k_poll_ms);
      }
    }
    for (int i = 0; actions_ && actions_->running() > 0 && i < 200; ++i) {
      ::poll(nullptr, 0, k_poll_ms);
      actions_->tend();
    }
    return k_exit_ok;
  }

 private:
  Result<void> look() {
    auto& reader = session_->reader();
    std::vector<AlertHit> hits;
    std::vector<audit::trail::TrailEntry> ignored;
    TRY(session_->poll([&](const format::EventView& event) -> Result<void> {
      if (event.kind == format::EventKind::session_start) {
        prepare(event);
      }
      engine_.add(event, hits);
      return {};
    }));
    if (!hits.empty()) {
      TRY_ASSIGN(clock_, reader.clock_map());
      engine_.set_clock(clock_);
    }
    for (const auto& hit : hits) {
      raise(hit);
    }
    return {};
  }

  void prepare(const format::EventView& event) {
    ActionTargets targets;
    if (const auto start = format::decode_session_start(event.data)) {
      targets.recorder = static_cast<pid_t>(start->recorder_pid);
      targets.command = static_cast<pid_t>(start->child_pid);
    }
    if (targets.command <= 0 && targets.recorder > 0) {
      // Below the recorder are its anchor and, below that, the command; ourselves left out.
      for (const auto pid : descendants_of(targets.recorder)) {
        if (pid != ::getpid() && targets.command <= 0) {
          targets.command = pid;
        }
      }
    }
    actions_.emplace(targets, system_clock_);
    TrailBuilder builder(session_->reader().header(), {}, event.t);
    std::vector<audit::trail::TrailEntry> ignored;
    builder.add(event, ignored);
    trail_session_ = builder.session();
    first_ = event.t;
    if (auto clock = session_->reader().clock_map()) {
      clock_ = *std::move(clock);
      engine_.set_clock(clock_);
    }
  }

  void raise(const AlertHit& hit) {
    const auto& rule = engine_.rules()[hit.rule];
    if (watch_.recorder_fd >= 0) {
      const auto message = message_of(hit, rule);
      static_cast<void>(
          ::send(watch_.recorder_fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT));
    }
    const auto entry = entry_of(hit, rule, trail_session_, clock_, first_);
    if (!watch_.quiet) {
      fmt::print("{}\n", watch_.json ? audit::trail::to_own_json(entry)
                                     : format_rfc3339(entry.at, 3) + "  " +
                                           printable(audit::trail::to_sentence(entry)));
      std::fflush(stdout);
    }
    for (const auto& failed : actions_ ? actions_->run(rule, entry) : std::vector<std::string>()) {
      if (!watch_.quiet) {
        fmt::print(stderr, "sworn alert: {}\n", printable(failed));
      }
    }
  }

  const AlertWatch& watch_;
  std::unique_ptr<LiveSession> session_;
  AlertEngine engine_;
  SystemClock system_clock_;
  std::optional<AlertActions> actions_;
  audit::trail::TrailSession trail_session_;
  format::ClockMap clock_;
  MonoTime first_;
};

// The recorder sends the path of its file; the file itself may be a moment away.
Result<std::string> session_from_recorder(int fd) {
  std::array<char, 4096> path{};
  const auto n = ::recv(fd, path.data(), path.size(), 0);
  if (n <= 0) {
    return fail(Errc::not_found, "the recorder ended before its session began");
  }
  return std::string(path.data(), static_cast<std::size_t>(n));
}

Result<std::unique_ptr<LiveSession>> open_when_there(const std::string& path) {
  for (int waited = 0;; waited += k_poll_ms) {
    auto session = LiveSession::open(path);
    if (session || waited >= k_wait_for_file_ms) {
      return session;
    }
    ::poll(nullptr, 0, k_poll_ms);
  }
}

}  // namespace

Result<std::vector<AlertRule>> load_rules(const std::string& name) {
  return name == "default" ? parse_alert_rules(default_alert_rules(), "default rules")
                           : read_alert_rules(name);
}

int watch_session(const AlertWatch& watch) {
  std::string path = watch.session;
  if (watch.recorder_fd >= 0) {
    auto told = session_from_recorder(watch.recorder_fd);
    if (!told) {
      return k_exit_failure;
    }
    path = std::move(*told);
  }
  auto session = watch.recorder_fd >= 0 ? open_when_there(path) : LiveSession::open(path);
  if (!session) {
    return complain("alert", explain_session_error(path, session.error()),
                    exit_status_for(session.error()));
  }
  return Watcher(watch, *std::move(session)).run();
}

Result<int> start_watcher(const std::string& rules) {
  AlertWatch watch;
  TRY_ASSIGN(watch.rules, load_rules(rules));
  std::array<int, 2> pair{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) {
    return fail_sys(errno, "no socket for the alert watcher");
  }
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail_sys(errno, "no process for the alert watcher");
  }
  if (pid > 0) {
    ::close(pair[1]);
    ::fcntl(pair[0], F_SETFD, 0);  // goes through exec to the recorder
    return pair[0];
  }
  // Away from the terminal and its signals; it ends when the session is over.
  ::close(pair[0]);
  ::setsid();
  const int null = ::open("/dev/null", O_RDWR);
  for (int fd = 0; fd <= 2; ++fd) {
    ::dup2(null, fd);
  }
  for (int fd = 3; fd < 256; ++fd) {
    if (fd != pair[1]) {
      ::close(fd);
    }
  }
  ::prctl(PR_SET_NAME, "sworn-alert");
  watch.recorder_fd = pair[1];
  watch.quiet = true;
  ::_exit(watch_session(watch));
}

}  // namespace sworn::cli
