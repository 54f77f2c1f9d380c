// SPDX-License-Identifier: Apache-2.0
#include "recorder/session_ledger.hpp"

#include "base/file.hpp"
#include "base/system_log.hpp"
#include "format/checkpoint.hpp"
#include "format/ledger_disk.hpp"
#include "recorder/session_info.hpp"

#include <fmt/format.h>

#include <chrono>
#include <filesystem>
#include <utility>

#include <sys/prctl.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

constexpr std::size_t k_thread_stack = 256 * 1024;
constexpr auto k_sweep_patience = std::chrono::milliseconds(1'000);

// A name for checkpoints that public tools accept: no blanks, no '+'.
std::string origin_of(const std::string& host, const std::string& user) {
  const auto clean = [](const std::string& text) {
    std::string out;
    for (const char c : text.substr(0, 64)) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
      out += plain ? c : '_';
    }
    return out.empty() ? std::string("unknown") : out;
  };
  return clean(host) + "/sworn/" + clean(user);
}

}  // namespace

Result<std::string> ledger_directory(const Options& options) {
  if (options.ledger == "none") {
    return std::string();
  }
  if (options.ledger.empty()) {
    return format::default_user_ledger();
  }
  std::error_code error;
  const auto path = std::filesystem::absolute(options.ledger, error);
  return error ? options.ledger : path.lexically_normal().string();
}

Result<std::unique_ptr<SessionLedger>> SessionLedger::open(const std::string& directory,
                                                           const format::SessionHeader& header,
                                                           Clock& clock, format::Entropy& entropy) {
  TRY_ASSIGN(auto disk, format::PosixLedgerDisk::open(directory, true));
  format::LedgerOptions options;
  options.create = true;
  options.identity.scope = "user";
  options.identity.host_id = header.host_id;
  options.identity.uid = ::geteuid();
  options.identity.origin = origin_of(host_name(), user_name());
  options.boot_id = header.boot_id;
  TRY_ASSIGN(auto ledger,
             format::Ledger::open(std::move(disk), clock, entropy, std::move(options)));
  return std::unique_ptr<SessionLedger>(new SessionLedger(directory, std::move(ledger)));
}

SessionLedger::~SessionLedger() {
  stop_thread();
}

Bytes SessionLedger::reference() const {
  return encode(format::make_ledger_reference(*ledger_));
}

Result<void> SessionLedger::enter(Recording& recording, const format::SessionStart& start) {
  // The ledger never names what a power cut could take back.
  TRY(recording.sync_point());
  TRY(sync_parent_directory(recording.path()));
  TRY_ASSIGN(const auto file, PosixReadFile::open(recording.path()));
  TRY_ASSIGN(const auto identity, format::read_session_identity(*file));
  TRY_ASSIGN(auto note,
             format::OpenSessionNote::create(directory_, identity.file_id, ledger_->head().bytes,
                                             recording.final_path()));
  note_.emplace(std::move(note));
  format::LedgerSessionNames names;
  names.file_name = std::filesystem::path(recording.final_path()).filename().string();
  names.user = start.user;
  constexpr std::uint32_t k_unset = 0xFFFFFFFF;
  names.loginuid = start.loginuid == k_unset ? -1 : std::int64_t{start.loginuid};
  names.audit_session = start.audit_ses == k_unset ? -1 : std::int64_t{start.audit_ses};
  TRY_ASSIGN(auto session, format::LedgerSession::open(std::move(ledger_), *file, names));
  session_.emplace(std::move(session));
  return {};
}

Result<void> SessionLedger::start(Recording& recording, std::function<void()> on_change) {
  recording_ = &recording;
  on_change_ = std::move(on_change);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, k_thread_stack);
  pthread_t thread{};
  const int rc = ::pthread_create(&thread, &attributes, run_thread, this);
  ::pthread_attr_destroy(&attributes);
  if (rc != 0) {
    return fail_sys(rc, "cannot start a thread");
  }
  thread_ = thread;
  return {};
}

void* SessionLedger::run_thread(void* self) {
  ::prctl(PR_SET_NAME, "sworn-ledger");
  static_cast<SessionLedger*>(self)->work();
  return nullptr;
}

void SessionLedger::work() {
  sweep();
  announce();
  std::unique_lock lock(mutex_);
  while (true) {
    asked_.wait(lock, [this] { return stop_.load() || beat_due_; });
    if (stop_.load()) {
      return;
    }
    beat_due_ = false;
    lock.unlock();
    write_beat();
    lock.lock();
  }
}

void SessionLedger::sweep() {
  const auto swept = format::sweep_open_sessions(directory_, session_->ledger(), stop_);
  if (!swept) {
    report(swept.error(), false);
  }
  {
    const std::lock_guard lock(mutex_);
    swept_ = true;
  }
  asked_.notify_all();
}

void SessionLedger::write_beat() {
  const auto write = [this]() -> Result<void> {
    TRY_ASSIGN(const auto point, recording_->sync_point());
    if (point) {
      TRY(session_->heartbeat(*point));
    }
    return {};
  };
  auto written = write();
  if (written) {
    failed_before_ = false;
    announce();
    return;
  }
  // A lock that somebody holds, or a full disk, may pass; a ledger that does not hold will not.
  const auto code = written.error().code;
  const bool passing = code == Errc::exhausted || code == Errc::io;
  report(written.error(), !passing || std::exchange(failed_before_, true));
}

// The checkpoint goes to where the host keeps its logs: a log host that gets them can contradict an
// older copy of the ledger. Whether anybody listens is not our business.
void SessionLedger::announce() {
  const auto note = session_->ledger().checkpoint();
  const auto line = note ? format::checkpoint_line(*note)
                         : Result<std::string>(tl::make_unexpected(note.error()));
  if (!line) {
    return;
  }
  const bool journal = ::access(std::string(k_journal_socket).c_str(), F_OK) == 0;
  const auto sent = journal ? send_to_journal("sworn-recorder", LogLevel::info, *line)
                            : send_to_syslog("sworn-recorder", LogLevel::info, *line);
  static_cast<void>(sent.has_value());
}

void SessionLedger::report(const Error& error, bool final) {
  {
    const std::lock_guard lock(mutex_);
    failure_ = Failure{error, final};
  }
  on_change_();
}

void SessionLedger::beat() {
  {
    const std::lock_guard lock(mutex_);
    beat_due_ = true;
  }
  asked_.notify_one();
}

std::optional<SessionLedger::Failure> SessionLedger::take_failure() {
  const std::lock_guard lock(mutex_);
  return std::exchange(failure_, std::nullopt);
}

void SessionLedger::stop_thread() {
  if (!thread_) {
    return;
  }
  {
    // A session of a moment gives the sweep of earlier ones a little time all the same.
    std::unique_lock lock(mutex_);
    asked_.wait_for(lock, k_sweep_patience, [this] { return swept_; });
    stop_.store(true);
  }
  asked_.notify_all();
  ::pthread_join(*thread_, nullptr);
  thread_.reset();
}

Result<void> SessionLedger::close(const format::SealPoint& final_seal,
                                  const std::string& final_path, std::string exit) {
  stop_thread();
  if (!session_) {
    return {};
  }
  TRY_ASSIGN(const auto file, PosixReadFile::open(final_path));
  TRY(session_->close(final_seal, *file, std::move(exit)));
  note_->remove();
  announce();
  return {};
}

Result<void> SessionLedger::lose(std::string reason) {
  stop_thread();
  if (!session_) {
    return {};
  }
  TRY(session_->lose(std::move(reason)));
  note_->remove();
  return {};
}

}  // namespace sworn::recorder
