// SPDX-License-Identifier: Apache-2.0
// Keeps one session in the ledger of its user: opened before the command's first instruction, seen
// once a minute, closed or lost at its end. Also enters what became of earlier sessions whose
// recorders died. Everything that waits for the disk during the session happens on a thread of its
// own.
//
// Order: open(), reference() into the header, enter() once the header is written, start(), beat()
// ..., then close() or lose(). Called by the loop's thread; beat() by any. `on_change` runs on the
// ledger's thread and may only wake the loop.
#pragma once

#include "base/clock.hpp"
#include "format/event_payload.hpp"
#include "format/ledger_session.hpp"
#include "format/open_sessions.hpp"
#include "recorder/policy.hpp"
#include "recorder/recording.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include <pthread.h>

namespace sworn::recorder {

// The directory that the options name; empty: the session is kept in no ledger.
Result<std::string> ledger_directory(const Options& options);

class SessionLedger {
 public:
  // Opens the ledger, or makes it where there is none. `clock` and `entropy` outlive it; they are
  // used by both threads.
  static Result<std::unique_ptr<SessionLedger>> open(const std::string& directory,
                                                     const format::SessionHeader& header,
                                                     Clock& clock, format::Entropy& entropy);
  ~SessionLedger();
  SessionLedger(const SessionLedger&) = delete;
  SessionLedger& operator=(const SessionLedger&) = delete;

  [[nodiscard]] Bytes reference() const;  // for SessionHeader::ledger

  // Syncs the recording, notes the session and writes session_open.
  Result<void> enter(Recording& recording, const format::SessionStart& start);
  // `recording` outlives the thread, which close() and lose() end.
  Result<void> start(Recording& recording, std::function<void()> on_change);

  void beat();  // an entry with what is on the disk by then

  // What went wrong since the last call. Not final: it is tried again with the next beat.
  struct Failure {
    Error error;
    bool final = false;
  };
  std::optional<Failure> take_failure();

  // `final_path`: the finished file.
  Result<void> close(const format::SealPoint& final_seal, const std::string& final_path,
                     std::string exit);
  Result<void> lose(std::string reason);

 private:
  SessionLedger(std::string directory, std::unique_ptr<format::Ledger> ledger)
      : directory_(std::move(directory)), ledger_(std::move(ledger)) {}
  static void* run_thread(void* self);
  void work();
  void sweep();
  void write_beat();
  void announce();
  void report(const Error& error, bool final);
  void stop_thread();

  std::string directory_;
  std::unique_ptr<format::Ledger> ledger_;  // the thread's while it runs; until enter()
  std::optional<format::LedgerSession> session_;
  std::optional<format::OpenSessionNote> note_;
  Recording* recording_ = nullptr;
  std::function<void()> on_change_;
  std::optional<pthread_t> thread_;
  std::atomic<bool> stop_{false};

  std::mutex mutex_;
  std::condition_variable asked_;
  bool beat_due_ = false;  // guarded by mutex_, as the next one
  std::optional<Failure> failure_;
  bool swept_ = false;          // guarded by mutex_
  bool failed_before_ = false;  // thread only
};

}  // namespace sworn::recorder
