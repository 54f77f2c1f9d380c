// SPDX-License-Identifier: Apache-2.0
// Screen: modes, margins, the two screens, saved cursors, resets and the size.
#include "player/vt/screen.hpp"

#include <algorithm>

namespace sworn::vt {
namespace {

constexpr InternTable::Limits k_cluster_limits = {
    .values = k_clusters, .value_bytes = k_cluster_length * 4, .all_bytes = k_all_cluster_bytes};
constexpr InternTable::Limits k_link_limits = {
    .values = k_links, .value_bytes = k_link_bytes, .all_bytes = k_all_link_bytes};

// The cursor after rows moved down by `moved` and the screen took the new size.
Position moved_position(Position old, int moved, TermSize size) {
  Position next = old;
  next.row = std::clamp(old.row + moved, 0, size.rows - 1);
  next.col = std::min(old.col, size.cols - 1);
  if (old.pending_wrap && old.col + 1 < size.cols) {  // there is room now
    next.col = old.col + 1;
    next.pending_wrap = false;
  }
  return next;
}

}  // namespace

TermSize clamp_size(TermSize wanted) {
  const int cols = std::clamp<int>(wanted.cols, 1, k_max_side);
  const int rows = std::clamp<int>(wanted.rows, 1, std::min(k_max_side, k_max_cells / cols));
  return {.cols = static_cast<std::uint16_t>(cols), .rows = static_cast<std::uint16_t>(rows)};
}

Screen::Screen(TermSize size)
    : primary_(clamp_size(size), k_recall_rows),
      alternate_(clamp_size(size), 0),
      clusters_(k_cluster_limits),
      links_(k_link_limits) {
  reset_margins();
}

void Screen::reset_margins() {
  margins_ = {.top = 0, .bottom = rows(), .left = 0, .right = cols()};
}

void Screen::set_margins(int top, int bottom) {
  top = std::max(top, 1);
  bottom = bottom == 0 ? rows() : std::min(bottom, rows());
  if (top < bottom) {
    margins_.top = top - 1;
    margins_.bottom = bottom;
    move_to(0, 0);
  }
}

void Screen::set_side_margins(int left, int right) {
  left = std::max(left, 1);
  right = right == 0 ? cols() : std::min(right, cols());
  if (modes_.has(Mode::side_margins) && left < right) {
    margins_.left = left - 1;
    margins_.right = right;
    move_to(0, 0);
  }
}

void Screen::set_mode(Mode mode, bool on) {
  modes_.set(mode, on);
  if (mode == Mode::origin) {
    move_to(0, 0);
  } else if (mode == Mode::side_margins && !on) {
    margins_.left = 0;
    margins_.right = cols();
  } else if (mode == Mode::autowrap && !on) {
    position_.pending_wrap = false;
  }
}

void Screen::set_protect(bool on, bool iso) {
  pen.attributes = static_cast<std::uint16_t>((pen.attributes & ~k_protect) | (on ? k_protect : 0));
  if (on) {
    modes_.set(Mode::protect_iso, iso);
  }
}

void Screen::switch_screen(bool alternate) {
  if (alternate == on_alternate_) {
    return;
  }
  if (hooks != nullptr) {
    hooks->on_alternate_screen(alternate);
  }
  on_alternate_ = alternate;
  for (int row = 0; row < rows(); ++row) {
    touch(row);
  }
}

void Screen::alternate(AlternateMode kind, bool on) {
  const auto clear = [this] {
    for (int row = 0; row < rows(); ++row) {
      alternate_.erase(row, 0, cols(), blank(), now);
    }
  };
  switch (kind) {
    case AlternateMode::plain:
      switch_screen(on);
      break;
    case AlternateMode::clear_on_leave:
      if (!on && on_alternate_) {
        switch_screen(false);
        clear();
      }
      switch_screen(on);
      break;
    case AlternateMode::with_cursor:
      if (on) {
        save_cursor();
        switch_screen(true);
        clear();
      } else {
        switch_screen(false);
        restore_cursor();
      }
      break;
  }
}

void Screen::change_columns() {
  if (!modes_.has(Mode::allow_columns)) {
    return;
  }
  reset_margins();
  move_to(0, 0);
  if (!modes_.has(Mode::keep_on_columns)) {
    erase_display(Part::all, Erase::normal);
  }
}

void Screen::save_cursor() {
  saved_.at(on_alternate_ ? 1 : 0) = {.position = position_,
                                      .pen = pen,
                                      .charsets = charsets_,
                                      .origin = modes_.has(Mode::origin),
                                      .set = true};
}

void Screen::restore_cursor() {
  const SavedCursor& saved = saved_.at(on_alternate_ ? 1 : 0);
  position_ = saved.position;
  pen = saved.pen;
  charsets_ = saved.charsets;
  modes_.set(Mode::origin, saved.origin);
}

void Screen::soft_reset() {
  const Modes standard;
  for (const Mode mode : {Mode::insert, Mode::origin, Mode::autowrap, Mode::reverse_wrap,
                          Mode::cursor_visible, Mode::side_margins}) {
    modes_.set(mode, standard.has(mode));
  }
  reset_margins();
  pen = Cell();
  charsets_ = CharsetState();
  saved_.at(on_alternate_ ? 1 : 0) = SavedCursor();
}

void Screen::hard_reset() {
  announce_clear();
  switch_screen(false);
  primary_.clear_recall();
  for (int row = 0; row < rows(); ++row) {
    primary_.erase(row, 0, cols(), Cell(), now);
    alternate_.erase(row, 0, cols(), Cell(), now);
  }
  pen = Cell();
  cursor_shape = 0;
  position_ = Position();
  charsets_ = CharsetState();
  modes_ = Modes();
  tabs_.reset();
  saved_ = {};
  forget_last();
  reset_margins();
}

void Screen::resize(TermSize wanted) {
  ++now;
  const TermSize size = clamp_size(wanted);
  if (size.cols == cols() && size.rows == rows()) {
    return;
  }
  const bool cursor_elsewhere = on_alternate_ && saved_[0].set;
  const int primary_line = cursor_elsewhere ? saved_[0].position.row : position_.row;
  const int primary_moved = primary_.resize(size, primary_line, now);
  const int alternate_moved = alternate_.resize(size, position_.row, now);
  saved_[0].position = moved_position(saved_[0].position, saved_[0].set ? primary_moved : 0, size);
  saved_[1].position =
      moved_position(saved_[1].position, saved_[1].set ? alternate_moved : 0, size);
  position_ = moved_position(position_, on_alternate_ ? alternate_moved : primary_moved, size);
  reset_margins();
}

}  // namespace sworn::vt
