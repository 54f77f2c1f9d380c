// SPDX-License-Identifier: Apache-2.0
// Watches a terminal from event to event and writes down every state of every line: text that grows
// stays one entry, text that is replaced or scrolls away is closed with the stretch during which it
// was seen. Rows that continue in the next are one line, so that a match may span the edge; such a
// line stays one while it leaves at the top. Lines that come and go within one event are caught as
// they leave. One thread.
#pragma once

#include "player/text_index.hpp"
#include "player/vt/terminal.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::player {

class RowTracker final : public vt::Hooks {
 public:
  RowTracker(vt::Terminal& terminal, std::shared_ptr<TextIndex> index);
  ~RowTracker() override { terminal_.set_hooks(nullptr); }
  RowTracker(const RowTracker&) = delete;
  RowTracker& operator=(const RowTracker&) = delete;

  // Around each event that can change the picture.
  void before_event(std::uint64_t position_after, MonoTime t);
  void after_event();
  // What is on the screen and in the unfinished segment becomes searchable.
  void publish();

  void on_row_scrolled_off(std::span<const vt::Cell> row, bool wrapped,
                           std::uint64_t row_id) override;
  void on_cleared() override;

 private:
  static constexpr std::uint64_t k_no_row = UINT64_MAX;
  static constexpr std::size_t k_none = SIZE_MAX;
  // A text that comes back within so many events was only repainted.
  static constexpr std::uint64_t k_repaint_events = 64;

  // The line that begins in a row of the screen; closed for rows that continue the one above.
  struct Slot {
    std::uint64_t id = k_no_row;
    std::uint64_t key = 0;  // of the rows that it was read from
    bool open = false;
    std::size_t hash = 0;
    std::string text;
    std::uint64_t since = 0;  // when it began to grow
    std::uint64_t from = 0;   // when it became what it is
    MonoTime t_from;
    std::size_t reopened = k_none;  // entry of the segment that came back
  };

  void follow_rows();
  void check_carry();
  void finish_carry();
  int end_of_line(int row) const;
  [[nodiscard]] std::uint64_t key_of(int row, int end) const;
  void read_line(int row, int end);
  void read_first_line(Slot& slot, int end);
  void append_row(std::string& out, std::span<const vt::Cell> cells, bool wrapped) const;
  void close(Slot& slot);
  void open(Slot& slot, const std::string& text);
  void update(Slot& slot, const std::string& text);
  std::size_t emit(const std::string& text, std::uint64_t since, std::uint64_t from,
                   MonoTime t_from);
  Slot* find(std::uint64_t id, std::size_t hint);

  vt::Terminal& terminal_;
  std::shared_ptr<TextIndex> index_;
  TextSegment segment_;
  std::vector<Slot> slots_;
  std::vector<Slot> next_slots_;
  // Hash of a text and its entry in the segment; a later one takes the place of an earlier one.
  struct Recent {
    std::size_t hash = 0;
    std::size_t entry = k_none;
  };
  static constexpr std::size_t k_recent = 16'384;
  std::vector<Recent> recent_{k_recent};
  std::uint64_t position_ = 0;
  MonoTime t_;
  std::size_t scroll_hint_ = 0;
  std::string scratch_;

  // The part of a line that has left at the top while the rest is still on the screen.
  std::string carry_;
  Slot carried_;                            // its entry, until the rest takes it over
  std::optional<std::uint64_t> carry_row_;  // the row that continues it
  std::string carry_rest_;                  // the text of the rest, as last seen
  bool carry_alternate_ = false;
};

}  // namespace sworn::player
