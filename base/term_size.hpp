// SPDX-License-Identifier: Apache-2.0
// Terminal size in character cells; never two bare ints. Limits: 1..4096 in the emulator.
#pragma once

#include <cstdint>

namespace sworn {

struct TermSize {
  std::uint16_t cols = 80;
  std::uint16_t rows = 24;
  friend bool operator==(const TermSize&, const TermSize&) = default;
};

}  // namespace sworn
