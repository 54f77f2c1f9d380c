// SPDX-License-Identifier: Apache-2.0
// What a terminal shows and how each control function changes it. Knows nothing of bytes or
// sequences; the interpreter calls it. Positions are 0-based; counts are at least 1 and clamped
// here. Where terminals differ it does what tmux and VTE do, and what xterm does where these two
// have no opinion (left and right margins, protected cells). No call costs more than a few passes
// over the cells of the screen.
#pragma once

#include "player/vt/charset.hpp"
#include "player/vt/grid.hpp"
#include "player/vt/intern.hpp"
#include "player/vt/state.hpp"
#include "player/vt/terminal.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::vt {

// Parameters of ED and EL.
enum class Part : std::uint8_t { after = 0, before = 1, all = 2 };
// Selective erasure spares what DECSCA protects; ordinary erasure spares what SPA protects.
enum class Erase : std::uint8_t { normal, selective };
enum class Vertical : std::uint8_t { region, screen };  // what bounds a motion down
enum class AlternateMode : std::uint8_t { plain, clear_on_leave, with_cursor };  // 47, 1047, 1049

// 0-based, ends exclusive, inside the screen; empty when right <= left. (As a stream of cells, for
// DECCARA, it may end further left than it begins.)
struct Rectangle {
  int top = 0;
  int left = 0;
  int bottom = 0;
  int right = 0;
};

TermSize clamp_size(TermSize wanted);

class Screen {
 public:
  explicit Screen(TermSize size);

  // Text.
  void print_ascii(std::string_view run);  // 0x20..0x7e
  void print_text(std::span<const char32_t> text);
  void repeat_last(int count);
  void forget_last() { last_.count = 0; }  // REP repeats only what came directly before it

  // Motion.
  void carriage_return();
  void line_feed();  // LF, VT, FF: with the carriage return of LNM
  void index();
  void reverse_index();
  void next_line();
  void backspace();
  void tab_forward(int count);
  void tab_back(int count);
  void cursor_up(int count);
  void cursor_down(int count, Vertical bound = Vertical::region);
  void cursor_right(int count);
  void cursor_left(int count);
  void move_to(int row, int col);  // CUP: origin mode counts from the margins
  void move_to_row(int row);
  void move_to_col(int col);
  void back_index();     // DECBI
  void forward_index();  // DECFI

  // Editing.
  void erase_display(Part part, Erase how);
  void erase_scrollback();
  void erase_line(Part part, Erase how);
  void erase_characters(int count);
  void insert_characters(int count);
  void delete_characters(int count);
  void insert_lines(int count);
  void delete_lines(int count);
  void scroll_up(int count);
  void scroll_down(int count);
  void scroll_left(int count);
  void scroll_right(int count);
  void insert_columns(int count);
  void delete_columns(int count);
  void alignment_pattern();  // DECALN

  // Rectangles (screen_rectangle.cpp). [top, left, bottom, right] as CSI gives them, -1: left out.
  [[nodiscard]] Rectangle rectangle(const std::array<int, 4>& given) const;
  void fill_rectangle(const Rectangle& area, char32_t c);
  void erase_rectangle(const Rectangle& area, Erase how);
  void copy_rectangle(const Rectangle& area, int top, int left);
  // For each cell: attributes = (attributes & ~clear | set) ^ flip.
  struct AttributeChange {
    std::uint16_t clear = 0;
    std::uint16_t set = 0;
    std::uint16_t flip = 0;
  };
  void change_attributes(const Rectangle& area, const AttributeChange& change);

  // State.
  void set_margins(int top, int bottom);       // 1-based, inclusive; 0: the edge
  void set_side_margins(int left, int right);  // the same
  void set_mode(Mode mode, bool on);
  void alternate(AlternateMode kind, bool on);
  void change_columns();  // DECCOLM: the width is the window's business
  void save_cursor();
  void restore_cursor();
  void soft_reset();
  void hard_reset();
  void set_tab_stop(bool on) { tabs_.set(position_.col, on); }
  void clear_tab_stops() { tabs_.clear(); }
  void reset_tab_stops() { tabs_.reset(); }
  void designate(int g, Charset set) { charsets_.g.at(static_cast<std::size_t>(g)) = set; }
  void shift_in(int g) { charsets_.shifted_in = static_cast<std::uint8_t>(g); }
  void single_shift(int g) { charsets_.single_shift = static_cast<std::uint8_t>(g); }
  void set_protect(bool on, bool iso);
  void set_link(std::string_view target);  // empty: none
  void resize(TermSize size);

  // Read by Terminal, the interpreter and the snapshot.
  [[nodiscard]] const Grid& grid() const { return on_alternate_ ? alternate_ : primary_; }
  [[nodiscard]] const Position& position() const { return position_; }
  [[nodiscard]] const Modes& modes() const { return modes_; }
  [[nodiscard]] bool on_alternate() const { return on_alternate_; }
  [[nodiscard]] std::string_view cluster(std::uint32_t glyph) const {
    return clusters_.value(glyph - k_first_cluster);
  }
  [[nodiscard]] std::string_view link(std::uint16_t id) const;
  void append_text(std::string& out, const Cell& cell) const;

  Cell pen;                // glyph is 0; attributes may hold k_protect
  int cursor_shape = 0;    // DECSCUSR
  Hooks* hooks = nullptr;  // not owned
  std::uint64_t now = 0;   // bytes fed so far: the stamp of what changes

  void save(ByteWriter& out) const;
  Result<void> load(ByteReader& in);

  static constexpr std::uint32_t k_first_cluster = 0x110000;

 private:
  [[nodiscard]] Grid& grid() { return on_alternate_ ? alternate_ : primary_; }
  [[nodiscard]] int cols() const { return primary_.cols(); }
  [[nodiscard]] int rows() const { return primary_.rows(); }
  [[nodiscard]] Cell blank() const { return Cell{.bg = pen.bg}; }
  [[nodiscard]] bool full_width() const { return margins_.left == 0 && margins_.right == cols(); }
  [[nodiscard]] bool inside_side_margins() const {
    return position_.col >= margins_.left && position_.col < margins_.right;
  }
  [[nodiscard]] bool inside_margins() const {
    return inside_side_margins() && position_.row >= margins_.top &&
           position_.row < margins_.bottom;
  }
  // Where text at the cursor ends: the right margin, or the edge when the cursor is already beyond
  // it.
  [[nodiscard]] int text_end() const {
    return position_.col < margins_.right ? margins_.right : cols();
  }
  [[nodiscard]] int leftmost() const { return position_.col >= margins_.left ? margins_.left : 0; }
  void place(int row, int col) { position_ = {.row = row, .col = col, .pending_wrap = false}; }
  void touch(int row) { grid().info(row).stamp = now; }

  // screen_print.cpp
  std::size_t print_ascii_part(std::string_view run);
  std::size_t print_text_part(std::span<const char32_t> text);
  void print_slowly(char32_t c);
  void print_single(char32_t c, int width);
  bool make_room(int width);
  void combine(char32_t mark);
  void wrap_line();
  bool advance_row();
  void advance(int width, int end);
  void remember_character(char32_t c) {
    last_.points[0] = c;
    last_.count = 1;
  }
  [[nodiscard]] std::uint32_t intern_cluster(const std::string& text);
  void collect_values();

  // screen_edit.cpp
  enum class Leaving : std::uint8_t { scrolled, deleted };
  void scroll_region_up(int top, int bottom, int count, Leaving leaving);
  void scroll_region_down(int top, int bottom, int count);
  void shift_cells(int row, int from, int to, int by);
  void shift_region(int from, int by);
  void copy_block(const Rectangle& area, int top, int left);  // screen_rectangle.cpp
  void erase_cells(int row, int from, int to, Erase how);
  void erase_rows(int from, int to, Erase how);
  void break_wrap(int top, int bottom);
  [[nodiscard]] std::uint16_t spared(Erase how) const;
  void announce_clear();
  void switch_screen(bool alternate);
  void reset_margins();
  [[nodiscard]] bool reverse_wraps() const {
    return modes_.has(Mode::autowrap) && modes_.has(Mode::reverse_wrap);
  }

  Grid primary_;
  Grid alternate_;
  bool on_alternate_ = false;
  Position position_;
  CharsetState charsets_;
  Modes modes_;
  Margins margins_;
  TabStops tabs_;
  std::array<SavedCursor, 2> saved_{};  // primary, alternate
  LastCharacter last_;
  InternTable clusters_;
  InternTable links_;
  std::vector<Cell> copy_buffer_;  // kept for its memory
};

}  // namespace sworn::vt
