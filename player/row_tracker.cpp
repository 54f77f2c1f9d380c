// SPDX-License-Identifier: Apache-2.0
#include "player/row_tracker.hpp"

#include "player/row_text.hpp"

#include <algorithm>
#include <functional>

namespace sworn::player {
RowTracker::RowTracker(vt::Terminal& terminal, std::shared_ptr<TextIndex> index)
    : terminal_(terminal), index_(std::move(index)) {
  terminal_.set_hooks(this);
}

void RowTracker::before_event(std::uint64_t position_after, MonoTime t) {
  position_ = position_after;
  t_ = t;
  scroll_hint_ = 0;
}

std::size_t RowTracker::emit(const std::string& text, std::uint64_t since, std::uint64_t from,
                             MonoTime t_from) {
  if (segment_.full()) {
    index_->add_segment(segment_);
    segment_.clear();
    std::fill(recent_.begin(), recent_.end(), Recent{});
    carried_.reopened = k_none;
    for (auto* const slots : {&slots_, &next_slots_}) {
      for (auto& slot : *slots) {
        slot.reopened = k_none;
      }
    }
  }
  return segment_.add({since, from, position_, t_from, t_, text});
}

void RowTracker::close(Slot& slot) {
  if (!slot.open) {
    return;
  }
  slot.open = false;
  if (slot.reopened != k_none) {
    segment_.extend(slot.reopened, position_, t_);
    return;
  }
  const auto index = emit(slot.text, slot.since, slot.from, slot.t_from);
  recent_[slot.hash % k_recent] = {slot.hash, index};
}

void RowTracker::open(Slot& slot, const std::string& text) {
  slot.text = text;
  slot.open = !text.empty();
  slot.reopened = k_none;
  slot.since = position_;
  slot.from = position_;
  slot.t_from = t_;
  if (!slot.open) {
    return;
  }
  slot.hash = std::hash<std::string>{}(slot.text);
  const auto& recent = recent_[slot.hash % k_recent];
  if (recent.hash == slot.hash && recent.entry < segment_.size()) {
    const auto old = segment_.at(recent.entry);
    if (old.text == slot.text && old.to + k_repaint_events >= position_) {
      slot.reopened = recent.entry;
    }
  }
}

void RowTracker::update(Slot& slot, const std::string& text) {
  if (slot.open && text == slot.text) {
    return;
  }
  if (slot.open && slot.reopened == k_none && text.starts_with(slot.text)) {
    // Typing and progress: the entry goes on; it is complete from now on.
    slot.text = text;
    slot.hash = std::hash<std::string>{}(slot.text);
    slot.from = position_;
    slot.t_from = t_;
    return;
  }
  close(slot);
  open(slot, text);
}

RowTracker::Slot* RowTracker::find(std::uint64_t id, std::size_t hint) {
  if (hint < slots_.size() && slots_[hint].id == id) {
    return &slots_[hint];
  }
  for (auto& slot : slots_) {
    if (slot.id == id) {
      return &slot;
    }
  }
  return nullptr;
}

// A wide character that did not fit leaves a cell that was never written before the edge.
void RowTracker::append_row(std::string& out, std::span<const vt::Cell> cells, bool wrapped) const {
  if (out.size() >= TextSegment::k_max_row_text) {
    return;
  }
  if (wrapped && !cells.empty() && cells.back().glyph == 0 &&
      (cells.back().attributes & vt::k_continuation) == 0) {
    cells = cells.first(cells.size() - 1);
  }
  append_cells(out, terminal_, wrapped ? cells : without_blanks(cells));
}

void RowTracker::on_row_scrolled_off(std::span<const vt::Cell> row, bool wrapped,
                                     std::uint64_t row_id) {
  if (!carry_.empty() && carry_row_ && *carry_row_ != row_id) {
    finish_carry();
  }
  auto* const slot = find(row_id, scroll_hint_);
  if (slot != nullptr) {
    scroll_hint_ = static_cast<std::size_t>(slot - slots_.data()) + 1;
    slot->id = k_no_row;
  }
  if (carry_.empty() && !wrapped) {
    scratch_.clear();
    append_row(scratch_, row, false);
    trim_blanks(scratch_);
    if (slot != nullptr) {
      update(*slot, scratch_);
      close(*slot);
    } else if (!scratch_.empty()) {
      emit(scratch_, position_, position_, t_);
    }
    return;
  }
  if (slot != nullptr && slot->open) {
    if (carried_.open) {
      close(*slot);
    } else {
      carried_ = std::move(*slot);
      slot->open = false;
    }
  }
  append_row(carry_, row, wrapped);
  carry_row_.reset();
  carry_rest_.clear();
  carry_alternate_ = terminal_.alternate_screen();
  if (!wrapped) {
    finish_carry();
  }
}

// All of the line has left, or what follows is no longer its rest.
void RowTracker::finish_carry() {
  if (carry_.empty()) {
    return;
  }
  trim_blanks(carry_);
  // An entry that was taken over by the first row of the screen is that row's business.
  if (carried_.open) {
    update(carried_, carry_);
    close(carried_);
  } else if (!carry_row_ && !carry_.empty()) {
    emit(carry_, position_, position_, t_);
  }
  carry_.clear();
  carry_row_.reset();
  carry_rest_.clear();
}

void RowTracker::check_carry() {
  if (carry_.empty()) {
    return;
  }
  const auto first = terminal_.row_id(0);
  if (terminal_.alternate_screen() != carry_alternate_ || (carry_row_ && *carry_row_ != first)) {
    finish_carry();
  } else if (!carry_row_) {
    carry_row_ = first;
  }
}

// Slots belong to lines, not to places: after scrolling they are sorted into their new rows.
void RowTracker::follow_rows() {
  const auto rows = static_cast<std::size_t>(terminal_.size().rows);
  bool moved = slots_.size() != rows;
  for (std::size_t row = 0; row < rows && !moved; ++row) {
    moved = slots_[row].id != terminal_.row_id(static_cast<int>(row));
  }
  if (!moved) {
    return;
  }
  next_slots_.clear();
  next_slots_.resize(rows);
  std::size_t hint = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    auto& slot = next_slots_[row];
    const auto id = terminal_.row_id(static_cast<int>(row));
    if (auto* const old = find(id, hint)) {
      hint = static_cast<std::size_t>(old - slots_.data()) + 1;
      slot = std::move(*old);
      old->id = k_no_row;
      old->open = false;
    } else {
      slot.id = id;
    }
  }
  for (auto& gone : slots_) {
    close(gone);
  }
  slots_.swap(next_slots_);
}

// The last row of the line that begins in `row`.
int RowTracker::end_of_line(int row) const {
  const int rows = terminal_.size().rows;
  while (row + 1 < rows && terminal_.row_wrapped(row)) {
    ++row;
  }
  return row;
}

std::uint64_t RowTracker::key_of(int row, int end) const {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15U;
  auto key = row == 0 ? carry_.size() + 1 : 1;
  for (int r = row; r <= end; ++r) {
    key = (key ^ terminal_.row_id(r)) * k_mix;
    key = (key ^ (key >> 29U) ^ terminal_.row_stamp(r)) * k_mix;
  }
  return key | 1U;  // 0: never read
}

void RowTracker::read_line(int row, int end) {
  for (int r = row; r <= end; ++r) {
    append_row(scratch_, terminal_.row(r), r < end);
  }
}

// The first row may continue a line that has left in part.
void RowTracker::read_first_line(Slot& slot, int end) {
  scratch_.clear();
  read_line(0, end);
  trim_blanks(scratch_);
  if (!carry_.empty() && !scratch_.starts_with(carry_rest_)) {
    finish_carry();  // something else was written in its place
  }
  if (carry_.empty()) {
    return;
  }
  carry_rest_ = scratch_;
  if (carried_.open) {
    close(slot);
    const auto id = slot.id;
    slot = std::move(carried_);
    slot.id = id;
    carried_ = Slot{};
  }
  scratch_ = carry_ + carry_rest_;
  trim_blanks(scratch_);
}

void RowTracker::after_event() {
  follow_rows();
  check_carry();
  const int rows = terminal_.size().rows;
  for (int row = 0; row < rows; ++row) {
    const int end = end_of_line(row);
    auto& slot = slots_[static_cast<std::size_t>(row)];
    const auto key = key_of(row, end);
    if (slot.key != key || (row == 0 && carried_.open)) {
      if (row == 0) {
        read_first_line(slot, end);
      } else {
        scratch_.clear();
        read_line(row, end);
        trim_blanks(scratch_);
      }
      slot.key = key;
      update(slot, scratch_);
    }
    for (; row < end; ++row) {
      auto& rest = slots_[static_cast<std::size_t>(row) + 1];
      close(rest);
      rest.key = 0;
    }
  }
}

void RowTracker::on_cleared() {
  after_event();
}

void RowTracker::publish() {
  // What is still there is not gone with the last event.
  const auto not_yet = position_ + 1;
  auto recent = std::make_shared<TextSegment>(segment_);
  const auto add = [&](const Slot& slot) {
    if (slot.open && slot.reopened == k_none) {
      recent->add({slot.since, slot.from, not_yet, slot.t_from, t_, slot.text});
    } else if (slot.open) {
      recent->extend(slot.reopened, not_yet, t_);
    }
  };
  for (const auto& slot : slots_) {
    add(slot);
  }
  add(carried_);
  index_->set_recent(std::move(recent));
}

}  // namespace sworn::player
