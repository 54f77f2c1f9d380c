// SPDX-License-Identifier: Apache-2.0
// Screen: characters onto the grid. The deferred wrap: after the last column is written the cursor
// stays on it, and only the next character moves on.
#include "player/vt/screen.hpp"
#include "player/vt/utf8.hpp"
#include "player/vt/width.hpp"

#include <algorithm>

namespace sworn::vt {
namespace {

std::size_t count_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80;
  }));
}

}  // namespace

void Screen::print_ascii(std::string_view run) {
  if (run.empty()) {
    return;
  }
  if (charsets_.plain() && !modes_.has(Mode::insert)) {
    const char last = run.back();
    while (!run.empty()) {
      run.remove_prefix(static_cast<std::size_t>(print_part(run)));
    }
    last_ = LastCharacter{.points = {static_cast<unsigned char>(last)}, .count = 1};
    return;
  }
  const std::uint64_t end = now;
  now -= run.size();
  for (const char c : run) {
    ++now;
    const int set = charsets_.single_shift != 0 ? charsets_.single_shift : charsets_.shifted_in;
    const char32_t shown = translate(charsets_.g.at(static_cast<std::size_t>(set)), c);
    charsets_.single_shift = 0;
    print_single(shown, width_of(shown));
    remember_character(shown);
  }
  now = end;
}

// As much of the run as fits on the row; returns its length. `now` stands at the end of the run.
int Screen::print_part(std::string_view run) {
  const auto length = static_cast<int>(std::min<std::size_t>(run.size(), k_max_side + 1));
  const std::uint64_t end_of_run = now;
  const bool autowrap = modes_.has(Mode::autowrap);
  now = end_of_run - run.size() + 1;
  if (position_.pending_wrap && autowrap) {
    wrap_line();
  }
  position_.pending_wrap = false;
  const int col = position_.col;
  const int end = text_end();
  const int n = std::min(length, end - col);
  grid().cut_wide(position_.row, col, col + n);
  Cell* cells = grid().prepare(position_.row, col, col + n) + col;
  Cell shape = pen;
  for (int i = 0; i < n; ++i) {
    shape.glyph = static_cast<unsigned char>(run[static_cast<std::size_t>(i)]);
    cells[i] = shape;
  }
  int taken = n;
  if (col + n == end && !autowrap) {  // the rest falls on the last column; its last character stays
    shape.glyph = static_cast<unsigned char>(run.back());
    cells[n - 1] = shape;
    taken = static_cast<int>(std::min<std::size_t>(run.size(), INT32_MAX));
  }
  now = end_of_run - (run.size() - static_cast<std::size_t>(taken));
  advance(n, end);
  now = end_of_run;
  return taken;
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

void Screen::print(char32_t c) {
  const int width = width_of(c);
  if (width == 0) {
    combine(c);
    return;
  }
  charsets_.single_shift = 0;
  print_single(c, width);
  remember_character(c);
}

void Screen::print_single(char32_t c, int width) {
  const bool autowrap = modes_.has(Mode::autowrap);
  if (position_.pending_wrap && autowrap) {
    wrap_line();
  }
  position_.pending_wrap = false;
  if (position_.col + width > text_end()) {  // a wide character does not fit any more
    if (!autowrap) {
      return;
    }
    wrap_line();
    if (position_.col + width > text_end()) {
      return;
    }
  }
  const int col = position_.col;
  const int row = position_.row;
  const int end = text_end();
  if (modes_.has(Mode::insert)) {
    shift_cells(row, col, end, width);
  }
  grid().cut_wide(row, col, col + width);
  Cell* cells = grid().prepare(row, col, col + width) + col;
  cells[0] = pen;
  cells[0].glyph = c;
  if (width == 2) {
    cells[0].attributes |= k_wide;
    cells[1] = pen;
    cells[1].attributes |= k_continuation;
  }
  advance(width, end);
}

void Screen::remember_character(char32_t c) {
  last_ = LastCharacter{.points = {c}, .count = 1};
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
