// SPDX-License-Identifier: Apache-2.0
// Interpreter: the sequences CSI ... $ x for rectangular areas.
#include "player/vt/interpreter.hpp"
#include "player/vt/sgr.hpp"

#include <array>

namespace sworn::vt {
namespace {

std::array<int, 4> corners(const Csi& sequence, int first) {
  std::array<int, 4> given{};
  for (int i = 0; i < 4; ++i) {
    given.at(static_cast<std::size_t>(i)) = sequence.or_default(first + i, -1);
  }
  return given;
}

}  // namespace

void Interpreter::rectangle(const Csi& sequence) {
  switch (sequence.final) {
    case 'r':
    case 't':
      return change_attributes(sequence);
    case 'v':  // pages are ignored: there is one
      return screen.copy_rectangle(screen.rectangle(corners(sequence, 0)),
                                   sequence.at_least_one(5) - 1, sequence.at_least_one(6) - 1);
    case 'x':
      if (const int c = sequence.or_default(0, 0);
          (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xFF)) {
        screen.fill_rectangle(screen.rectangle(corners(sequence, 1)), static_cast<char32_t>(c));
      }
      return;
    case 'z':
      return screen.erase_rectangle(screen.rectangle(corners(sequence, 0)), Erase::normal);
    case '{':
      return screen.erase_rectangle(screen.rectangle(corners(sequence, 0)), Erase::selective);
    default:
      return;
  }
}

// DECCARA sets what its SGR parameters say, DECRARA flips it.
void Interpreter::change_attributes(const Csi& sequence) {
  constexpr std::uint16_t k_all = k_bold | k_underline_mask | k_blink | k_inverse;
  const bool flips = sequence.final == 't';
  Screen::AttributeChange change;
  for (int i = 4; i == 4 || i < sequence.count; ++i) {
    const int code = sequence.or_default(i, 0);
    const int on = code > 20 && code < 30 ? (code == 22 ? 1 : code - 20) : code;
    const std::uint16_t bits = code == 0 ? k_all : attribute_of_sgr(on);
    if (flips) {
      change.flip =
          static_cast<std::uint16_t>(change.flip ^ (code == 0 ? k_all & ~k_underline_mask : bits));
    } else if (code == 0 || on != code) {
      change.set = static_cast<std::uint16_t>(change.set & ~bits);
      change.clear = static_cast<std::uint16_t>(change.clear | (on == 4 ? k_underline_mask : bits));
    } else {
      change.set = static_cast<std::uint16_t>(change.set | bits);
      change.clear = static_cast<std::uint16_t>(change.clear & ~bits);
    }
  }
  screen.change_attributes(screen.rectangle(corners(sequence, 0)), change);
}

}  // namespace sworn::vt
