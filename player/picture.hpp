// SPDX-License-Identifier: Apache-2.0
// Did the picture change? Compares the cells of a terminal with what they were at the last
// question; where the cursor stands does not count. Cheap where little changed. One thread.
#pragma once

#include "player/vt/terminal.hpp"

#include <cstdint>
#include <vector>

namespace sworn::player {

class PictureWatch {
 public:
  explicit PictureWatch(const vt::Terminal& terminal) { changed(terminal); }
  bool changed(const vt::Terminal& terminal);

 private:
  struct Row {
    std::uint64_t id = 0;
    std::uint64_t stamp = 0;
    std::uint64_t hash = 0;
  };
  TermSize size_{0, 0};
  bool reverse_ = false;
  std::vector<Row> rows_;
};

}  // namespace sworn::player
