// SPDX-License-Identifier: Apache-2.0
// What was typed, line by line, for searching: from the first key to the Enter that ends it. A line
// that was corrected is written twice: as the keys came and as it looked in the end. One thread.
#pragma once

#include "format/event.hpp"
#include "player/text_index.hpp"

#include <memory>

namespace sworn::player {

class InputTracker {
 public:
  explicit InputTracker(std::shared_ptr<TextIndex> index) : index_(std::move(index)) {}

  void add(const format::EventView& event);
  // What was typed so far becomes searchable.
  void publish();

 private:
  static constexpr std::size_t k_max_line = 16 * 1024;

  void end_line();
  void write(TextSegment& segment) const;

  std::shared_ptr<TextIndex> index_;
  TextSegment segment_;
  Bytes line_;
  std::uint64_t since_ = 0;
  std::uint64_t from_ = 0;
  MonoTime t_;
};

}  // namespace sworn::player
