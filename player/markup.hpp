// SPDX-License-Identifier: Apache-2.0
// Screens as HTML and SVG. Every character is escaped; there is no script, no link and no outside
// resource.
#pragma once

#include "player/frame.hpp"

#include <string>
#include <string_view>

namespace sworn::player {

std::string escape_markup(std::string_view text);

// "color:#..;background:#..;font-weight:bold" for a style; "" for the default one.
std::string css_of(const Style& style);

// The row as spans.
std::string row_as_html(const Frame& picture, int row);
// A complete SVG document with one screen and a caption.
std::string screen_as_svg(const Frame& picture, std::string_view caption);

}  // namespace sworn::player
