// SPDX-License-Identifier: Apache-2.0
#include "recorder/recording.hpp"

#include "format/key_ring.hpp"
#include "format/rewrap.hpp"

#include <algorithm>
#include <chrono>

#include <malloc.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace sworn::recorder {
namespace {

using format::EventKind;
using format::EventView;
using format::SealReason;

constexpr std::size_t k_headroom = 64 * 1024;      // of the tail, for what cannot wait
constexpr std::size_t k_batch_bytes = 256 * 1024;  // appended in one hold of the mutex
constexpr std::uint64_t k_saturated_bytes = 1U << 20U;
constexpr std::int64_t k_saturated_us = 20'000;
constexpr std::int64_t k_sync_us = 1'000'000;
constexpr auto k_idle_after = std::chrono::seconds(5);
constexpr std::size_t k_worker_stack = 256 * 1024;
constexpr std::size_t k_few_keys = 2;  // made in advance: time to make more

}  // namespace

Result<std::unique_ptr<Recording>> Recording::create(Plan plan, Clock& clock,
                                                     format::Entropy& entropy) {
  auto out = std::unique_ptr<Recording>(new Recording(clock, plan.sync));
  out->detached_box_ = plan.detached_box;
  const bool adopted = plan.part.valid();
  if (adopted) {
    out->part_ = format::PartFile::adopt(std::move(plan.part), plan.final_path);
  } else {
    TRY_ASSIGN(out->part_, format::PartFile::create(plan.final_path));
  }
  const auto build = [&]() -> Result<void> {
    TRY_ASSIGN(out->file_, ReservedFile::create(out->part_->file().fd()));
    format::WriterOptions options;
    options.recipients = plan.recipients.empty() ? nullptr : &plan.recipients;
    options.detached_boxes = !plan.detached_box.empty();
    TRY_ASSIGN(out->writer_, format::SessionWriter::create(*out->file_, clock, entropy,
                                                           std::move(plan.header), options));
    if (options.detached_boxes) {
      // On the disk before the first event: without them nobody could ever read it.
      TRY(format::store_key_boxes(plan.detached_box, out->writer_->header().file_id,
                                  out->writer_->key_boxes()));
    }
    const auto& file_id = out->writer_->header().file_id;
    auto key = out->writer_->take_tail_key();
    TRY_ASSIGN(out->tail_,
               adopted ? format::TailWriter::adopt(std::move(plan.tail), file_id,
                                                   format::k_tail_half_bytes, std::move(key))
                       : format::TailWriter::create(format::tail_path(out->part_->path()), file_id,
                                                    format::k_tail_half_bytes, std::move(key)));
    TRY(out->writer_->prepare_key());
    return {};
  };
  if (auto built = build(); !built) {
    out->remove_boxes();
    if (adopted) {
      return tl::make_unexpected(std::move(built).error());
    }
    ::unlink(out->part_->path().c_str());
    return tl::make_unexpected(std::move(built).error());
  }
  out->last_seal_ = out->last_sync_ = clock.mono();
  return out;
}

Recording::~Recording() {
  stop_worker();
}

Result<void> Recording::start_worker(std::function<void()> on_change) {
  on_change_ = std::move(on_change);
  if (sync_ != SyncMode::none) {
    TRY_ASSIGN(syncer_, Syncer::start(*file_, [this](const Error& error) {
                 {
                   const std::lock_guard lock(writer_mutex_);
                   static_cast<void>(check(tl::make_unexpected(error)));
                 }
                 on_change_();
               }));
  }
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, k_worker_stack);
  pthread_t thread{};
  const int rc = ::pthread_create(&thread, &attributes, run_worker, this);
  ::pthread_attr_destroy(&attributes);
  if (rc != 0) {
    return fail_sys(rc, "cannot start a thread");
  }
  worker_ = thread;
  return {};
}

std::span<std::byte> Recording::reserve(std::size_t want) {
  if (tail_->free_bytes() < k_headroom + want) {
    // Told first, looked again then: room made in between is not missed.
    starved_.store(true);
    if (tail_->free_bytes() < k_headroom + want) {
      nudge();  // nothing more will come that would bring the worker to seal what is there
      return {};
    }
  }
  return tail_->reserve(want, std::min<std::size_t>(want, 512));
}

EventView Recording::commit(EventKind kind, MonoTime at, std::size_t used) {
  const MonoTime now = clock_.mono();
  return tail_->commit(kind, now, std::min(at, now), used);
}

EventView Recording::commit(EventKind kind, std::size_t used) {
  const MonoTime now = clock_.mono();
  return tail_->commit(kind, now, now, used);
}

Result<void> Recording::put(EventKind kind, ByteView data, std::optional<MonoTime> at) {
  MonoTime now = clock_.mono();
  auto done = tail_->put(kind, now, std::min(at.value_or(now), now), data);
  if (!done && done.error().code == Errc::exhausted) {
    TRY(seal_now());
    now = clock_.mono();
    done = tail_->put(kind, now, std::min(at.value_or(now), now), data);
  }
  if (!done) {
    return tl::make_unexpected(std::move(done).error());
  }
  return {};
}

Result<void> Recording::check(Result<void> result) {
  if (!result && !dead_.load(std::memory_order_relaxed)) {
    error_ = result.error();
    dead_.store(true, std::memory_order_release);
  }
  return result;
}

Error Recording::error() const {
  return error_;
}

Result<void> Recording::append_some(std::size_t limit, bool& more) {
  const auto pending = tail_->pending(writer_->next_event_number());
  std::size_t bytes = 0;
  std::size_t n = 0;
  while (n < pending.size() && bytes < limit) {
    bytes += pending[n++].data.size();
  }
  more = n < pending.size();
  unsealed_bytes_ += bytes;
  return check(writer_->append(std::span(pending).first(n)));
}

Result<void> Recording::append_all() {
  bool more = true;
  while (more) {
    TRY(append_some(k_batch_bytes, more));
  }
  return {};
}

Result<void> Recording::seal_locked(SealReason reason) {
  TRY(check(writer_->seal(reason)));
  unsealed_bytes_ = 0;
  last_seal_ = clock_.mono();
  // Written is as good as in the tail: both are the kernel's now. The sync comes in its own time.
  tail_->release(writer_->sealed_events());
  return {};
}

Result<void> Recording::seal_now() {
  {
    const std::lock_guard lock(writer_mutex_);
    TRY(append_all());
    TRY(seal_locked(SealReason::critical));
    keys_low_ = writer_->keys_ahead() <= k_few_keys;
  }
  if (sync_ == SyncMode::critical) {
    TRY(check(file_->sync()));
  }
  return {};
}

void Recording::after_seal() {
  if (!keys_low_) {
    return;  // the next seal by the worker makes more
  }
  keys_low_ = false;
  {
    const std::lock_guard lock(request_mutex_);
    request_.key = true;
  }
  requested_.notify_one();
}

Result<std::optional<format::SealPoint>> Recording::sync_point() {
  std::optional<format::SealPoint> out;
  {
    const std::lock_guard lock(writer_mutex_);
    out = writer_->last_seal();
  }
  TRY(file_->sync());
  return out;
}

void Recording::ask_seal(SealReason reason) {
  {
    const std::lock_guard lock(request_mutex_);
    request_.seal = reason;
    request_.heartbeat = request_.heartbeat || reason == SealReason::heartbeat;
  }
  requested_.notify_one();
}

void Recording::nudge() {
  {
    const std::lock_guard lock(request_mutex_);
    request_.work = true;
  }
  requested_.notify_one();
}

void* Recording::run_worker(void* self) {
  ::prctl(PR_SET_NAME, "sworn-seal");
  static_cast<Recording*>(self)->work();
  return nullptr;
}

void Recording::work() {
  bool busy = true;  // something may have to be given back when it becomes quiet
  std::unique_lock lock(request_mutex_);
  while (!stop_) {
    const auto called = [this] { return stop_ || request_.work || request_.key || request_.seal; };
    if (!called()) {
      if (!busy) {
        requested_.wait(lock, called);
      } else if (!requested_.wait_for(lock, k_idle_after, called)) {
        lock.unlock();
        go_idle();
        lock.lock();
        busy = false;
        continue;
      }
    }
    if (stop_) {
      break;
    }
    const Request request = std::exchange(request_, {});
    lock.unlock();
    const bool was_busy = std::exchange(busy, true);
    serve(request);
    if (!was_busy && request.seal == SealReason::heartbeat) {
      go_idle();
      busy = false;
    }
    lock.lock();
  }
}

void Recording::serve(const Request& request) {
  if (dead()) {
    return;
  }
  if (request.seal) {
    const std::lock_guard lock(writer_mutex_);
    if (append_all()) {
      static_cast<void>(seal_locked(*request.seal));
    }
  } else if (request.work) {
    serve_saturated();
  }
  make_keys();
  if (request.seal || request.work) {
    sync_file();
  }
  if (request.heartbeat && on_heartbeat_) {
    on_heartbeat_();
  }
  tell_loop();
}

// One in each hold of the mutex, so that an Enter never waits for more than one.
void Recording::make_keys() {
  bool more = true;
  while (more && !dead()) {
    const std::lock_guard lock(writer_mutex_);
    const auto made = writer_->prepare_key();
    more = made.value_or(false);
    if (!made) {
      static_cast<void>(check(tl::make_unexpected(made.error())));
    }
  }
}

void Recording::tell_loop() {
  const bool low = low_space();
  const bool changed = low != std::exchange(was_low_, low);
  if (changed || dead() || starved_.exchange(false)) {
    on_change_();
  }
}

// Takes what is there in pieces, so that an Enter never waits for more than one of them.
void Recording::serve_saturated() {
  bool more = true;
  while (more && !dead()) {
    const std::lock_guard lock(writer_mutex_);
    if (!append_some(k_batch_bytes, more)) {
      return;
    }
    const bool due = starved_.load() || unsealed_bytes_ >= k_saturated_bytes ||
                     clock_.mono().us - last_seal_.us >= k_saturated_us;
    if (due && unsealed_bytes_ > 0) {
      if (!seal_locked(SealReason::saturated)) {
        return;
      }
      if (starved_.exchange(false)) {
        on_change_();
      }
    }
  }
}

void Recording::sync_file() {
  const MonoTime now = clock_.mono();
  if (!dead() && syncer_ && now.us - last_sync_.us >= k_sync_us / 2) {
    syncer_->ask();
    last_sync_ = now;
  }
}

void Recording::go_idle() {
  {
    const std::lock_guard lock(writer_mutex_);
    writer_->release_compressor();
  }
  ::malloc_trim(0);
  idle_.store(true);
  on_change_();
}

void Recording::trim_if_idle() {
  if (idle_.exchange(false)) {
    tail_->trim();
  }
}

void Recording::stop_worker() {
  if (!worker_) {
    return;
  }
  {
    const std::lock_guard lock(request_mutex_);
    stop_ = true;
  }
  requested_.notify_one();
  ::pthread_join(*worker_, nullptr);
  worker_.reset();
  syncer_.reset();
}

Result<void> Recording::finish(std::uint64_t late_bytes) {
  stop_worker();
  if (dead()) {
    return tl::make_unexpected(error_);
  }
  TRY(append_all());
  TRY(check(writer_->finish({.late_bytes = late_bytes})));
  tail_->release(writer_->next_event_number());
  file_->release();
  TRY(part_->publish());
  return tail_->remove();
}

void Recording::discard() {
  stop_worker();
  static_cast<void>(tail_->remove());
  remove_boxes();
  if (!part_->adopted()) {
    ::unlink(part_->path().c_str());
  }
}

void Recording::remove_boxes() {
  if (!writer_ || detached_box_.empty()) {
    return;
  }
  const auto n = writer_->key_boxes().size();
  for (std::size_t i = 0; i < n; ++i) {
    ::unlink((detached_box_ + "/" + format::box_name(writer_->header().file_id, i, n)).c_str());
  }
}

}  // namespace sworn::recorder
