// SPDX-License-Identifier: Apache-2.0
// The rows of the screen as they were rendered, searched after every event, with the event that
// last changed each cell. A cell that is painted over with what it shows already keeps its event:
// where that may have happened RedactFound::look_again is set, and who looks again with the event
// masked finds the other one. Rows that one event made from its first to its last byte by writing
// on, line by line, are the same as the text of the stream, which is searched there.
#pragma once

#include "player/redaction_finder.hpp"
#include "player/vt/terminal.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace sworn::player {

class RedactionRows final : public vt::Hooks {
 public:
  RedactionRows(vt::Terminal& terminal, const RedactQuery& query, RedactFound& found);
  ~RedactionRows() override { terminal_.set_hooks(nullptr); }
  RedactionRows(const RedactionRows&) = delete;
  RedactionRows& operator=(const RedactionRows&) = delete;

  // `in_stream`: the text of the event is searched in the stream as well.
  void before_event(const format::EventView& event, bool in_stream);
  void after_event();

  void on_row_scrolled_off(std::span<const vt::Cell> row, bool wrapped,
                           std::uint64_t row_id) override;
  void on_cleared() override { after_event(); }

 private:
  struct Row {
    std::uint64_t stamp = 0;
    std::uint64_t seen = 0;  // the last sweep that met it
    bool matched = false;    // when it was searched last, or not searched here yet
    std::vector<std::uint32_t> glyphs;
    std::vector<std::uint64_t> writers;  // event + 1; 0: nobody
  };
  // Rows that continue each other. Who wrote which byte is worked out only where something matches.
  struct Part {
    std::span<const vt::Cell> cells;
    Row* row = nullptr;
    const std::vector<std::uint64_t>* writers = nullptr;  // null: this event wrote all of it
  };
  struct Carry {  // the rows of a line that have scrolled off already
    std::string text;
    std::vector<std::uint64_t> writers;  // of each byte
    std::size_t rows = 0;
  };
  void update(Row& row, std::span<const vt::Cell> cells);
  void append_text(std::string& out, std::span<const vt::Cell> cells) const;
  void append_writers(std::vector<std::uint64_t>& out, const Part& part) const;
  bool search(const Carry& carry, std::span<const Part> parts);  // whether something matched
  void search_line(const Carry& carry, std::span<const Part> parts);
  void take(std::size_t begin, std::size_t length, const std::vector<std::uint64_t>& writers);
  void keep(const Part& part);

  vt::Terminal& terminal_;
  const RedactQuery& query_;
  RedactFound& found_;
  // By row id: of the primary and of the alternate screen. What a full-screen program leaves behind
  // when it ends was not written by that event.
  std::array<std::unordered_map<std::uint64_t, Row>, 2> rows_;
  std::unordered_set<std::uint64_t> masked_;  // events whose text is a stub
  std::uint64_t event_ = 0;
  bool linear_ = false;  // the event wrote on, line by line
  std::uint64_t sweep_ = 0;
  const Carry no_carry_{};
  std::vector<Part> parts_;
  std::vector<char> changed_;  // by row
  std::string text_;
  Carry carry_;
};

}  // namespace sworn::player
