// SPDX-License-Identifier: Apache-2.0
// Bytes that are overwritten when their owner goes. Move-only, so that no copy is made unseen; a
// moved-from secret is erased. Lives wherever it is put: keep it out of long-lived containers.
#pragma once

#include "base/bytes.hpp"
#include "format/sign.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace sworn::format {

template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  ~Secret() { erase(bytes_); }
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { erase(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      erase(other.bytes_);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  [[nodiscard]] std::span<std::byte, N> span() { return bytes_; }
  [[nodiscard]] std::span<const std::byte, N> view() const { return bytes_; }
  // `from` must have N bytes.
  static Secret copy_of(ByteView from) {
    Secret out;
    std::copy_n(from.begin(), std::min(from.size(), N), out.bytes_.begin());
    return out;
  }

 private:
  std::array<std::byte, N> bytes_{};
};

}  // namespace sworn::format
