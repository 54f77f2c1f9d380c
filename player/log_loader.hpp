// SPDX-License-Identifier: Apache-2.0
// Log lines from files, placed on the recording's clock, as a LogBook for the player. The files are
// read in a thread of their own, because they may be large; where the recording is live they are
// read again as they grow.
#pragma once

#include "base/result.hpp"
#include "player/log_book.hpp"
#include "player/recording.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sworn::player {

// Reads all files to their ends. Errors of opening come back; a file that breaks off is used as far
// as it goes, and the book says so.
Result<LogBookPtr> load_logs(const Recording& recording, const std::vector<std::string>& files);

// Thread-safe. `recording` must outlive it; `notify` is called from its thread.
class LogThread {
 public:
  // Refuses what cannot be read, before anything is shown.
  static Result<std::unique_ptr<LogThread>> open(const Recording& recording,
                                                 std::vector<std::string> files,
                                                 std::function<void()> notify);
  // Begins to read.
  void start();
  ~LogThread();
  LogThread(const LogThread&) = delete;
  LogThread& operator=(const LogThread&) = delete;

  [[nodiscard]] LogBookPtr snapshot() const;

 private:
  LogThread(const Recording& recording, std::vector<std::string> files,
            std::function<void()> notify);
  void run();
  void publish(LogBookPtr book);

  const Recording& recording_;
  const std::vector<std::string> files_;
  std::function<void()> notify_;
  mutable std::mutex mutex_;
  LogBookPtr book_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace sworn::player
