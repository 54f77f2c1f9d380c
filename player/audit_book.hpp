// SPDX-License-Identifier: Apache-2.0
// What ran, as the player shows it: the programs of each command line, and what does not add up.
// Made of the whole recording in a thread of its own when somebody asks. Texts are as recorded:
// unsanitised.
#pragma once

#include "base/clock.hpp"
#include "player/recording.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sworn::player {

// A line that leads somewhere.
struct AuditLine {
  std::string text;
  MonoTime t;
  std::uint64_t position = 0;  // 0: it leads nowhere
  bool serious = false;        // of what does not add up: more than a hint
};

// Immutable once shared.
struct AuditBook {
  bool reading = false;
  bool kernel = false;  // programs come from the kernel, not from the shell alone
  std::string trouble;
  std::vector<AuditLine> findings;                           // by time
  std::map<std::uint64_t, std::vector<AuditLine>> programs;  // by the event of the command's begin
};
using AuditBookPtr = std::shared_ptr<const AuditBook>;

// Errc::exhausted where `stop` became true meanwhile.
Result<AuditBookPtr> read_audit(const Recording& recording, const std::atomic<bool>& stop);

// Thread-safe. `recording` must outlive it; `notify` is called from its thread.
class AuditThread {
 public:
  AuditThread(const Recording& recording, std::function<void()> notify)
      : recording_(recording), notify_(std::move(notify)) {}
  ~AuditThread();
  AuditThread(const AuditThread&) = delete;
  AuditThread& operator=(const AuditThread&) = delete;

  // Reads the recording, unless that is being done.
  void request();
  [[nodiscard]] AuditBookPtr snapshot() const;

 private:
  void publish(AuditBookPtr book);

  const Recording& recording_;
  std::function<void()> notify_;
  std::thread thread_;
  std::atomic<bool> busy_{false};
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  AuditBookPtr book_;
};

}  // namespace sworn::player
