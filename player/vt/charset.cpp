// SPDX-License-Identifier: Apache-2.0
#include "player/vt/charset.hpp"

namespace sworn::vt {
namespace {

// 0x5f..0x7e of the DEC special graphics set.
constexpr std::array<char16_t, 32> k_dec_graphics = {
    0x00A0, 0x25C6, 0x2592, 0x2409, 0x240C, 0x240D, 0x240A, 0x00B0, 0x00B1, 0x2424, 0x240B,
    0x2518, 0x2510, 0x250C, 0x2514, 0x253C, 0x23BA, 0x23BB, 0x2500, 0x23BC, 0x23BD, 0x251C,
    0x2524, 0x2534, 0x252C, 0x2502, 0x2264, 0x2265, 0x03C0, 0x2260, 0x00A3, 0x00B7};

}  // namespace

Charset charset_of(char final) {
  switch (final) {
    case '0':
    case '2':
      return Charset::dec_graphics;
    case 'A':
      return Charset::british;
    default:
      return Charset::ascii;
  }
}

char32_t translate(Charset set, char c) {
  const auto code = static_cast<unsigned char>(c);
  switch (set) {
    case Charset::dec_graphics:
      return code >= 0x5F && code <= 0x7E ? char32_t{k_dec_graphics.at(code - 0x5FU)} : code;
    case Charset::british:
      return c == '#' ? U'\u00A3' : code;
    case Charset::ascii:
      break;
  }
  return code;
}

}  // namespace sworn::vt
