// SPDX-License-Identifier: Apache-2.0
#include "recorder/syncer.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <mutex>

using namespace sworn;

namespace {

// A disk whose syncs take as long as the test wants.
class SlowDisk final : public AppendFile {
 public:
  Result<void> append(ByteView) override { return {}; }
  Result<void> sync() override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return allowed_ >= begun_; });
    if (fails_) {
      return fail_sys(EIO, "fdatasync");
    }
    return {};
  }
  void allow(int syncs) {
    const std::lock_guard lock(mutex_);
    allowed_ = syncs;
    changed_.notify_all();
  }
  void fail() { fails_ = true; }
  void wait_begun(int syncs) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= syncs; });
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0;
  int allowed_ = 0;
  std::atomic<bool> fails_{false};
};

}  // namespace

TEST_CASE("recorder: whoever asks for a sync does not wait for it, and many requests are one") {
  SlowDisk disk;
  auto syncer = recorder::Syncer::start(disk, [](const Error&) { FAIL("no error is expected"); });
  REQUIRE(syncer);
  (*syncer)->ask();
  disk.wait_begun(1);
  (*syncer)->ask();  // these three come while the disk is busy
  (*syncer)->ask();
  (*syncer)->ask();
  disk.allow(1);
  disk.wait_begun(2);
  disk.allow(2);
  syncer->reset();
  CHECK(disk.begun() == 2);
}

TEST_CASE(
    "recorder: a sync that fails is told once, and the last sync is over when the syncer is") {
  SlowDisk disk;
  disk.fail();
  disk.allow(100);
  std::atomic<int> failures{0};
  int sys = 0;
  auto syncer = recorder::Syncer::start(disk, [&](const Error& error) {
    sys = error.sys;
    ++failures;
  });
  REQUIRE(syncer);
  (*syncer)->ask();
  disk.wait_begun(1);
  (*syncer)->ask();
  syncer->reset();
  CHECK(failures == 1);
  CHECK(sys == EIO);
}
