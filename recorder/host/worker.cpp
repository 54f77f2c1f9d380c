// SPDX-License-Identifier: Apache-2.0
#include "recorder/host/worker.hpp"

#include <utility>

#include <sys/prctl.h>

namespace sworn::recorder::host {
namespace {

constexpr std::size_t k_stack_bytes = 512 * 1024;
constexpr std::size_t k_max_jobs = 16'384;

}  // namespace

Worker::Worker(std::string name, std::function<void()> on_done)
    : name_(std::move(name)), on_done_(std::move(on_done)) {}

Worker::~Worker() {
  if (thread_) {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    asked_.notify_one();
    ::pthread_join(*thread_, nullptr);
  }
}

Result<void> Worker::start() {
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, k_stack_bytes);
  pthread_t thread{};
  const int rc = ::pthread_create(&thread, &attributes, run_thread, this);
  ::pthread_attr_destroy(&attributes);
  if (rc != 0) {
    return fail_sys(rc, "cannot start a thread");
  }
  thread_ = thread;
  return {};
}

Result<void> Worker::post(Job job) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= k_max_jobs) {
      return fail(Errc::exhausted, name_ + ": too much waits");
    }
    jobs_.push_back(std::move(job));
  }
  asked_.notify_one();
  return {};
}

std::size_t Worker::waiting() const {
  const std::lock_guard lock(mutex_);
  return jobs_.size();
}

void Worker::collect() {
  std::deque<Done> done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(done_);
  }
  for (const auto& each : done) {
    each();
  }
}

void* Worker::run_thread(void* self) {
  auto* worker = static_cast<Worker*>(self);
  ::prctl(PR_SET_NAME, worker->name_.c_str());
  worker->run();
  return nullptr;
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    asked_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) {
      return;
    }
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    Done done = job();
    lock.lock();
    if (done) {
      done_.push_back(std::move(done));
      on_done_();
    }
  }
}

}  // namespace sworn::recorder::host
