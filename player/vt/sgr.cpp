// SPDX-License-Identifier: Apache-2.0
#include "player/vt/sgr.hpp"

namespace sworn::vt {
namespace {

constexpr std::uint32_t k_palette = static_cast<std::uint32_t>(ColorKind::palette) << 24U;
constexpr std::uint32_t k_rgb = static_cast<std::uint32_t>(ColorKind::rgb) << 24U;

void set_underline(Cell& pen, Underline style) {
  const auto bits = static_cast<unsigned>(style) << k_underline_shift;
  const auto others = static_cast<std::uint16_t>(~k_underline_mask);
  pen.attributes = static_cast<std::uint16_t>((pen.attributes & others) | bits);
}

void set_bits(Cell& pen, unsigned bits) {
  pen.attributes = static_cast<std::uint16_t>(pen.attributes | bits);
}

void clear_bits(Cell& pen, unsigned bits) {
  pen.attributes = static_cast<std::uint16_t>(pen.attributes & ~bits);
}

bool is_byte(int value) {
  return value >= 0 && value <= 255;
}

bool make_palette(int number, Color& color) {
  if (!is_byte(number)) {
    return false;
  }
  color.packed = k_palette | static_cast<std::uint32_t>(number);
  return true;
}

bool make_rgb(int red, int green, int blue, Color& color) {
  if (!is_byte(red) || !is_byte(green) || !is_byte(blue)) {
    return false;
  }
  color.packed = k_rgb | static_cast<std::uint32_t>(red) << 16U |
                 static_cast<std::uint32_t>(green) << 8U | static_cast<std::uint32_t>(blue);
  return true;
}

// 38, 48 or 58 at `at`: 38;5;n  38:5:n  38;2;r;g;b  38:2:r:g:b  38:2:space:r:g:b. Returns the index
// of the last parameter that belongs to it.
int parse_color(const Csi& sequence, int at, Color& color) {
  const auto value = [&](int index) { return sequence.or_default(index, 0); };
  if (at + 1 < sequence.count && sequence.after_colon(at + 1)) {
    int last = at + 1;
    while (last + 1 < sequence.count && sequence.after_colon(last + 1)) {
      ++last;
    }
    const int given = last - at;
    if (value(at + 1) == 5 && given >= 2) {
      make_palette(value(at + 2), color);
    } else if (value(at + 1) == 2 && given >= 4) {
      const int red = given >= 5 ? at + 3 : at + 2;
      make_rgb(value(red), value(red + 1), value(red + 2), color);
    }
    return last;
  }
  if (value(at + 1) == 5) {
    make_palette(value(at + 2), color);
    return at + 2;
  }
  if (value(at + 1) == 2) {
    make_rgb(value(at + 2), value(at + 3), value(at + 4), color);
    return at + 4;
  }
  return at + 1;
}

// 4 or 4:n at `at`; returns the index of the last parameter that belongs to it.
int parse_underline(const Csi& sequence, int at, Cell& pen) {
  if (at + 1 >= sequence.count || !sequence.after_colon(at + 1)) {
    set_underline(pen, Underline::single);
    return at;
  }
  const int style = sequence.or_default(at + 1, 1);
  if (style <= static_cast<int>(Underline::dashed)) {
    set_underline(pen, static_cast<Underline>(style));
  }
  int last = at + 1;
  while (last + 1 < sequence.count && sequence.after_colon(last + 1)) {
    ++last;
  }
  return last;
}

void apply_off(int code, Cell& pen) {
  switch (code) {
    case 22:
      return clear_bits(pen, k_bold | k_dim);
    case 23:
      return clear_bits(pen, k_italic);
    case 24:
      return clear_bits(pen, k_underline_mask);
    case 25:
      return clear_bits(pen, k_blink);
    case 27:
      return clear_bits(pen, k_inverse);
    case 28:
      return clear_bits(pen, k_conceal);
    case 29:
      return clear_bits(pen, k_strike);
    case 55:
      return clear_bits(pen, k_overline);
    default:
      return;
  }
}

void apply_one(int code, Cell& pen) {
  if (code == 0) {
    const auto kept = static_cast<std::uint16_t>(pen.attributes & k_protect);
    pen = Cell{.attributes = kept, .link = pen.link};
  } else if (code == 21) {
    set_underline(pen, Underline::double_);
  } else if (code == 53) {
    set_bits(pen, k_overline);
  } else if (code < 10) {
    set_bits(pen, attribute_of_sgr(code));
  } else if (code >= 30 && code <= 37) {
    make_palette(code - 30, pen.fg);
  } else if (code == 39) {
    pen.fg = Color();
  } else if (code >= 40 && code <= 47) {
    make_palette(code - 40, pen.bg);
  } else if (code == 49) {
    pen.bg = Color();
  } else if (code >= 90 && code <= 97) {
    make_palette(code - 90 + 8, pen.fg);
  } else if (code >= 100 && code <= 107) {
    make_palette(code - 100 + 8, pen.bg);
  } else {
    apply_off(code, pen);
  }
}

}  // namespace

std::uint16_t attribute_of_sgr(int code) {
  constexpr std::uint16_t k_single = static_cast<unsigned>(Underline::single) << k_underline_shift;
  switch (code) {
    case 1:
      return k_bold;
    case 2:
      return k_dim;
    case 3:
      return k_italic;
    case 4:
      return k_single;
    case 5:
    case 6:
      return k_blink;
    case 7:
      return k_inverse;
    case 8:
      return k_conceal;
    case 9:
      return k_strike;
    default:
      return 0;
  }
}

void apply_sgr(const Csi& sequence, Cell& pen) {
  Color underline_color;  // read to skip it: cells have no room for it
  for (int at = 0; at < sequence.count; ++at) {
    switch (const int code = sequence.or_default(at, 0); code) {
      case 4:
        at = parse_underline(sequence, at, pen);
        break;
      case 38:
        at = parse_color(sequence, at, pen.fg);
        break;
      case 48:
        at = parse_color(sequence, at, pen.bg);
        break;
      case 58:
        at = parse_color(sequence, at, underline_color);
        break;
      default:
        apply_one(code, pen);
        while (at + 1 < sequence.count && sequence.after_colon(at + 1)) {
          ++at;  // an unknown form with sub-parameters
        }
        break;
    }
  }
}

}  // namespace sworn::vt
