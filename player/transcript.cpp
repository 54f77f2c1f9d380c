// SPDX-License-Identifier: Apache-2.0
#include "player/transcript.hpp"

#include "player/row_text.hpp"

namespace sworn::player {
namespace {

constexpr std::size_t k_max_seen = 1'000'000;
constexpr std::size_t k_max_carry = 1U << 20U;

}  // namespace

TranscriptBuilder::TranscriptBuilder(vt::Terminal& terminal, LineSink sink)
    : terminal_(terminal), sink_(std::move(sink)) {
  terminal_.set_hooks(this);
}

void TranscriptBuilder::tell(std::string text) {
  trim_blanks(text);
  if (text.empty()) {
    return;
  }
  if (full_screen_) {
    if (seen_.size() >= k_max_seen) {
      seen_.clear();
    }
    if (!seen_.insert(std::hash<std::string>{}(text)).second) {
      return;
    }
  }
  sink_(text, full_screen_);
}

void TranscriptBuilder::tell_carry() {
  if (!carry_.empty()) {
    tell(std::move(carry_));
    carry_.clear();
  }
}

TranscriptBuilder::Slot* TranscriptBuilder::find(std::uint64_t id, std::size_t hint) {
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

// The row is gone or holds something else now.
void TranscriptBuilder::leave(Slot& slot) {
  if (!slot.told && !slot.text.empty()) {
    tell(slot.text);
  }
  slot.told = true;
}

void TranscriptBuilder::on_row_scrolled_off(std::span<const vt::Cell> row, bool wrapped,
                                            std::uint64_t row_id) {
  std::string text;
  append_cells(text, terminal_, row);
  auto* const slot = find(row_id, hint_);
  if (slot != nullptr) {
    hint_ = static_cast<std::size_t>(slot - slots_.data()) + 1;
    slot->id = k_no_row;
    auto trimmed = text;
    trim_blanks(trimmed);
    if (trimmed == slot->text && slot->told) {
      tell_carry();
      return;
    }
    if (!trimmed.starts_with(slot->text)) {
      leave(*slot);
    }
    slot->told = true;
  }
  carry_ += text;
  if (!wrapped || carry_.size() > k_max_carry) {
    tell_carry();
  }
}

void TranscriptBuilder::follow_rows() {
  const auto rows = static_cast<std::size_t>(terminal_.size().rows);
  bool moved = slots_.size() != rows;
  for (std::size_t row = 0; row < rows && !moved; ++row) {
    moved = slots_[row].id != terminal_.row_id(static_cast<int>(row));
  }
  if (!moved) {
    return;
  }
  next_.clear();
  next_.resize(rows);
  std::size_t hint = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    next_[row].id = terminal_.row_id(static_cast<int>(row));
    if (auto* const old = find(next_[row].id, hint)) {
      hint = static_cast<std::size_t>(old - slots_.data()) + 1;
      next_[row] = std::move(*old);
      *old = Slot{};
    }
  }
  for (auto& gone : slots_) {
    if (gone.id != k_no_row) {
      leave(gone);
    }
  }
  slots_.swap(next_);
}

void TranscriptBuilder::after_event() {
  hint_ = 0;
  const bool full_screen = terminal_.alternate_screen();
  if (full_screen != full_screen_) {
    // What stood on the other screen belongs before what this one shows.
    for (auto& slot : slots_) {
      leave(slot);
    }
    tell_carry();
    full_screen_ = full_screen;
    seen_.clear();
  }
  follow_rows();
  std::string text;
  for (int row = 0; row < terminal_.size().rows; ++row) {
    auto& slot = slots_[static_cast<std::size_t>(row)];
    const auto stamp = terminal_.row_stamp(row);
    if (slot.stamp == stamp) {
      continue;
    }
    slot.stamp = stamp;
    text.clear();
    append_cells(text, terminal_, terminal_.row(row));
    trim_blanks(text);
    if (text == slot.text) {
      continue;
    }
    if (!text.starts_with(slot.text)) {
      leave(slot);
    }
    slot.text = text;
    slot.told = text.empty();
  }
}

void TranscriptBuilder::flush() {
  const int rows = terminal_.size().rows;
  for (int row = 0; row < rows && !slots_.empty();) {
    int end = row + 1;
    bool told = slots_[static_cast<std::size_t>(row)].told;
    while (end < rows && terminal_.row_wrapped(end - 1)) {
      told = told && slots_[static_cast<std::size_t>(end)].told;
      ++end;
    }
    std::string line;
    if (row == 0) {
      line = std::move(carry_);
      carry_.clear();
    }
    if (!told) {
      for (int part = row; part < end; ++part) {
        append_cells(line, terminal_, terminal_.row(part));
        slots_[static_cast<std::size_t>(part)].told = true;
      }
    }
    tell(std::move(line));
    row = end;
  }
}

}  // namespace sworn::player
