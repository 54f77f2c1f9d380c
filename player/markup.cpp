// SPDX-License-Identifier: Apache-2.0
#include "player/markup.hpp"

#include "base/printable.hpp"
#include "player/palette.hpp"

#include <fmt/format.h>

namespace sworn::player {
namespace {

constexpr std::uint32_t k_ink = 0xD8D8D8;
constexpr std::uint32_t k_paper = 0x16181C;

std::uint32_t rgb_of(vt::Color color, std::uint32_t otherwise) {
  switch (color.kind()) {
    case vt::ColorKind::none:
      return otherwise;
    case vt::ColorKind::palette:
      return rgb_of_palette(color.value());
    case vt::ColorKind::rgb:
      return color.value();
  }
  return otherwise;
}

struct Colours {
  std::uint32_t ink = k_ink;
  std::uint32_t paper = k_paper;
};

Colours colours_of(const Style& style) {
  Colours colours{rgb_of(style.fg, k_ink), rgb_of(style.bg, k_paper)};
  if ((style.attributes & vt::k_inverse) != 0) {
    std::swap(colours.ink, colours.paper);
  }
  return colours;
}

// Calls use(begin, end) for each run of equal style; trailing default blanks are left out.
template <typename F>
void each_run(const Frame& picture, int row, F use) {
  int cols = picture.size().cols;
  while (cols > 0 && picture.at(row, cols - 1).base == U' ' &&
         picture.at(row, cols - 1).style == Style{}) {
    --cols;
  }
  int begin = 0;
  while (begin < cols) {
    int end = begin + 1;
    while (end < cols && picture.at(row, end).style == picture.at(row, begin).style) {
      ++end;
    }
    use(begin, end);
    begin = end;
  }
}

}  // namespace

std::string escape_markup(std::string_view text) {
  std::string out;
  for (const char c : printable(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string css_of(const Style& style) {
  if (style == Style{}) {
    return {};
  }
  const auto colours = colours_of(style);
  std::string css;
  if (colours.ink != k_ink) {
    css += fmt::format("color:#{:06x};", colours.ink);
  }
  if (colours.paper != k_paper) {
    css += fmt::format("background:#{:06x};", colours.paper);
  }
  const auto has = [&style](std::uint16_t bit) { return (style.attributes & bit) != 0; };
  css += has(vt::k_bold) ? "font-weight:bold;" : "";
  css += has(vt::k_dim) || has(vt::k_conceal) ? "opacity:.6;" : "";
  css += has(vt::k_italic) ? "font-style:italic;" : "";
  if (has(vt::k_underline_mask) || has(vt::k_strike)) {
    css += fmt::format("text-decoration:{}{};", has(vt::k_underline_mask) ? "underline " : "",
                       has(vt::k_strike) ? "line-through" : "");
  }
  return css;
}

std::string row_as_html(const Frame& picture, int row) {
  std::string html;
  each_run(picture, row, [&](int begin, int end) {
    const auto text = escape_markup(picture.row_text(row, begin, end));
    const auto css = css_of(picture.at(row, begin).style);
    html += css.empty() ? text : fmt::format("<span style=\"{}\">{}</span>", css, text);
  });
  return html;
}

std::string screen_as_svg(const Frame& picture, std::string_view caption) {
  constexpr double k_cell = 8.4;
  constexpr int k_line = 17;
  constexpr int k_margin = 10;
  const int rows = picture.size().rows;
  const double width = picture.size().cols * k_cell + 2 * k_margin;
  const int height = rows * k_line + 2 * k_margin + k_line + 6;
  std::string svg = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1}\" "
      "viewBox=\"0 0 {0:.0f} {1}\" font-family=\"monospace\" font-size=\"14\" "
      "xml:space=\"preserve\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#{2:06x}\"/>\n",
      width, height, k_paper);
  std::string texts;
  for (int row = 0; row < rows; ++row) {
    const int y = k_margin + row * k_line;
    each_run(picture, row, [&](int begin, int end) {
      const auto& style = picture.at(row, begin).style;
      const auto colours = colours_of(style);
      const double x = k_margin + begin * k_cell;
      const double w = (end - begin) * k_cell;
      if (colours.paper != k_paper) {
        svg += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"#{:06x}\"/>\n", x, y,
            w, k_line, colours.paper);
      }
      const auto text = picture.row_text(row, begin, end);
      if (text.find_first_not_of(' ') == std::string::npos) {
        return;
      }
      const auto has = [&style](std::uint16_t bit) { return (style.attributes & bit) != 0; };
      texts += fmt::format(
          "<text x=\"{:.1f}\" y=\"{}\" textLength=\"{:.1f}\" fill=\"#{:06x}\"{}{}{}{}>{}</text>\n",
          x, y + 13, w, colours.ink, has(vt::k_bold) ? " font-weight=\"bold\"" : "",
          has(vt::k_italic) ? " font-style=\"italic\"" : "",
          has(vt::k_underline_mask) ? " text-decoration=\"underline\"" : "",
          has(vt::k_dim) || has(vt::k_conceal) ? " opacity=\".6\"" : "", escape_markup(text));
    });
  }
  svg += texts;
  svg +=
      fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"11\" fill=\"#9a9a9a\">{}</text>\n</svg>\n",
                  k_margin, height - 8, escape_markup(caption));
  return svg;
}

}  // namespace sworn::player
