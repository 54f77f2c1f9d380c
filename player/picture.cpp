// SPDX-License-Identifier: Apache-2.0
#include "player/picture.hpp"

namespace sworn::player {
namespace {

std::uint64_t hash_of(std::span<const vt::Cell> cells) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto mix = [&hash](std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15U;
    hash ^= hash >> 29U;
  };
  for (const auto& cell : cells) {
    // A cell that was never written looks like a blank.
    mix(std::uint64_t{cell.glyph == 0 ? 0x20U : cell.glyph} << 16U | cell.attributes);
    mix(std::uint64_t{cell.fg.packed} << 32U | cell.bg.packed);
  }
  return hash;
}

}  // namespace

bool PictureWatch::changed(const vt::Terminal& terminal) {
  const auto size = terminal.size();
  bool changed = size != size_ || reverse_ != terminal.reverse_video();
  size_ = size;
  reverse_ = terminal.reverse_video();
  rows_.resize(size.rows);
  for (int index = 0; index < size.rows; ++index) {
    auto& row = rows_[static_cast<std::size_t>(index)];
    const auto id = terminal.row_id(index);
    const auto stamp = terminal.row_stamp(index);
    if (row.hash != 0 && row.id == id && row.stamp == stamp) {
      continue;
    }
    const auto hash = hash_of(terminal.row(index)) | 1U;
    changed = changed || hash != row.hash;
    row = {id, stamp, hash};
  }
  return changed;
}

}  // namespace sworn::player
