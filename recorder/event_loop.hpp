// SPDX-License-Identifier: Apache-2.0
// The only place that knows libuv: descriptors that become ready, one timer, one wake-up from
// another thread. Callbacks run on the thread that calls run(). Watches are level-triggered and
// must be gone before the loop.
#pragma once

#include "base/result.hpp"

#include <functional>
#include <memory>

namespace sworn::recorder {

struct Ready {
  bool readable = false;
  bool writable = false;
};

class EventLoop {
 public:
  static Result<std::unique_ptr<EventLoop>> create();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Readiness of one descriptor. One watch per descriptor number; duplicate it to wait for both
  // directions in different places. An error or hangup counts as ready: the next read or write
  // tells what it is.
  class Watch {
   public:
    Watch();
    ~Watch();
    Watch(Watch&&) noexcept;
    Watch& operator=(Watch&&) noexcept;
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    void want(bool readable, bool writable);  // cheap where nothing changes
    void close();
    [[nodiscard]] bool active() const { return impl_ != nullptr; }

   private:
    friend class EventLoop;
    struct Impl;
    std::unique_ptr<Impl> impl_;
  };
  // Fails with EPERM for regular files, which are always ready.
  Result<Watch> watch(int fd, std::function<void(Ready)> callback);

  // One timer; a new time replaces the old one. Milliseconds from now.
  void on_timer(std::function<void()> callback);
  void set_timer(std::int64_t milliseconds);

  // wake() may be called from any thread; `callback` then runs soon, once for many.
  Result<void> on_wake(std::function<void()> callback);
  void wake();

  // Runs once in every turn while wanted: for sources that cannot be waited for.
  void set_idle(std::function<void()> callback);
  void want_idle(bool wanted);

  void run();
  void stop();

 private:
  struct Impl;
  explicit EventLoop(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sworn::recorder
