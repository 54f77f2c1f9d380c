// SPDX-License-Identifier: Apache-2.0
// The small parts of a terminal's state: modes, margins, tab stops, the saved cursor. Plain values.
#pragma once

#include "player/vt/charset.hpp"
#include "player/vt/grid.hpp"
#include "player/vt/terminal.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstdint>
#include <optional>

namespace sworn::vt {

// Bits of Modes; written to snapshots: never renumber.
enum class Mode : std::uint8_t {
  insert = 0,             // IRM
  newline = 1,            // LNM
  origin = 2,             // DECOM
  autowrap = 3,           // DECAWM
  reverse_wrap = 4,       // xterm 45
  reverse_video = 5,      // DECSCNM
  cursor_visible = 6,     // DECTCEM
  side_margins = 7,       // DECLRMM
  allow_columns = 8,      // xterm 40: DECCOLM may act
  keep_on_columns = 9,    // DECNCSM: DECCOLM does not clear
  protect_iso = 10,       // the protected cells were marked by SPA, not DECSCA
  change_rectangle = 11,  // DECSACE 2: attribute changes take the rectangle, not the stream
};
inline constexpr unsigned k_mode_count = 12;

class Modes {
 public:
  [[nodiscard]] bool has(Mode mode) const { return ((bits_ >> bit(mode)) & 1U) != 0; }
  void set(Mode mode, bool on) {
    bits_ = (bits_ & ~(1U << bit(mode))) | (static_cast<std::uint32_t>(on) << bit(mode));
  }
  [[nodiscard]] std::uint32_t bits() const { return bits_; }
  [[nodiscard]] static Modes of(std::uint32_t bits) {
    Modes modes;
    modes.bits_ = bits & ((1U << k_mode_count) - 1);
    return modes;
  }
  friend bool operator==(const Modes&, const Modes&) = default;

 private:
  static unsigned bit(Mode mode) { return static_cast<unsigned>(mode); }
  std::uint32_t bits_ = (1U << static_cast<unsigned>(Mode::autowrap)) |
                        (1U << static_cast<unsigned>(Mode::cursor_visible));
};

// Rows [top, bottom), columns [left, right).
struct Margins {
  int top = 0;
  int bottom = 0;
  int left = 0;
  int right = 0;
  friend bool operator==(const Margins&, const Margins&) = default;
};

struct Position {
  int row = 0;
  int col = 0;
  bool pending_wrap = false;
  friend bool operator==(const Position&, const Position&) = default;
};

// What DECSC keeps. Default: what DECRC gives when nothing was saved.
struct SavedCursor {
  Position position{};
  Cell pen{};
  CharsetState charsets{};
  bool origin = false;
  bool set = false;
  friend bool operator==(const SavedCursor&, const SavedCursor&) = default;
};

// One stop for each column up to the widest terminal, so that a resize need not invent any.
class TabStops {
 public:
  TabStops() { reset(); }
  void reset() {
    for (std::size_t col = 0; col < k_max_side; ++col) {
      stops_[col] = col % 8 == 0;
    }
  }
  void set(int col, bool on) { stops_[static_cast<std::size_t>(col)] = on; }
  void clear() { stops_.reset(); }
  [[nodiscard]] bool at(int col) const { return stops_[static_cast<std::size_t>(col)]; }
  // The next stop after `col`, at most `last`.
  [[nodiscard]] int next(int col, int last) const {
    do {
      ++col;
    } while (col < last && !at(col));
    return std::min(col, last);
  }
  // The stop before `col`, at least `first`.
  [[nodiscard]] int previous(int col, int first) const {
    do {
      --col;
    } while (col > first && !at(col));
    return std::max(col, first);
  }

  friend bool operator==(const TabStops&, const TabStops&) = default;

 private:
  std::bitset<k_max_side> stops_;
};

// The character that REP repeats: UTF-8 with its combining marks, and its width.
struct LastCharacter {
  std::array<char32_t, 8> points{};
  int count = 0;
};

}  // namespace sworn::vt
