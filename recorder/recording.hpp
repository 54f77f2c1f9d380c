// SPDX-License-Identifier: Apache-2.0
// One session being recorded: the file, the tail, the keys, and the worker thread that compresses,
// hashes and signs, so that none of it happens between a keystroke and its echo. Putting an
// event on record means committing it to the tail; sealing moves it into the file.
//
// Threads: everything is called by the loop's thread, except what the worker does inside.
// `on_change` runs on the worker: it may only wake the loop. The mutex guards the writer; sync runs
// outside of it.
#pragma once

#include "base/clock.hpp"
#include "format/key_box.hpp"
#include "format/session_writer.hpp"
#include "format/store.hpp"
#include "format/tail.hpp"
#include "recorder/policy.hpp"
#include "recorder/reserved_file.hpp"
#include "recorder/syncer.hpp"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include <pthread.h>

namespace sworn::recorder {

class Recording {
 public:
  struct Plan {
    std::string final_path;
    SyncMode sync = SyncMode::interval;
    format::SessionHeader header;
    format::RecipientGroups recipients;  // empty: in clear
    std::string detached_box;            // directory for the key boxes; empty: in the recording
    // Made by another process, which also gives them their final name or removes them; else
    // create() makes both.
    Fd part;
    Fd tail;
  };
  // Creates the file and the tail; nothing is left behind where it fails. `clock` and `entropy`
  // outlive it.
  static Result<std::unique_ptr<Recording>> create(Plan plan, Clock& clock,
                                                   format::Entropy& entropy);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  Result<void> start_worker(std::function<void()> on_change);
  // Runs on the worker behind each heartbeat's seal; before start_worker().
  void on_heartbeat(std::function<void()> callback) { on_heartbeat_ = std::move(callback); }

  // As TailWriter: empty means full, wait for on_change. Keeps room for what must be recorded at
  // once.
  std::span<std::byte> reserve(std::size_t want);
  // `at` is when it happened.
  format::EventView commit(format::EventKind kind, MonoTime at, std::size_t used);
  format::EventView commit(format::EventKind kind, std::size_t used);
  // Small events. Seals in this thread where the tail is full, so it fails only where the file
  // does.
  Result<void> put(format::EventKind kind, ByteView data,
                   std::optional<MonoTime> at = std::nullopt);

  // Forces the file to the disk and returns the last seal that is there for certain; nullopt before
  // the first. From any thread; waits for the disk.
  Result<std::optional<format::SealPoint>> sync_point();

  // Everything recorded so far is sealed when this returns; with SyncMode::critical it is also on
  // the disk. Wakes nobody up: what it leaves to be done is asked for by after_seal(), when the key
  // that waited for the seal has been forwarded.
  Result<void> seal_now();
  void after_seal();
  // By the worker: a seal, or only to begin with what is there.
  void ask_seal(format::SealReason reason);
  void nudge();

  // After on_change: memory that an idle session need not keep.
  void trim_if_idle();

  [[nodiscard]] bool low_space() const { return file_->low(); }
  [[nodiscard]] bool dead() const { return dead_.load(std::memory_order_acquire); }
  [[nodiscard]] Error error() const;  // why dead

  [[nodiscard]] const std::string& path() const { return part_->path(); }
  [[nodiscard]] const std::string& final_path() const { return part_->final_path(); }

  // Final seal, final name. Afterwards nothing can be put on record. Where it fails, file and tail
  // stay as a crash would leave them.
  Result<void> finish(std::uint64_t late_bytes);
  // After finish(): the final seal.
  [[nodiscard]] std::optional<format::SealPoint> last_seal() const { return writer_->last_seal(); }
  // Nothing was recorded that is worth keeping (the session never began).
  void discard();

 private:
  struct Request {
    bool work = false;
    bool key = false;
    bool heartbeat = false;
    std::optional<format::SealReason> seal;
  };

  Recording(Clock& clock, SyncMode sync) : clock_(clock), sync_(sync) {}
  static void* run_worker(void* self);
  void work();
  void serve(const Request& request);
  void tell_loop();
  Result<void> append_some(std::size_t limit, bool& more);  // under writer_mutex_
  Result<void> append_all();
  Result<void> seal_locked(format::SealReason reason);
  void serve_saturated();
  void make_keys();
  void go_idle();
  void sync_file();
  Result<void> check(Result<void> result);
  void stop_worker();
  void remove_boxes();

  Clock& clock_;
  SyncMode sync_;
  std::string detached_box_;  // directory; empty: none
  std::unique_ptr<format::PartFile> part_;
  std::unique_ptr<ReservedFile> file_;
  std::unique_ptr<format::TailWriter> tail_;
  std::function<void()> on_change_;
  std::function<void()> on_heartbeat_;

  std::mutex writer_mutex_;
  std::unique_ptr<format::SessionWriter> writer_;  // guarded by writer_mutex_, as the next three
  std::uint64_t unsealed_bytes_ = 0;
  MonoTime last_seal_{};
  Error error_;
  bool keys_low_ = true;  // the loop's thread only
  std::atomic<bool> dead_{false};
  std::atomic<bool> starved_{false};  // the loop waits for room in the tail
  std::atomic<bool> idle_{false};

  mutable std::mutex request_mutex_;
  std::condition_variable requested_;
  Request request_;  // guarded by request_mutex_, as the next one
  bool stop_ = false;
  std::optional<pthread_t> worker_;
  std::unique_ptr<Syncer> syncer_;
  MonoTime last_sync_{};  // worker only
  bool was_low_ = false;  // worker only
};

}  // namespace sworn::recorder
