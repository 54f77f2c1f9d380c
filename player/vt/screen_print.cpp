// SPDX-License-Identifier: Apache-2.0
// Screen: characters onto the grid. The deferred wrap: after the last column is written the cursor
// stays on it, and only the next character moves on.
#include "player/vt/screen.hpp"
#include "player/vt/utf8.hpp"
#include "player/vt/width.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <type_traits>

namespace sworn::vt {
namespace {

std::size_t count_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  }));
}

std::uint64_t utf8_length(char32_t c) {
  return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
}

// Cells that differ in the glyph only, written as two words: a cell put together in memory and then
// copied would wait for its own parts.
class CellStamp {
 public:
  explicit CellStamp(const Cell& shape) {
    std::memcpy(&colour_, reinterpret_cast<const char*>(&shape) + 4, sizeof colour_);
    std::memcpy(&rest_, reinterpret_cast<const char*>(&shape) + 8, sizeof rest_);
  }
  void put(Cell* cell, char32_t glyph) const {
    const std::array<std::uint32_t, 2> head = {glyph, colour_};
    const auto word = std::bit_cast<std::uint64_t>(head);
    char* bytes = reinterpret_cast<char*>(cell);
    std::memcpy(bytes, &word, sizeof word);
    std::memcpy(bytes + 8, &rest_, sizeof rest_);
  }

 private:
  static_assert(offsetof(Cell, glyph) == 0 && offsetof(Cell, bg) == 8 &&
                std::is_trivially_copyable_v<Cell>);
  std::uint32_t colour_ = 0;
  std::uint64_t rest_ = 0;
};

Cell with_attribute(Cell cell, unsigned bit) {
  cell.attributes = static_cast<std::uint16_t>(cell.attributes | bit);
  return cell;
}

}  // namespace

// `now` stands at the end of the run.
void Screen::print_ascii(std::string_view run) {
  if (run.empty()) {
    return;
  }
  const std::uint64_t end_of_run = now;
  now -= run.size();
  if (charsets_.plain() && !modes_.has(Mode::insert)) {
    remember_character(static_cast<unsigned char>(run.back()));
    while (!run.empty()) {
      run.remove_prefix(print_ascii_part(run));
    }
  } else {
    for (const char c : run) {
      ++now;
      print_slowly(static_cast<unsigned char>(c));
    }
  }
  now = end_of_run;
}

// As much of the run as fits on the row; returns its length. `now` stands before the run and goes
// along.
std::size_t Screen::print_ascii_part(std::string_view run) {
  ++now;
  (void)make_room(1);
  const int col = position_.col;
  const int end = text_end();
  const int n = static_cast<int>(std::min(run.size(), static_cast<std::size_t>(end - col)));
  grid().cut_wide(position_.row, col, col + n);
  Cell* cells = grid().prepare(position_.row, col, col + n) + col;
  const CellStamp stamp(pen);
  for (int i = 0; i < n; ++i) {
    stamp.put(cells + i, static_cast<unsigned char>(run[static_cast<std::size_t>(i)]));
  }
  auto taken = static_cast<std::size_t>(n);
  if (col + n == end && !modes_.has(Mode::autowrap)) {
    stamp.put(cells + n - 1,
              static_cast<unsigned char>(run.back()));  // each falls on the last column
    taken = run.size();
  }
  now += taken - 1;
  advance(n, end);
  return taken;
}

void Screen::print_text(std::span<const char32_t> text) {
  std::uint64_t size = 0;
  for (const char32_t c : text) {
    size += utf8_length(c);
  }
  const std::uint64_t end_of_text = now;
  const bool fast = charsets_.plain() && !modes_.has(Mode::insert);
  if (fast && text.size() > 1) {  // a single one may stand for other bytes, see ParserSink
    now -= size;
    while (!text.empty()) {
      text = text.subspan(print_text_part(text));
    }
  } else {
    now -= text.size() > 1 ? size : 0;
    for (const char32_t c : text) {
      now += text.size() > 1 ? utf8_length(c) : 0;
      print_slowly(c);
    }
  }
  now = end_of_text;
}

// As many characters as fit on the row, or one mark; returns how many. `now` as in
// print_ascii_part().
std::size_t Screen::print_text_part(std::span<const char32_t> text) {
  const int first_width = width_of(text[0]);
  now += utf8_length(text[0]);
  if (first_width == 0) {
    combine(text[0]);
    return 1;
  }
  remember_character(text[0]);
  if (!make_room(first_width)) {
    return 1;
  }
  const int row = position_.row;
  const int end = text_end();
  int col = position_.col;
  grid().cut_wide(row, col, col);
  Cell* cells = grid().prepare(row, col, col);
  const CellStamp narrow(pen);
  const CellStamp wide(with_attribute(pen, k_wide));
  const CellStamp half(with_attribute(pen, k_continuation));
  std::size_t done = 0;
  for (int width = first_width; width != 0 && col + width <= end;) {
    if (width == 1) {
      narrow.put(cells + col, text[done]);
    } else {
      wide.put(cells + col, text[done]);
      half.put(cells + col + 1, 0);
    }
    col += width;
    ++done;
    if (done == text.size()) {
      break;
    }
    width = width_of(text[done]);
    now += utf8_length(text[done]);
  }
  now -= done < text.size() ? utf8_length(text[done]) : 0;
  remember_character(text[done - 1]);
  grid().finish_run(row, col);
  advance(col - position_.col, end);
  return done;
}

// One character the long way: charsets, insert mode.
void Screen::print_slowly(char32_t c) {
  if (c < 0x80) {
    const int set = charsets_.single_shift != 0 ? charsets_.single_shift : charsets_.shifted_in;
    c = translate(charsets_.g.at(static_cast<std::size_t>(set)), static_cast<char>(c));
  }
  const int width = width_of(c);
  if (width == 0) {
    combine(c);
    return;
  }
  charsets_.single_shift = 0;
  remember_character(c);
  print_single(c, width);
}

// Wraps if a character of this width needs it; false when it cannot be shown at all.
bool Screen::make_room(int width) {
  const bool autowrap = modes_.has(Mode::autowrap);
  if (width > cols()) {
    return false;
  }
  if (position_.pending_wrap && autowrap) {
    wrap_line();
  }
  position_.pending_wrap = false;
  if (position_.col + width <= text_end()) {
    return true;
  }
  if (autowrap) {
    wrap_line();
  }
  return position_.col + width <= text_end();
}

void Screen::print_single(char32_t c, int width) {
  if (!make_room(width)) {
    return;
  }
  const int col = position_.col;
  const int row = position_.row;
  const int end = text_end();
  if (modes_.has(Mode::insert)) {
    shift_cells(row, col, end, width);
  }
  grid().cut_wide(row, col, col + width);
  Cell* cells = grid().prepare(row, col, col + width) + col;
  cells[0] = width == 2 ? with_attribute(pen, k_wide) : pen;
  cells[0].glyph = c;
  if (width == 2) {
    cells[1] = with_attribute(pen, k_continuation);
  }
  advance(width, end);
}

// The cursor behind `width` columns just written; `end` is where text ends on this row.
void Screen::advance(int width, int end) {
  RowInfo& line = grid().info(position_.row);
  line.stamp = now;
  position_.col += width;
  if (position_.col >= end) {
    position_.col = end - 1;
    position_.pending_wrap = modes_.has(Mode::autowrap);
    line.wrapped = line.wrapped && end != cols();
  }
}

void Screen::wrap_line() {
  const int row = position_.row;
  const bool whole = position_.col >= margins_.right || full_width();
  RowInfo& line = grid().info(row);
  line.wrapped = whole;  // before the row can leave the screen
  const bool moved = advance_row();
  if (!moved) {
    grid().info(row).wrapped = false;
  }
  place(position_.row, margins_.left);
}

// Joins a mark to the character before the cursor; without one it is dropped.
void Screen::combine(char32_t mark) {
  const int row = position_.row;
  int col = position_.pending_wrap ? position_.col : position_.col - 1;
  if (col > 0 && (grid().cell(row, col).attributes & k_continuation) != 0) {
    --col;
  }
  if (col < 0) {
    return;
  }
  Cell cell = grid().cell(row, col);
  std::string text;
  append_text(text, cell);
  if (text.empty() || count_points(text) >= k_cluster_length) {
    return;
  }
  append_utf8(text, mark);
  const std::uint32_t id = intern_cluster(text);
  if (id == InternTable::k_none) {
    return;
  }
  cell.glyph = k_first_cluster + id;
  grid().prepare(row, col, col + 1)[col] = cell;
  touch(row);
  if (last_.count > 0 && last_.count < static_cast<int>(last_.points.size())) {
    last_.points.at(static_cast<std::size_t>(last_.count++)) = mark;
  }
}

// Stops at the end of the row, as tmux and VTE do. Nothing to repeat after any other function.
void Screen::repeat_last(int count) {
  const LastCharacter last = last_;
  if (last.count == 0 || position_.pending_wrap) {
    return;
  }
  const int width = width_of(last.points[0]);
  count = std::min(count, (text_end() - position_.col) / std::max(width, 1));
  for (int i = 0; i < count; ++i) {
    print_single(last.points[0], width);
    for (int k = 1; k < last.count; ++k) {
      combine(last.points.at(static_cast<std::size_t>(k)));
    }
  }
}

std::uint32_t Screen::intern_cluster(const std::string& text) {
  std::uint32_t id = clusters_.find_or_add(text);
  if (id == InternTable::k_none && clusters_.may_collect()) {
    collect_values();
    id = clusters_.find_or_add(text);
  }
  return id;
}

void Screen::set_link(std::string_view target) {
  pen.link = 0;
  if (target.empty() || target.size() > k_link_bytes) {
    return;
  }
  std::uint32_t id = links_.find_or_add(target);
  if (id == InternTable::k_none && links_.may_collect()) {
    collect_values();
    id = links_.find_or_add(target);
  }
  if (id != InternTable::k_none) {
    pen.link = static_cast<std::uint16_t>(id + 1);
  }
}

std::string_view Screen::link(std::uint16_t id) const {
  return id == 0 ? std::string_view() : links_.value(id - 1U);
}

// Frees the clusters and links that no cell, pen or saved pen uses.
void Screen::collect_values() {
  std::vector<bool> clusters(clusters_.slots());
  std::vector<bool> links(links_.slots());
  const auto mark = [&](const Cell& cell) {
    if (cell.glyph >= k_first_cluster) {
      clusters[cell.glyph - k_first_cluster] = true;
    }
    if (cell.link != 0) {
      links[cell.link - 1U] = true;
    }
  };
  std::uint32_t looked_at = 0;
  for (const Grid* grid : {&primary_, &alternate_}) {
    for (int number = 0; number < grid->stored_rows(); ++number) {
      const auto cells = grid->stored_cells(number);
      std::for_each(cells.begin(), cells.end(), mark);
      mark(grid->stored_info(number).fill);
    }
    looked_at += static_cast<std::uint32_t>(grid->stored_rows() * grid->cols());
  }
  mark(pen);
  mark(saved_[0].pen);
  mark(saved_[1].pen);
  clusters_.collect(clusters, looked_at / 16);
  links_.collect(links, looked_at / 16);
}

void Screen::append_text(std::string& out, const Cell& cell) const {
  if ((cell.attributes & k_continuation) != 0) {
    return;
  }
  if (cell.glyph == 0) {
    out.push_back(' ');
  } else if (cell.glyph < k_first_cluster) {
    append_utf8(out, cell.glyph);
  } else {
    out += cluster(cell.glyph);
  }
}

}  // namespace sworn::vt
