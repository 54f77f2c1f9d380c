// SPDX-License-Identifier: Apache-2.0
#include "player/screen_escapes.hpp"

#include "player/screen_dump.hpp"

#include <fmt/format.h>

namespace sworn::player {
namespace {

std::string colour_parameters(vt::Color color, unsigned base) {
  switch (color.kind()) {
    case vt::ColorKind::none:
      return {};
    case vt::ColorKind::palette:
      return fmt::format(";{};5;{}", base, color.value());
    case vt::ColorKind::rgb:
      return fmt::format(";{};2;{};{};{}", base, color.value() >> 16U, color.value() >> 8U & 0xFFU,
                         color.value() & 0xFFU);
  }
  return {};
}

}  // namespace

std::string sgr_of(const Style& style) {
  if (style == Style{}) {
    return "\033[0m";
  }
  std::string out = "\033[0";
  constexpr std::array<std::pair<std::uint16_t, std::string_view>, 8> k_codes{
      {{vt::k_bold, ";1"},
       {vt::k_dim, ";2"},
       {vt::k_italic, ";3"},
       {vt::k_underline_mask, ";4"},
       {vt::k_blink, ";5"},
       {vt::k_inverse, ";7"},
       {vt::k_conceal, ";8"},
       {vt::k_strike, ";9"}}};
  for (const auto& [bit, code] : k_codes) {
    if ((style.attributes & bit) != 0) {
      out += code;
    }
  }
  return out + colour_parameters(style.fg, 38) + colour_parameters(style.bg, 48) + "m";
}

std::string screen_as_escapes(const vt::Terminal& terminal) {
  const auto picture = picture_of(terminal);
  const auto size = terminal.size();
  std::string out = terminal.alternate_screen() ? "\033[?1049h\033[2J" : "\033[2J";
  Style last;
  out += sgr_of(last);
  for (int row = 0; row < size.rows; ++row) {
    int end = size.cols;
    while (end > 0 && picture.at(row, end - 1).base == U' ' &&
           picture.at(row, end - 1).style == Style{}) {
      --end;
    }
    if (end == 0) {
      continue;
    }
    out += fmt::format("\033[{};1H", row + 1);
    for (int col = 0; col < end; ++col) {
      if (picture.at(row, col).style != last) {
        last = picture.at(row, col).style;
        out += sgr_of(last);
      }
      picture.append_cell(out, row, col);
    }
  }
  const auto cursor = terminal.cursor();
  out += fmt::format("\033[0m\033[{};{}H", cursor.row + 1, cursor.col + 1);
  if (!cursor.visible) {
    out += "\033[?25l";
  }
  return out;
}

}  // namespace sworn::player
