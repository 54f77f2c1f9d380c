// SPDX-License-Identifier: Apache-2.0
// The monitor's connection to swornd, on a thread of its own, so that neither a stuck daemon nor
// its restart is noticed by the terminal. Where the connection ends it is made anew (Register) for
// as long as the session lasts; what was posted meanwhile is sent then, oldest first, bounded.
#pragma once

#include "base/fd.hpp"
#include "recorder/host/wire.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

#include <pthread.h>

namespace sworn::recorder::host {

class DaemonLink {
 public:
  DaemonLink(Fd socket, SessionId id, Nonce token);
  ~DaemonLink();  // gives up what was not sent
  DaemonLink(const DaemonLink&) = delete;
  DaemonLink& operator=(const DaemonLink&) = delete;
  Result<void> start();

  void post(Message message);  // from any thread
  // Until swornd has said that the ledger has the session.
  bool wait_opened(int timeout_ms);
  // Asks whether one of these terminals hides what is typed; no answer in time means yes.
  bool hides(const std::vector<std::uint32_t>& devices, int timeout_ms);
  // Until all that was posted is sent.
  bool flush(int timeout_ms);

 private:
  static void* run_thread(void* self);
  void run();
  void wait(int timeout_ms);
  void reconnect();
  void send_some();
  void receive_some();
  void wake();

  SessionId id_;
  Nonce token_;
  Fd socket_;  // thread only, as the next one
  int pause_ms_ = 0;
  Fd wake_;
  std::optional<pthread_t> thread_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Message> waiting_;  // guarded by mutex_, as the next ones
  bool opened_ = false;
  bool stop_ = false;
  std::uint32_t asked_ = 0;
  std::uint32_t answered_ = 0;
  bool hides_ = true;
};

}  // namespace sworn::recorder::host
