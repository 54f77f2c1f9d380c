// SPDX-License-Identifier: Apache-2.0
#include "player/vt/grid.hpp"

#include <utility>

namespace sworn::vt {

Grid::Grid(TermSize size, int recall)
    : cols_(size.cols), recall_(static_cast<std::size_t>(recall)) {
  for (int row = 0; row < size.rows; ++row) {
    map_.push_back(add_row());
    reset_row(map_.back(), Cell(), 0);
  }
}

std::uint32_t Grid::add_row() {
  const auto index = static_cast<std::uint32_t>(info_.size());
  cells_.resize(cells_.size() + static_cast<std::size_t>(cols_));
  info_.emplace_back();
  return index;
}

std::span<const Cell> Grid::view(int row) const {
  RowInfo& line = info_[at(row)];
  Cell* cells = start(row);
  std::fill(cells + line.used, cells + cols_, line.fill);
  line.used = cols_;
  return {cells, static_cast<std::size_t>(cols_)};
}

Cell* Grid::line(int row) {
  (void)view(row);
  return start(row);
}

void Grid::blank_half(int row, int col) {
  Cell& cell = start(row)[col];
  cell = Cell{.glyph = U' ', .fg = cell.fg, .bg = cell.bg};
}

void Grid::erase(int row, int from, int to, const Cell& blank, std::uint64_t now) {
  if (from >= to) {
    return;
  }
  cut_wide(row, from, to);
  RowInfo& line = info(row);
  line.stamp = now;
  if (to < cols_) {
    Cell* cells = prepare(row, from, to);
    std::fill(cells + from, cells + to, blank);
    return;
  }
  line.wrapped = false;
  if (from > line.used && line.fill != blank) {
    (void)prepare(row, from, from);
  }
  line.used = std::min(line.used, from);
  line.fill = blank;
}

void Grid::reset_row(std::uint32_t index, const Cell& blank, std::uint64_t now) {
  info_[index] = RowInfo{.id = next_id_++, .stamp = now, .fill = blank};
}

std::uint32_t Grid::remember(std::uint32_t leaving) {
  if (recall_count_ == recall_.size()) {
    const std::uint32_t oldest = std::exchange(recall_[recall_start_], leaving);
    recall_start_ = recall_start_ + 1 == recall_.size() ? 0 : recall_start_ + 1;
    return oldest;
  }
  recall_[(recall_start_ + recall_count_) % recall_.size()] = leaving;
  ++recall_count_;
  if (free_.empty()) {
    return add_row();
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  return index;
}

void Grid::scroll_up(int top, int bottom, int n, const Cell& blank, std::uint64_t now, Keep keep) {
  n = std::min(n, bottom - top);
  const auto first = map_.begin() + top;
  const auto last = map_.begin() + bottom;
  if (n == 1) {
    const std::uint32_t leaving = *first;
    std::move(first + 1, last, first);
    *(last - 1) = leaving;
  } else {
    std::rotate(first, first + n, last);
  }
  for (auto at = last - n; at != last; ++at) {
    if (keep == Keep::recall && !recall_.empty()) {
      *at = remember(*at);
    }
    reset_row(*at, blank, now);
  }
}

void Grid::scroll_down(int top, int bottom, int n, const Cell& blank, std::uint64_t now) {
  n = std::min(n, bottom - top);
  const auto first = map_.begin() + top;
  const auto last = map_.begin() + bottom;
  std::rotate(first, last - n, last);
  for (auto at = first; at != first + n; ++at) {
    reset_row(*at, blank, now);
  }
}

void Grid::clear_recall() {
  for (std::size_t i = 0; i < recall_count_; ++i) {
    free_.push_back(recall_at(i));
  }
  recall_count_ = 0;
  recall_start_ = 0;
}

int Grid::resize(TermSize size, int cursor_row, std::uint64_t now) {
  const int old_rows = rows();
  int begin = recallable();
  int end = stored_rows();
  if (size.rows < old_rows) {
    const int below_cursor = std::min(old_rows - size.rows, old_rows - 1 - cursor_row);
    end -= below_cursor;
    begin += old_rows - size.rows - below_cursor;
  } else {
    begin -= std::min(size.rows - old_rows, recallable());
  }
  Grid next(TermSize{.cols = size.cols, .rows = 0}, static_cast<int>(recall_.size()));
  next.next_id_ = next_id_;
  const int oldest = std::max(0, begin - static_cast<int>(recall_.size()));
  for (int number = oldest; number < end; ++number) {
    next.copy_row(*this, stored(number), now);
    const auto index = static_cast<std::uint32_t>(next.info_.size() - 1);
    if (number < begin) {
      next.recall_[next.recall_count_++] = index;
    } else {
      next.map_.push_back(index);
    }
  }
  while (next.rows() < size.rows) {
    const std::uint32_t index = next.add_row();
    next.reset_row(index, Cell(), now);
    next.map_.push_back(index);
  }
  const int moved_down = recallable() - begin;
  *this = std::move(next);
  return moved_down;
}

void Grid::copy_row(const Grid& from, std::uint32_t source, std::uint64_t now) {
  const RowInfo& old = from.info_[source];
  const Cell* cells = from.start_of(source);
  const std::size_t base = cells_.size();
  cells_.resize(base + static_cast<std::size_t>(cols_));
  Cell* target = cells_.data() + base;
  RowInfo line = old;
  line.used = std::min(old.used, cols_);
  std::copy(cells, cells + line.used, target);
  if (cols_ != from.cols_) {
    line.stamp = now;
    if (cols_ > from.cols_ && old.fill != Cell{}) {  // what is new on the right has no colour
      std::fill(target + line.used, target + from.cols_, old.fill);
      line.used = from.cols_;
      line.fill = Cell{};
    }
    if (line.used == cols_ && (target[cols_ - 1].attributes & k_wide) != 0) {
      target[cols_ - 1] =
          Cell{.glyph = U' ', .fg = target[cols_ - 1].fg, .bg = target[cols_ - 1].bg};
    }
  }
  info_.push_back(line);
}

std::span<const Cell> Grid::stored_cells(int number) const {
  const std::uint32_t index = stored(number);
  return {start_of(index), static_cast<std::size_t>(info_[index].used)};
}

void Grid::restore_shape(int recallable, std::uint64_t next_id) {
  for (int i = 0; i < recallable; ++i) {
    recall_[recall_count_++] = add_row();
  }
  next_id_ = next_id;
}

Cell* Grid::restore_row(int number, const RowInfo& info) {
  const std::uint32_t index = stored(number);
  info_[index] = info;
  return start_of(index);
}

}  // namespace sworn::vt
