// SPDX-License-Identifier: Apache-2.0
#include "recorder/event_loop.hpp"

#include "recorder/uv_handle.hpp"

#include <algorithm>
#include <utility>

namespace sworn::recorder {
namespace {

tl::unexpected<Error> uv_failure(int rc, const char* what) {
  return fail_sys(-rc, what);
}

}  // namespace

struct EventLoop::Impl {
  uv_loop_t loop{};
  bool ready = false;
  UvPtr<uv_timer_t> timer;
  UvPtr<uv_async_t> async;
  UvPtr<uv_idle_t> idle;
  std::function<void()> on_timer;
  std::function<void()> on_wake;
  std::function<void()> on_idle;

  ~Impl() {
    timer.reset();
    async.reset();
    idle.reset();
    if (ready) {
      uv_run(&loop, UV_RUN_DEFAULT);  // the close callbacks
      uv_loop_close(&loop);
    }
  }
};

// Handles live on the heap of libuv's side; the callback goes with the watch.
struct EventLoop::Watch::Impl {
  UvPtr<uv_poll_t> handle;
  std::function<void(Ready)> callback;
  int wanted = 0;

  void start() {
    uv_poll_start(handle.get(), wanted, [](uv_poll_t* ready, int status, int events) {
      auto* self = static_cast<Impl*>(ready->data);
      if (status < 0) {
        // libuv stops polling on an error condition; whoever is interested finds it by reading or
        // writing.
        events = std::exchange(self->wanted, 0);
      }
      const auto call = self->callback;  // it may close the watch
      call({(events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0});
    });
  }
};

EventLoop::Watch::Watch() = default;
EventLoop::Watch::~Watch() = default;
EventLoop::Watch::Watch(Watch&&) noexcept = default;
EventLoop::Watch& EventLoop::Watch::operator=(Watch&&) noexcept = default;

void EventLoop::Watch::close() {
  impl_.reset();
}

void EventLoop::Watch::want(bool readable, bool writable) {
  if (!impl_) {
    return;
  }
  const int wanted = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
  if (wanted == impl_->wanted) {
    return;
  }
  impl_->wanted = wanted;
  if (wanted == 0) {
    uv_poll_stop(impl_->handle.get());
  } else {
    impl_->start();
  }
}

EventLoop::EventLoop(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLoop::~EventLoop() = default;

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  auto impl = std::make_unique<Impl>();
  if (const int rc = uv_loop_init(&impl->loop); rc != 0) {
    return uv_failure(rc, "cannot start the event loop");
  }
  impl->ready = true;
  impl->timer.reset(new uv_timer_t{});
  uv_timer_init(&impl->loop, impl->timer.get());
  impl->timer->data = impl.get();
  impl->idle.reset(new uv_idle_t{});
  uv_idle_init(&impl->loop, impl->idle.get());
  impl->idle->data = impl.get();
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(impl)));
}

Result<EventLoop::Watch> EventLoop::watch(int fd, std::function<void(Ready)> callback) {
  Watch out;
  out.impl_ = std::make_unique<Watch::Impl>();
  out.impl_->callback = std::move(callback);
  out.impl_->handle.reset(new uv_poll_t{});
  if (const int rc = uv_poll_init(&impl_->loop, out.impl_->handle.get(), fd); rc != 0) {
    return uv_failure(rc, "cannot wait for a descriptor");
  }
  out.impl_->handle->data = out.impl_.get();
  return out;
}

void EventLoop::on_timer(std::function<void()> callback) {
  impl_->on_timer = std::move(callback);
}

void EventLoop::set_timer(std::int64_t milliseconds) {
  uv_update_time(&impl_->loop);
  uv_timer_start(
      impl_->timer.get(), [](uv_timer_t* handle) { static_cast<Impl*>(handle->data)->on_timer(); },
      static_cast<std::uint64_t>(std::max<std::int64_t>(milliseconds, 0)), 0);
}

Result<void> EventLoop::on_wake(std::function<void()> callback) {
  impl_->on_wake = std::move(callback);
  impl_->async.reset(new uv_async_t{});
  const int rc = uv_async_init(&impl_->loop, impl_->async.get(), [](uv_async_t* handle) {
    static_cast<Impl*>(handle->data)->on_wake();
  });
  if (rc != 0) {
    return uv_failure(rc, "cannot start the event loop");
  }
  impl_->async->data = impl_.get();
  return {};
}

void EventLoop::wake() {
  uv_async_send(impl_->async.get());
}

void EventLoop::set_idle(std::function<void()> callback) {
  impl_->on_idle = std::move(callback);
}

void EventLoop::want_idle(bool wanted) {
  if (wanted) {
    uv_idle_start(impl_->idle.get(),
                  [](uv_idle_t* handle) { static_cast<Impl*>(handle->data)->on_idle(); });
  } else {
    uv_idle_stop(impl_->idle.get());
  }
}

void EventLoop::run() {
  uv_run(&impl_->loop, UV_RUN_DEFAULT);
}
void EventLoop::stop() {
  uv_stop(&impl_->loop);
}

}  // namespace sworn::recorder
