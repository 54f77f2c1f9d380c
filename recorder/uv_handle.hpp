// SPDX-License-Identifier: Apache-2.0
// libuv's handles belong to libuv until their close callback has run: these owners close, and the
// callback frees. A handle whose init failed was never known to the loop and is freed at once.
#pragma once

#include <uv.h>

#include <memory>

namespace sworn::recorder {

template <typename H>
struct UvClose {
  void operator()(H* handle) const noexcept {
    auto* base = reinterpret_cast<uv_handle_t*>(handle);
    if (base->loop == nullptr) {
      delete handle;
      return;
    }
    uv_close(base, [](uv_handle_t* closed) { delete reinterpret_cast<H*>(closed); });
  }
};

template <typename H>
using UvPtr = std::unique_ptr<H, UvClose<H>>;

}  // namespace sworn::recorder
