// SPDX-License-Identifier: Apache-2.0
// Forces a file to the disk on a thread of its own. A disk takes its time for that, tens of
// milliseconds and more, and who compresses and seals cannot wait so long: the tail would fill up,
// and the session stand still.
//
// Threads: ask() from any; `on_failure` runs on the syncer's thread, once.
#pragma once

#include "base/file.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include <pthread.h>

namespace sworn::recorder {

class Syncer {
 public:
  // `file` outlives it; its sync() may run beside append().
  static Result<std::unique_ptr<Syncer>> start(AppendFile& file,
                                               std::function<void(const Error&)> on_failure);
  // Waits for a sync that has begun, not for one that was only asked for.
  ~Syncer();
  Syncer(const Syncer&) = delete;
  Syncer& operator=(const Syncer&) = delete;

  // What was written until now is on the disk soon. Many are one.
  void ask();

 private:
  Syncer(AppendFile& file, std::function<void(const Error&)> on_failure);
  static void* run(void* self);
  void work();

  AppendFile& file_;
  std::function<void(const Error&)> on_failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false;  // guarded by mutex_, as the next one
  bool stop_ = false;
  pthread_t thread_{};
  bool started_ = false;
};

}  // namespace sworn::recorder
