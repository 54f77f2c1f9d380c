// SPDX-License-Identifier: Apache-2.0
// The character sets that ESC ( ) * + designate. Programs still draw boxes with the DEC set; of the
// national sets only the British one is kept, everything else shows as ASCII.
#pragma once

#include <array>
#include <cstdint>

namespace sworn::vt {

// Written to snapshots: never renumber.
enum class Charset : std::uint8_t { ascii = 0, dec_graphics = 1, british = 2 };

struct CharsetState {
  std::array<Charset, 4> g{};     // G0..G3
  std::uint8_t shifted_in = 0;    // which of them GL shows (SI, SO, LS2, LS3)
  std::uint8_t single_shift = 0;  // 2 or 3: for the next character only

  [[nodiscard]] bool plain() const {
    return single_shift == 0 && g.at(shifted_in) == Charset::ascii;
  }
  friend bool operator==(const CharsetState&, const CharsetState&) = default;
};

// `final` is the last byte of the designation, e.g. '0' or 'B'.
Charset charset_of(char final);

// `c` is 0x20..0x7e.
char32_t translate(Charset set, char c);

}  // namespace sworn::vt
