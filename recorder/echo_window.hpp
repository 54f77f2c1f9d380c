// SPDX-License-Identifier: Apache-2.0
// The most recent text of the output, escape sequences taken out, in which the echo of what was
// typed is looked for. Positions count text bytes since the start of the session. Bounded; nothing
// secret lives here: all of it was on the screen.
#pragma once

#include "base/bytes.hpp"
#include "recorder/text_filter.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace sworn::recorder {

class EchoWindow {
 public:
  void on_output(ByteView data);
  // Position behind the text seen so far: an echo of what is typed now starts here or later.
  [[nodiscard]] std::uint64_t end() const { return end_; }
  // Output was left out since the last call: a sequence that it cut is over.
  void skip() { filter_.reset(); }
  // First place in [from, from + slack] where `needle` begins; returns the position behind its end.
  [[nodiscard]] std::optional<std::uint64_t> find(ByteView needle, std::uint64_t from,
                                                  std::uint64_t slack) const;

 private:
  static constexpr std::size_t k_size = 4096;  // a power of two
  [[nodiscard]] std::byte at(std::uint64_t position) const { return ring_[position % k_size]; }

  std::array<std::byte, k_size> ring_{};
  std::uint64_t end_ = 0;
  TextFilter filter_;
};

}  // namespace sworn::recorder
