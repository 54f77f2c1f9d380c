// SPDX-License-Identifier: Apache-2.0
#include "player/row_tracker.hpp"

#include "player/row_text.hpp"

#include <functional>

namespace sworn::player {
namespace {

constexpr std::size_t k_max_remembered = 65'536;

}  // namespace

RowTracker::RowTracker(vt::Terminal& terminal, std::shared_ptr<TextIndex> index)
    : terminal_(terminal), index_(std::move(index)) {
  terminal_.set_hooks(this);
}

void RowTracker::before_event(std::uint64_t position_after, MonoTime t) {
  position_ = position_after;
  t_ = t;
  scroll_hint_ = 0;
}

std::size_t RowTracker::emit(const std::string& text, std::uint64_t from, MonoTime t_from) {
  if (segment_.full()) {
    index_->add_segment(segment_);
    segment_.clear();
    recent_.clear();
    for (auto& slot : slots_) {
      slot.reopened = k_none;
    }
    for (auto& slot : next_slots_) {
      slot.reopened = k_none;
    }
  }
  return segment_.add({from, position_, t_from, t_, text});
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
  const auto index = emit(slot.text, slot.from, slot.t_from);
  if (recent_.size() >= k_max_remembered) {
    recent_.clear();
  }
  recent_[std::hash<std::string>{}(slot.text)] = index;
}

void RowTracker::open(Slot& slot, std::string text) {
  slot.text = std::move(text);
  slot.open = !slot.text.empty();
  slot.reopened = k_none;
  slot.from = position_;
  slot.t_from = t_;
  if (!slot.open) {
    return;
  }
  const auto it = recent_.find(std::hash<std::string>{}(slot.text));
  if (it != recent_.end() && it->second < segment_.size()) {
    const auto old = segment_.at(it->second);
    if (old.text == slot.text && old.to + k_repaint_events >= position_) {
      slot.reopened = it->second;
    }
  }
}

void RowTracker::update(Slot& slot, std::string&& text) {
  if (slot.open && text == slot.text) {
    return;
  }
  if (slot.open && slot.reopened == k_none && text.starts_with(slot.text)) {
    // Typing and progress: the entry goes on; it is complete from now on.
    slot.text = std::move(text);
    slot.from = position_;
    slot.t_from = t_;
    return;
  }
  close(slot);
  open(slot, std::move(text));
}

void RowTracker::read_row(int row, std::string& out) const {
  out.clear();
  append_cells(out, terminal_, terminal_.row(row));
  if (terminal_.row_wrapped(row) && row + 1 < terminal_.size().rows) {
    append_cells(out, terminal_, terminal_.row(row + 1));
  }
  trim_blanks(out);
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

void RowTracker::on_row_scrolled_off(std::span<const vt::Cell> row, bool wrapped,
                                     std::uint64_t row_id) {
  scratch_.clear();
  append_cells(scratch_, terminal_, row);
  std::string joined;
  if (!carry_.empty()) {
    joined = carry_ + scratch_;
    trim_blanks(joined);
  }
  carry_ = wrapped ? scratch_ : std::string{};
  trim_blanks(scratch_);
  if (auto* const slot = find(row_id, scroll_hint_)) {
    scroll_hint_ = static_cast<std::size_t>(slot - slots_.data()) + 1;
    // A wrapped row was written with its continuation: that is still the same text.
    if (!slot->open || !slot->text.starts_with(scratch_)) {
      update(*slot, std::move(scratch_));
    }
    close(*slot);
    slot->id = k_no_row;
  } else if (!scratch_.empty()) {
    emit(scratch_, position_, t_);
  }
  if (!joined.empty()) {
    emit(joined, position_, t_);
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

void RowTracker::after_event() {
  follow_rows();
  const int rows = terminal_.size().rows;
  for (int row = 0; row < rows; ++row) {
    auto& slot = slots_[static_cast<std::size_t>(row)];
    const auto stamp = terminal_.row_stamp(row);
    const bool wrapped = terminal_.row_wrapped(row) && row + 1 < rows;
    const auto next_stamp = wrapped ? terminal_.row_stamp(row + 1) : 0;
    if (slot.stamp == stamp && slot.wrapped == wrapped && slot.next_stamp == next_stamp) {
      continue;
    }
    slot.stamp = stamp;
    slot.wrapped = wrapped;
    slot.next_stamp = next_stamp;
    read_row(row, scratch_);
    update(slot, std::move(scratch_));
  }
}

void RowTracker::on_cleared() {
  after_event();
}

void RowTracker::publish() {
  auto recent = std::make_shared<TextSegment>(segment_);
  for (const auto& slot : slots_) {
    if (slot.open && slot.reopened == k_none) {
      recent->add({slot.from, position_, slot.t_from, t_, slot.text});
    } else if (slot.open) {
      recent->extend(slot.reopened, position_, t_);
    }
  }
  index_->set_recent(std::move(recent));
}

}  // namespace sworn::player
