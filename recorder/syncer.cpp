// SPDX-License-Identifier: Apache-2.0
#include "recorder/syncer.hpp"

#include <utility>

#include <sys/prctl.h>

namespace sworn::recorder {
namespace {

constexpr std::size_t k_stack = 64 * 1024;

}  // namespace

Syncer::Syncer(AppendFile& file, std::function<void(const Error&)> on_failure)
    : file_(file), on_failure_(std::move(on_failure)) {}

Result<std::unique_ptr<Syncer>> Syncer::start(AppendFile& file,
                                              std::function<void(const Error&)> on_failure) {
  auto out = std::unique_ptr<Syncer>(new Syncer(file, std::move(on_failure)));
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, k_stack);
  const int rc = ::pthread_create(&out->thread_, &attributes, run, out.get());
  ::pthread_attr_destroy(&attributes);
  if (rc != 0) {
    return fail_sys(rc, "cannot start a thread");
  }
  out->started_ = true;
  return out;
}

Syncer::~Syncer() {
  if (!started_) {
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  ::pthread_join(thread_, nullptr);
}

void Syncer::ask() {
  {
    const std::lock_guard lock(mutex_);
    asked_ = true;
  }
  changed_.notify_one();
}

void* Syncer::run(void* self) {
  ::prctl(PR_SET_NAME, "sworn-sync");
  static_cast<Syncer*>(self)->work();
  return nullptr;
}

void Syncer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || asked_; });
    if (stop_) {
      return;
    }
    asked_ = false;
    lock.unlock();
    const auto synced = file_.sync();
    if (!synced) {
      on_failure_(synced.error());
      return;
    }
    lock.lock();
  }
}

}  // namespace sworn::recorder
