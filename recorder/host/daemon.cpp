// SPDX-License-Identifier: Apache-2.0
// The daemon's life: start, loop, timers, reload. Greetings are in daemon_greeting.cpp, sessions in
// daemon_session.cpp, what people ask in daemon_query.cpp.
#include "recorder/host/daemon.hpp"

#include "base/file.hpp"
#include "base/printable.hpp"
#include "format/ledger_session.hpp"
#include "format/store.hpp"
#include "recorder/client/fallback.hpp"
#include "recorder/host/notify.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sworn::recorder::host {
namespace {

constexpr int k_backlog = 4096;
constexpr std::int64_t k_beat_us = 60'000'000;
constexpr std::int64_t k_adopt_us = 15'000'000;
constexpr std::int64_t k_spare_after_us = 20'000;  // not while a session starts
constexpr int k_max_accounts = 100'000;

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                          : std::string("host");
}

}  // namespace

Daemon::Daemon(DaemonOptions options, Signals& signals)
    : options_(std::move(options)), signals_(signals), hostname_(host_name()) {}

Daemon::~Daemon() {
  listener_watch_.close();
  signal_watch_.close();
  connections_.clear();
  sessions_.clear();
  names_.reset();
  ledger_.reset();
}

Result<std::unique_ptr<Daemon>> Daemon::create(DaemonOptions options, Signals& signals) {
  auto out = std::unique_ptr<Daemon>(new Daemon(std::move(options), signals));
  TRY(out->set_up());
  return out;
}

Result<void> Daemon::set_up() {
  const passwd* account = ::getpwnam(options_.account.c_str());
  const group* readers = ::getgrnam(options_.readers.c_str());
  if (account == nullptr || account->pw_uid == 0) {
    return fail(Errc::not_found, "there is no account '" + options_.account +
                                     "' for the monitors (systemd-sysusers makes it)");
  }
  account_ = {account->pw_uid, account->pw_gid};
  if (readers == nullptr) {
    return fail(Errc::not_found, "there is no group '" + options_.readers + "'");
  }
  readers_ = readers->gr_gid;
  if (const group* tty = ::getgrnam("tty"); tty != nullptr) {
    tty_group_ = tty->gr_gid;
  }
  auto loaded = load_config(options_.config);
  if (!loaded.ok()) {
    const auto& first = loaded.findings.front();
    return fail(Errc::bad_usage, first.file + ":" + std::to_string(first.line) + ": " +
                                     first.reason + " (sworn config check tells all)");
  }
  config_ = std::move(loaded.config);
  TRY(prepare_directories(options_.paths, readers_));
  TRY_ASSIGN(loop_, EventLoop::create());
  TRY(loop_->on_wake([this] {
    ledger_->collect();
    names_->collect();
    arm_timer();
  }));
  loop_->on_timer([this] { tick(); });
  ledger_ = std::make_unique<HostLedger>(options_.paths, hostname_, [this] { loop_->wake(); });
  if (auto started = ledger_->start(); !started) {
    // Sessions then follow the failure policy; without us they would do so with less to say.
    ledger_error_ = started.error();
    log_line(LogLevel::alert, "the ledger cannot be used: " + describe(started.error()));
  }
  names_ = std::make_unique<Worker>("sworn-names", [this] { loop_->wake(); });
  TRY(names_->start());
  if (auto capture = start_capture(options_.capture, k_capture_socket, account_); !capture) {
    log_line(LogLevel::warning,
             "executions are not recorded by the kernel: " + describe(capture.error()));
  }
  TRY(adopt_notes());
  TRY(listen());
  TRY_ASSIGN(signal_watch_, loop_->watch(signals_.fd(), [this](Ready) { on_signals(); }));
  signal_watch_.want(true, false);
  next_beat_ = MonoTime{clock_.mono().us + k_beat_us};
  if (const auto interval = watchdog_interval_us()) {
    next_watchdog_ = MonoTime{clock_.mono().us + *interval};
  }
  write_fallback();
  make_spare();
  arm_timer();
  return {};
}

Result<void> Daemon::listen() {
  if (auto passed = passed_socket()) {
    listener_ = std::move(*passed);
    ::fcntl(listener_.get(), F_SETFL, ::fcntl(listener_.get(), F_GETFL) | O_NONBLOCK);
  } else {
    const std::string path = k_daemon_socket;
    listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    ::unlink(path.c_str());
    const mode_t old = ::umask(0111);
    const int rc =
        ::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const int error = errno;
    ::umask(old);
    if (rc != 0 || ::listen(listener_.get(), k_backlog) != 0) {
      return fail_sys(rc != 0 ? error : errno, "cannot listen on " + path);
    }
  }
  const int on = 1;
  ::setsockopt(listener_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  TRY_ASSIGN(listener_watch_, loop_->watch(listener_.get(), [this](Ready) { on_listener(); }));
  listener_watch_.want(true, false);
  return {};
}

// Sessions of a swornd before this one. Their monitors, where they live, come back by themselves.
Result<void> Daemon::adopt_notes() {
  std::vector<std::string> handled;
  for (auto& note : read_notes(options_.paths)) {
    auto session = std::make_unique<Session>();
    session->entry = std::make_shared<HostLedger::Entry>();
    session->entry->entered.store(note.entered != 0);
    if (const auto file = PosixReadFile::open(format::part_path(note.final_path))) {
      if (const auto identity = format::read_session_identity(**file)) {
        session->entry->file_id = identity->file_id;
      }
    }
    session->note = std::move(note);
    const std::string part = format::part_path(session->note.final_path);
    const auto state = format::state_of(part);
    const bool live = state && *state == format::StoredState::live;
    session->adopt_before = MonoTime{clock_.mono().us + (live ? k_adopt_us : 0)};
    handled.push_back(part);
    const SessionId id = session->note.id;
    sessions_.emplace(id, std::move(session));
  }
  if (!ledger_error_) {
    ledger_->sweep(std::move(handled), [](const Result<void>& done) {
      if (!done) {
        log_line(LogLevel::error,
                 "what the last run left is not settled: " + describe(done.error()));
      }
    });
  }
  return {};
}

void Daemon::reload() {
  notify_manager(reloading_state());
  auto loaded = load_config(options_.config);
  if (loaded.ok()) {
    config_ = std::move(loaded.config);
    write_fallback();
    log_line(LogLevel::notice, "the policy was read again");
  } else {
    for (const auto& finding : loaded.findings) {
      log_line(LogLevel::error, finding.file + ":" + std::to_string(finding.line) + ": " +
                                    finding.reason + "; the old policy stays in force");
    }
  }
  spare_.reset();  // the program may be a newer one
  make_spare();
  notify_manager("READY=1");
}

// What clients shall do when they do not find us. Asks the name service about everybody: not here.
void Daemon::write_fallback() {
  const auto job = [config = config_, host = hostname_, state = options_.paths.state]() {
    client::Fallback out;
    out.shell = config.session.shell;
    out.may_continue = config.session.on_failure == OnFailure::continue_and_alert;
    for (const auto& name : config.break_glass_groups) {
      if (const group* entry = ::getgrnam(name.c_str()); entry != nullptr) {
        out.break_glass.push_back(entry->gr_gid);
      }
    }
    ::setpwent();
    for (int i = 0; i < k_max_accounts; ++i) {
      const passwd* entry = ::getpwent();
      if (entry == nullptr) {
        break;
      }
      Person person{entry->pw_name, entry->pw_uid, {}};
      std::array<gid_t, 256> gids{};
      int count = static_cast<int>(gids.size());
      ::getgrouplist(entry->pw_name, entry->pw_gid, gids.data(), &count);
      for (int g = 0; g < std::min<int>(count, static_cast<int>(gids.size())); ++g) {
        const group* each = ::getgrgid(gids.at(static_cast<std::size_t>(g)));
        if (each != nullptr) {
          person.groups.emplace_back(each->gr_name);
        }
      }
      if (!is_recorded(config, person, host)) {
        out.not_recorded.push_back(person.uid);
      }
    }
    ::endpwent();
    const std::string path = state + "/client";
    const std::string draft = path + ".new";
    ::unlink(draft.c_str());
    {
      const Fd fd(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
      ::fchmod(fd.get(), 0644);
      if (!fd.valid() || !write_all(fd.get(), as_bytes(client::fallback_text(out)))) {
        log_line(LogLevel::warning, "cannot write " + draft);
        return Worker::Done{};
      }
    }
    ::rename(draft.c_str(), path.c_str());
    return Worker::Done{};
  };
  static_cast<void>(names_->post(job));
}

void Daemon::on_signals() {
  while (const auto signal = signals_.next()) {
    switch (signal->number) {
      case SIGCHLD:
        for (pid_t pid = 0; (pid = ::waitpid(-1, nullptr, WNOHANG)) > 0;) {
          if (spare_ && spare_->pid == pid) {
            spare_.reset();
          }
        }
        break;
      case SIGHUP:
        reload();
        break;
      case SIGTERM:
      case SIGINT:
        stopping_ = true;
        notify_manager("STOPPING=1");
        loop_->stop();
        break;
      default:
        break;
    }
  }
  arm_timer();
}

void Daemon::run() {
  notify_manager("READY=1");
  log_line(LogLevel::info, "ready");
  while (!stopping_) {
    loop_->run();
  }
}

void Daemon::tick() {
  const MonoTime now = clock_.mono();
  std::vector<std::uint64_t> late;
  for (const auto& [number, connection] : connections_) {
    if (connection->deadline <= now) {
      late.push_back(number);
    }
  }
  for (const auto number : late) {
    drop(number);
  }
  std::vector<SessionId> lost;
  for (const auto& [id, session] : sessions_) {
    if (session->adopt_before && *session->adopt_before <= now) {
      lost.push_back(id);
    }
  }
  for (const auto& id : lost) {
    Session& session = *sessions_.at(id);
    session.adopt_before.reset();
    on_lost(session, "its monitor did not come back to the new swornd");
  }
  if (next_beat_ <= now) {
    next_beat_ = MonoTime{now.us + k_beat_us};
    beat();
  }
  if (next_watchdog_ && *next_watchdog_ <= now) {
    notify_manager("WATCHDOG=1");
    next_watchdog_ = MonoTime{now.us + watchdog_interval_us().value_or(k_beat_us)};
  }
  if (!spare_ && next_spare_ <= now) {
    make_spare();
  }
  arm_timer();
}

void Daemon::arm_timer() {
  MonoTime next{std::numeric_limits<std::int64_t>::max()};
  for (const auto& [number, connection] : connections_) {
    next = std::min(next, connection->deadline);
  }
  for (const auto& [id, session] : sessions_) {
    next = std::min(next, session->adopt_before.value_or(next));
  }
  if (!sessions_.empty()) {
    next = std::min(next, next_beat_);
  }
  next = std::min(next, next_watchdog_.value_or(next));
  const std::int64_t now = clock_.mono().us;
  std::int64_t wait_us = std::min<std::int64_t>(next.us - now, 3'600'000'000);
  if (!spare_) {
    wait_us = std::min<std::int64_t>(wait_us, next_spare_.us - now);
  }
  loop_->set_timer(std::max<std::int64_t>(wait_us, 0) / 1'000 + 1);
}

// One entry for all sessions that have something new.
void Daemon::beat() {
  std::vector<std::pair<std::shared_ptr<HostLedger::Entry>, Mark>> marks;
  for (const auto& [id, session] : sessions_) {
    if (session->fresh && !session->closing) {
      marks.emplace_back(session->entry, *std::exchange(session->fresh, std::nullopt));
    }
  }
  if (!marks.empty() && !ledger_error_) {
    ledger_->beat(std::move(marks), [](const Result<void>& done) {
      if (!done) {
        log_line(LogLevel::error, "no heartbeat in the ledger: " + describe(done.error()));
      }
    });
  }
}

// The next session need not wait for a process to start.
void Daemon::make_spare() {
  constexpr std::int64_t k_pause_us = 1'000'000;
  next_spare_ = MonoTime{clock_.mono().us + k_pause_us};
  auto spare = spawn_monitor(options_.monitor, account_);
  if (spare) {
    spare_ = std::move(*spare);
  } else {
    log_line(LogLevel::error, "no monitor can be started: " + describe(spare.error()));
  }
}

Result<MonitorProcess> Daemon::take_monitor() {
  if (spare_) {
    next_spare_ = MonoTime{clock_.mono().us + k_spare_after_us};
    return *std::exchange(spare_, std::nullopt);
  }
  return spawn_monitor(options_.monitor, account_);
}

}  // namespace sworn::recorder::host
