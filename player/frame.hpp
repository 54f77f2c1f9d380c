// SPDX-License-Identifier: Apache-2.0
// What is to be shown: a grid of sanitised cells. Everything that reaches the viewer's terminal
// goes through the put functions here, and none of them lets a control, bidi or zero-width
// character pass: recorded bytes can be seen but never obeyed. Pure; owned by whoever draws.
#pragma once

#include "base/term_size.hpp"
#include "player/vt/terminal.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::player {

// Attributes are those of vt::Cell; only bold, dim, italic, underline and inverse are ever drawn.
struct Style {
  vt::Color fg;
  vt::Color bg;
  std::uint16_t attributes = 0;
  friend bool operator==(const Style&, const Style&) = default;
};

constexpr vt::Color palette(std::uint32_t index) {
  return {(1U << 24U) | index};
}

// The styles of the player's own text. Colours of the 8-colour palette only.
namespace styles {
inline constexpr Style k_plain{};
inline constexpr Style k_bold{{}, {}, vt::k_bold};
inline constexpr Style k_dim{{}, {}, vt::k_dim};
inline constexpr Style k_bar{{}, {}, vt::k_inverse};
inline constexpr Style k_selected{{}, {}, vt::k_inverse | vt::k_bold};
inline constexpr Style k_good{palette(2), {}, vt::k_bold};
inline constexpr Style k_warn{palette(3), {}, vt::k_bold};
inline constexpr Style k_bad{palette(7), palette(1), vt::k_bold};
inline constexpr Style k_bad_text{palette(1), {}, vt::k_bold};
inline constexpr Style k_match{palette(0), palette(3), 0};
inline constexpr Style k_marked{palette(0), palette(6), 0};
inline constexpr Style k_key{palette(6), {}, 0};
}  // namespace styles

struct FrameCell {
  static constexpr std::size_t k_marks = 4;
  char32_t base = U' ';
  std::array<char32_t, k_marks> marks{};  // combining characters, 0 where there is none
  std::uint8_t width = 1;                 // 2: covers the next cell, which then has 0
  Style style;
  friend bool operator==(const FrameCell&, const FrameCell&) = default;
};

struct Rect {
  int row = 0;
  int col = 0;
  int rows = 0;
  int cols = 0;
  [[nodiscard]] bool empty() const { return rows <= 0 || cols <= 0; }
  friend bool operator==(const Rect&, const Rect&) = default;
};

class Frame {
 public:
  explicit Frame(TermSize size);

  [[nodiscard]] TermSize size() const { return size_; }
  [[nodiscard]] const FrameCell& at(int row, int col) const;

  void fill(const Rect& area, Style style, char32_t c = U' ');
  // Untrusted UTF-8 from `col` on, at most `cols` wide; unprintable characters are escaped, what
  // does not fit is cut with a mark. Returns the columns used.
  int put(int row, int col, int cols, std::string_view text, Style style);
  // The same, ending at column `end` (exclusive); returns the first column used.
  int put_right(int row, int end, int cols, std::string_view text, Style style);
  // One cell of the recorded screen. `fits`: there is room for two columns.
  void put_cell(int row, int col, const vt::Terminal& terminal, const vt::Cell& cell, Style style,
                bool fits);
  void set_style(int row, int col, Style style);
  void restyle(const Rect& area, std::uint16_t add_attributes);

  struct Position {
    int row = 0;
    int col = 0;
  };
  std::optional<Position> cursor;  // where to show the viewer's cursor, if anywhere

  // The text of a row, or of its columns [from, to); the whole one comes without trailing blanks.
  [[nodiscard]] std::string row_text(int row) const;
  [[nodiscard]] std::string row_text(int row, int from, int to) const;
  void append_cell(std::string& out, int row, int col) const;

 private:
  FrameCell* cell(int row, int col);

  TermSize size_;
  std::vector<FrameCell> cells_;
};

// Columns that `text` takes after sanitising, without cutting.
int text_width(std::string_view text);

// May this code point be sent to a terminal as a character of its own? No controls, no surrogates,
// no formatting, no private or unassigned surprises that only the drawing side can judge (see
// curses_ui).
bool is_showable(char32_t c);

}  // namespace sworn::player
