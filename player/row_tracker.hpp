// SPDX-License-Identifier: Apache-2.0
// Watches a terminal from event to event and writes down every state of every row: text that grows
// stays one entry, text that is replaced or scrolls away is closed with the stretch during which it
// was seen. A row that continues in the next is written with its continuation, so that a match may
// span the edge. Lines that come and go within one event are caught as they leave the top. One
// thread.
#pragma once

#include "player/text_index.hpp"
#include "player/vt/terminal.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
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
  struct Slot {
    std::uint64_t id = k_no_row;
    std::uint64_t stamp = 0;
    std::uint64_t next_stamp = 0;  // of the row below, where this one continues in it
    bool wrapped = false;
    bool open = false;
    std::string text;
    std::uint64_t from = 0;
    MonoTime t_from;
    std::size_t reopened = k_none;  // entry of the segment that came back
  };
  static constexpr std::size_t k_none = SIZE_MAX;
  // A text that comes back within so many events was only repainted.
  static constexpr std::uint64_t k_repaint_events = 64;

  void follow_rows();
  void close(Slot& slot);
  void open(Slot& slot, std::string text);
  void update(Slot& slot, std::string&& text);
  std::size_t emit(const std::string& text, std::uint64_t from, MonoTime t_from);
  void read_row(int row, std::string& out) const;
  Slot* find(std::uint64_t id, std::size_t hint);

  vt::Terminal& terminal_;
  std::shared_ptr<TextIndex> index_;
  TextSegment segment_;
  std::vector<Slot> slots_;
  std::vector<Slot> next_slots_;
  std::unordered_map<std::size_t, std::size_t> recent_;  // hash of the text -> entry of the segment
  std::uint64_t position_ = 0;
  MonoTime t_;
  std::size_t scroll_hint_ = 0;
  std::string carry_;  // the part of a wrapped line that scrolled off last
  std::string scratch_;
};

}  // namespace sworn::player
