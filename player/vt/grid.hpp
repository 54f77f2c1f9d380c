// SPDX-License-Identifier: Apache-2.0
// The rows of one screen. Rows are reached through an index map, so that scrolling moves indices
// and not cells. A row is a stored prefix of cells and a uniform rest: a new or cleared row costs
// nothing, however wide. Rows that scrolled off the top can be recalled when the window grows; only
// as many as a window may grow. Positions are 0-based, ends exclusive; the caller keeps them in
// range. Not thread-safe, not even for readers.
#pragma once

#include "base/term_size.hpp"
#include "player/vt/terminal.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace sworn::vt {

inline constexpr int k_max_side = 4096;
inline constexpr int k_max_cells = 1 << 20;
inline constexpr int k_recall_rows = 100;

struct RowInfo {
  std::uint64_t id = 0;
  std::uint64_t stamp = 0;
  int used = 0;  // cells [used, cols) equal `fill` and are not stored
  bool wrapped = false;
  Cell fill{};
  friend bool operator==(const RowInfo&, const RowInfo&) = default;
};

class Grid {
 public:
  // `recall`: how many scrolled-off rows to keep.
  Grid(TermSize size, int recall);

  [[nodiscard]] int cols() const { return cols_; }
  [[nodiscard]] int rows() const { return static_cast<int>(map_.size()); }
  [[nodiscard]] int recallable() const { return static_cast<int>(recall_count_); }

  [[nodiscard]] RowInfo& info(int row) { return info_[at(row)]; }
  [[nodiscard]] const RowInfo& info(int row) const { return info_[at(row)]; }
  [[nodiscard]] std::span<const Cell> view(int row) const;
  [[nodiscard]] const Cell& cell(int row, int col) const {
    const RowInfo& line = info(row);
    return col < line.used ? start(row)[col] : line.fill;
  }
  // The whole row, stored; for edits that move cells.
  [[nodiscard]] Cell* line(int row);
  // The start of the row, with [0, to) stored, for a caller that writes [from, to) at once.
  [[nodiscard]] Cell* prepare(int row, int from, int to) {
    RowInfo& line = info_[at(row)];
    Cell* cells = start(row);
    if (line.used < to) {
      if (line.used < from) {
        std::fill(cells + line.used, cells + from, line.fill);
      }
      line.used = to;
    }
    return cells;
  }
  // Before cells [from, to) are overwritten: halves of wide characters that would stay alone become
  // blank.
  void cut_wide(int row, int from, int to) {
    const int used = info(row).used;
    if (from > 0 && from < used && is_continuation(row, from)) {
      blank_half(row, from - 1);
    }
    if (to < used && is_continuation(row, to)) {
      blank_half(row, to);
    }
  }

  // After cells up to `to` were written behind prepare(row, from, from) and cut_wide(row, from,
  // from).
  void finish_run(int row, int to) {
    RowInfo& line = info(row);
    if (to < line.used && is_continuation(row, to)) {
      blank_half(row, to);
    }
    line.used = std::max(line.used, to);
  }

  void erase(int row, int from, int to, const Cell& blank, std::uint64_t now);
  // Full-width scrolling of rows [top, bottom) by n > 0 rows.
  enum class Keep : std::uint8_t { drop, recall };
  void scroll_up(int top, int bottom, int n, const Cell& blank, std::uint64_t now, Keep keep);
  void scroll_down(int top, int bottom, int n, const Cell& blank, std::uint64_t now);
  void clear_recall();

  // No reflow. Rows below the cursor are dropped first, then rows leave at the top; growing recalls
  // rows at the top first. Returns how far rows moved down (negative: up).
  int resize(TermSize size, int cursor_row, std::uint64_t now);

  // The stored rows in the order recall (oldest first), screen: for snapshots and for marking what
  // is live.
  [[nodiscard]] int stored_rows() const { return recallable() + rows(); }
  [[nodiscard]] std::span<const Cell> stored_cells(
      int number) const;  // the prefix, RowInfo::used cells
  [[nodiscard]] const RowInfo& stored_info(int number) const { return info_[stored(number)]; }
  [[nodiscard]] std::uint64_t next_id() const { return next_id_; }
  // For the loader, on a new grid: makes room for `recallable` rows; then the rows are filled in,
  // in the order of stored_cells(). The pointer is to the start of the row and good for `info.used`
  // cells.
  void restore_shape(int recallable, std::uint64_t next_id);
  [[nodiscard]] Cell* restore_row(int number, const RowInfo& info);

 private:
  [[nodiscard]] std::uint32_t at(int row) const { return map_[static_cast<std::size_t>(row)]; }
  [[nodiscard]] Cell* start_of(std::uint32_t index) const {
    return cells_.data() + std::size_t{index} * static_cast<std::size_t>(cols_);
  }
  [[nodiscard]] Cell* start(int row) const { return start_of(at(row)); }
  [[nodiscard]] bool is_continuation(int row, int col) const {
    return (start(row)[col].attributes & k_continuation) != 0;
  }
  [[nodiscard]] std::uint32_t stored(int number) const {
    const auto n = static_cast<std::size_t>(number);
    return n < recall_count_ ? recall_at(n) : map_[n - recall_count_];
  }
  void blank_half(int row, int col);
  void reset_row(std::uint32_t index, const Cell& blank, std::uint64_t now);
  // Storage only. Ids are given where a row begins to be seen, so that they do not depend on which
  // storage is free.
  [[nodiscard]] std::uint32_t add_row();
  [[nodiscard]] std::uint32_t recall_at(std::size_t number) const {
    return recall_[(recall_start_ + number) % recall_.size()];
  }
  // Remembers a row that leaves and returns one to use instead.
  [[nodiscard]] std::uint32_t remember(std::uint32_t leaving);
  void copy_row(const Grid& from, std::uint32_t source, std::uint64_t now);

  int cols_;
  std::uint64_t next_id_ = 1;
  mutable std::vector<Cell> cells_;  // mutable: view() stores the uniform rest of a row
  mutable std::vector<RowInfo> info_;
  std::vector<std::uint32_t> map_;     // screen row -> index into info_
  std::vector<std::uint32_t> free_;    // rows that were forgotten
  std::vector<std::uint32_t> recall_;  // a ring of fixed size
  std::size_t recall_start_ = 0;       // the oldest
  std::size_t recall_count_ = 0;
};

}  // namespace sworn::vt
