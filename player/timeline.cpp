// SPDX-License-Identifier: Apache-2.0
#include "player/timeline.hpp"

#include "player/draw_text.hpp"

#include <algorithm>
#include <cmath>

namespace sworn::player {
namespace {

struct MarkShape {
  char sign = ' ';
  int rank = 0;  // the higher one wins a column
  Style style;
};

constexpr MarkShape k_command{'c', 1, {palette(6), {}, 0}};
constexpr MarkShape k_running{'c', 1, {palette(6), {}, vt::k_dim}};
constexpr MarkShape k_failed{'!', 5, styles::k_bad_text};
constexpr MarkShape k_finding{'d', 4, {palette(5), {}, vt::k_bold}};
constexpr MarkShape k_log_error{'e', 3, {palette(1), {}, 0}};
constexpr int k_note_rank = 6;

MarkShape shape_of(MarkKind kind) {
  switch (kind) {
    case MarkKind::resize:
      return {'r', 2, styles::k_dim};
    case MarkKind::marker:
      return {'m', 4, styles::k_warn};
    case MarkKind::gap:
      return {'X', 8, styles::k_bad};
    case MarkKind::alert:
      return {'a', 7, styles::k_bad_text};
    case MarkKind::signal:
      return {'s', 2, styles::k_dim};
    case MarkKind::hidden_input:
      return {'h', 2, styles::k_dim};
    case MarkKind::exit:
      return {'.', 0, styles::k_dim};
  }
  return {};
}

// 0 for nothing, 1..7 on a logarithmic scale up to the busiest column.
int level_of(std::uint64_t bytes, std::uint64_t most) {
  if (bytes == 0 || most == 0) {
    return 0;
  }
  const double share =
      std::log2(static_cast<double>(bytes) + 1) / std::log2(static_cast<double>(most) + 1);
  return std::clamp(static_cast<int>(std::ceil(share * 7)), 1, 7);
}

}  // namespace

void Timeline::zoom_in() {
  zoom_ = std::min(zoom_ + 1, k_max_zoom);
  changed_ = true;
}

void Timeline::zoom_out() {
  zoom_ = std::max(zoom_ - 1, 0);
  changed_ = true;
}

MonoTime Timeline::shown_from() const {
  return idle_.to_recorded(from_);
}

MonoTime Timeline::shown_to() const {
  return idle_.to_recorded(to_);
}

// The window moves only when the playhead comes near its edge, so that the picture stands still.
void Timeline::place_window(std::int64_t begin, std::int64_t end, std::int64_t now) {
  const auto length = std::max<std::int64_t>((end - begin) >> zoom_, 1);
  const auto margin = length / 16;
  const bool fits = to_ - from_ == length && now >= from_ + margin && now <= to_ - margin &&
                    from_ >= begin && to_ <= end;
  if (fits) {
    return;
  }
  const auto from = std::clamp(now - length / 2, begin, std::max(begin, end - length));
  if (from != from_ || from + length != to_) {
    from_ = from;
    to_ = from + length;
    changed_ = true;
  }
}

void Timeline::update(const TimelineInput& input) {
  const std::size_t notes = input.notes == nullptr ? 0 : input.notes->size();
  changed_ = changed_ || input.facts != input_.facts || input.logs != input_.logs ||
             input.audit != input_.audit || notes != note_count_ || input.cols != input_.cols ||
             input.first != input_.first || input.last != input_.last ||
             input.idle_limit != input_.idle_limit;
  input_ = input;
  note_count_ = notes;
  if (changed_ && input.idle != nullptr) {
    idle_ = *input.idle;
  }
  const auto begin = idle_.to_shown(input.first);
  const auto end = std::max(begin, idle_.to_shown(input.last));
  if (zoom_ == 0) {
    changed_ = changed_ || from_ != begin || to_ != end;
    from_ = begin;
    to_ = end;
  } else {
    place_window(begin, end, idle_.to_shown(input.now));
  }
  if (changed_) {
    fill();
    changed_ = false;
  }
}

MonoTime Timeline::time_of(int col) const {
  const double share = static_cast<double>(col) / std::max(1, input_.cols);
  return idle_.to_recorded(from_ +
                           static_cast<std::int64_t>(static_cast<double>(to_ - from_) * share));
}

int Timeline::column_of(MonoTime t) const {
  const auto shown = idle_.to_shown(t);
  if (to_ <= from_) {
    return 0;
  }
  if (shown < from_) {
    return -1;
  }
  if (shown > to_) {
    return input_.cols;
  }
  const double share = static_cast<double>(shown - from_) / static_cast<double>(to_ - from_);
  return std::clamp(static_cast<int>(share * input_.cols), 0, input_.cols - 1);
}

void Timeline::put(MonoTime t, char sign, int rank, const Style& style) {
  const int col = column_of(t);
  if (col < 0 || col >= input_.cols) {
    return;
  }
  const auto at = static_cast<std::size_t>(col);
  if (ranks_[at] < rank) {
    ranks_[at] = rank;
    columns_[at].mark = sign;
    columns_[at].mark_style = style;
  }
}

// "(idle 2h11m)" in the middle of a silence, where nothing else stands there.
void Timeline::label_silences() {
  labels_.clear();
  constexpr int k_margin = 2;
  constexpr std::int64_t k_least_us = 1'000'000;
  for (const auto& gap : input_.facts->idle) {
    if (gap.to.us - gap.from.us < k_least_us) {
      continue;
    }
    const int from = std::max(column_of(gap.from), 0);
    const int to = std::min(column_of(gap.to), input_.cols);
    const auto text = "(idle " + short_duration(gap.to.us - gap.from.us) + ")";
    const int width = static_cast<int>(text.size());
    if (to - from < width + 2 * k_margin) {
      continue;
    }
    const int col = from + (to - from - width) / 2;
    const auto begin = columns_.begin() + col;
    if (std::all_of(begin, begin + width,
                    [](const TimelineColumn& column) { return column.mark == ' '; })) {
      labels_.push_back({col, text});
    }
  }
}

void Timeline::fill() {
  const auto cols = static_cast<std::size_t>(std::max(0, input_.cols));
  columns_.assign(cols, {});
  labels_.clear();
  ranks_.assign(cols, -1);
  if (input_.facts == nullptr || cols == 0) {
    return;
  }
  const auto& facts = *input_.facts;
  std::vector<std::uint64_t> bytes(cols);
  std::uint64_t most = 0;
  for (std::size_t col = 0; col < cols; ++col) {
    const auto from = time_of(static_cast<int>(col));
    auto to = time_of(static_cast<int>(col) + 1);
    if (col + 1 == cols) {
      to.us += 1;
    }
    const auto bucket = facts.activity.sum(from, to);
    bytes[col] = bucket.output_bytes;
    columns_[col].input = bucket.inputs > 0;
    most = std::max(most, bytes[col]);
  }
  for (std::size_t col = 0; col < cols; ++col) {
    columns_[col].level = level_of(bytes[col], most);
  }
  for (const auto& command : facts.commands) {
    const auto& shape = command.end_event == 0 ? k_running : k_command;
    put(command.begin, shape.sign, shape.rank, shape.style);
    if (command.failed()) {
      put(command.end, k_failed.sign, k_failed.rank, k_failed.style);
    }
  }
  for (const auto& mark : facts.marks) {
    const auto shape = shape_of(mark.kind);
    put(mark.t, shape.sign, shape.rank, shape.style);
  }
  if (input_.audit != nullptr) {
    for (const auto& finding : input_.audit->findings) {
      if (finding.serious) {
        put(finding.t, k_finding.sign, k_finding.rank, k_finding.style);
      }
    }
  }
  if (input_.logs != nullptr) {
    for (const auto& item : input_.logs->items) {
      if (item.severity == LogSeverity::error && item.t >= input_.first && item.t <= input_.last) {
        put(item.t, k_log_error.sign, k_log_error.rank, k_log_error.style);
      }
    }
  }
  if (input_.notes != nullptr) {
    for (const auto& note : *input_.notes) {
      put(note.t, note.id.empty() ? '*' : note.id.front(), k_note_rank, styles::k_warn);
    }
  }
  label_silences();
}

}  // namespace sworn::player
