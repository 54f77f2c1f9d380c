// SPDX-License-Identifier: Apache-2.0
// A named queue with one thread: for what waits for a disk or a name service, so that the loop
// never does. Jobs run in order; what a job hands back runs on the loop's thread, in collect().
#pragma once

#include "base/result.hpp"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include <pthread.h>

namespace sworn::recorder::host {

class Worker {
 public:
  using Done = std::function<void()>;
  using Job = std::function<Done()>;  // the returned function may be empty

  // `on_done` runs on the worker's thread and may only wake the loop.
  Worker(std::string name, std::function<void()> on_done);
  ~Worker();  // finishes what is queued
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  Result<void> start();
  // Errc::exhausted where too much waits already.
  Result<void> post(Job job);
  void collect();
  [[nodiscard]] std::size_t waiting() const;

 private:
  static void* run_thread(void* self);
  void run();

  std::string name_;
  std::function<void()> on_done_;
  std::optional<pthread_t> thread_;
  mutable std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<Job> jobs_;  // guarded by mutex_, as the next ones
  std::deque<Done> done_;
  bool stop_ = false;
};

}  // namespace sworn::recorder::host
