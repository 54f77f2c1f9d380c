// SPDX-License-Identifier: Apache-2.0
// One byte stream of a recording, searched line by line across the events that it came in.
#pragma once

#include "player/redaction_finder.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::player {

class RedactionStream {
 public:
  // `typed`: CR ends a line as well (the keys of a terminal).
  RedactionStream(const RedactQuery& query, RedactFound& found, bool typed)
      : query_(query), found_(found), typed_(typed) {}

  void add(std::uint64_t event, ByteView data);
  void finish();  // the last line, that nothing ended

 private:
  struct Piece {
    std::size_t begin = 0;  // in text_
    std::uint64_t event = 0;
  };
  void search(std::size_t end);
  void search_text(std::string_view text, std::string_view from_raw);
  void take(std::size_t begin, std::size_t end, std::string_view all);
  void drop(std::size_t bytes);
  [[nodiscard]] std::size_t piece_at(std::size_t offset) const;

  const RedactQuery& query_;
  RedactFound& found_;
  bool typed_;
  std::string text_;           // from the beginning of a line on
  std::vector<Piece> pieces_;  // by begin
  std::string stripped_;
};

}  // namespace sworn::player
