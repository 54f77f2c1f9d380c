// SPDX-License-Identifier: Apache-2.0
#include "player/replay.hpp"

#include "player/picture.hpp"

#include <algorithm>
#include <iterator>

namespace sworn::player {

Replay::Replay(std::unique_ptr<EventSource> source, const ScreenSetup& setup,
               std::shared_ptr<const KeyframeIndex> keyframes)
    : source_(std::move(source)), screen_(setup), keyframes_(std::move(keyframes)) {}

MonoTime Replay::time() const {
  return std::max(t_, source_->first_time());
}

Result<void> Replay::start_from(const KeyframePtr& keyframe) {
  peeked_.reset();
  placed_ = false;
  screen_.reset();
  position_ = 0;
  t_ = k_before_everything;
  if (keyframe == nullptr) {
    return {};
  }
  TRY_ASSIGN(const auto snapshot, unpack(*keyframe));
  TRY(screen_.load(snapshot));
  position_ = keyframe->position;
  t_ = keyframe->t;
  return {};
}

Result<void> Replay::ensure_peeked() {
  if (!placed_) {
    TRY(source_->seek_event(position_));
    placed_ = true;
  }
  if (!peeked_) {
    TRY_ASSIGN(peeked_, source_->next());
  }
  return {};
}

void Replay::apply_peeked() {
  screen_.apply(*peeked_);
  work_ += replay_cost(*peeked_);
  position_ = peeked_->number + 1;
  t_ = peeked_->t;
  peeked_.reset();
}

Result<void> Replay::seek_time(MonoTime t) {
  const auto keyframe = keyframes_->before_time(t);
  const std::uint64_t best = keyframe == nullptr ? 0 : keyframe->position;
  if (t < t_ || best > position_) {
    // A keyframe that cannot be used costs time only: replay from the start is always possible.
    if (!start_from(keyframe)) {
      TRY(start_from(nullptr));
    }
  }
  while (true) {
    TRY(ensure_peeked());
    if (!peeked_ || peeked_->t > t) {
      return {};
    }
    apply_peeked();
  }
}

Result<void> Replay::seek_position(std::uint64_t position) {
  const auto keyframe = keyframes_->before_position(position);
  const std::uint64_t best = keyframe == nullptr ? 0 : keyframe->position;
  if (position < position_ || best > position_) {
    if (!start_from(keyframe)) {
      TRY(start_from(nullptr));
    }
  }
  while (position_ < position) {
    TRY(ensure_peeked());
    if (!peeked_ || peeked_->number >= position) {
      return {};
    }
    apply_peeked();
  }
  return {};
}

Result<std::optional<format::EventKind>> Replay::step() {
  TRY(ensure_peeked());
  if (!peeked_) {
    return std::nullopt;
  }
  const auto kind = peeked_->kind;
  apply_peeked();
  return kind;
}

Result<void> Replay::look_at(std::uint64_t from, std::uint64_t to,
                             const std::function<void(const format::EventView&)>& use) {
  peeked_.reset();
  placed_ = false;
  TRY(source_->seek_event(from));
  while (true) {
    TRY_ASSIGN(const auto event, source_->next());
    if (!event || event->number >= to) {
      return {};
    }
    use(*event);
  }
}

Result<std::optional<std::uint64_t>> Replay::last_visible_before(std::uint64_t position) {
  std::optional<std::uint64_t> found;
  std::uint64_t window = 256;
  std::uint64_t to = position;
  while (to > 0 && !found) {
    const std::uint64_t from = to > window ? to - window : 0;
    TRY(look_at(from, to, [&found](const format::EventView& event) {
      if (is_visible(event.kind)) {
        found = event.number;
      }
    }));
    to = from;
    window *= 4;
  }
  return found;
}

Result<std::vector<format::Event>> Replay::inputs_before(std::uint64_t position,
                                                         std::size_t count) {
  constexpr std::uint64_t k_window = 4096;
  std::vector<format::Event> found;
  const auto from = position > k_window ? position - k_window : 0;
  TRY(look_at(from, position, [&](const format::EventView& event) {
    if (event.kind == format::EventKind::input || event.kind == format::EventKind::input_hidden) {
      if (found.size() == count) {
        found.erase(found.begin());
      }
      found.push_back({event.number, event.kind, event.t, event.at,
                       Bytes(event.data.begin(), event.data.end()), event.redacted});
    }
  }));
  return found;
}

Result<std::optional<std::uint64_t>> Replay::next_change(const std::function<bool()>& give_up) {
  PictureWatch watch(screen_.terminal());
  while (!give_up()) {
    TRY_ASSIGN(const auto kind, step());
    if (!kind) {
      return std::nullopt;
    }
    if (is_visible(*kind) && watch.changed(screen_.terminal())) {
      return position_;
    }
  }
  return std::nullopt;
}

Result<std::optional<std::uint64_t>> Replay::previous_change(const std::function<bool()>& give_up) {
  // The present picture came about at the last change before here; wanted is the one before that.
  std::uint64_t to = position_;
  std::optional<std::uint64_t> later;  // the earliest change seen behind `to`
  while (to > 0 && !give_up()) {
    const auto keyframe = keyframes_->before_position(to - 1);
    TRY(start_from(nullptr));
    if (keyframe != nullptr && !start_from(keyframe)) {
      TRY(start_from(nullptr));
    }
    const auto from = position_;
    PictureWatch watch(screen_.terminal());
    std::vector<std::uint64_t> changes;
    while (position_ < to) {
      TRY(ensure_peeked());
      if (!peeked_ || peeked_->number >= to) {
        break;
      }
      const bool visible = is_visible(peeked_->kind);
      apply_peeked();
      if (visible && watch.changed(screen_.terminal())) {
        changes.push_back(position_);
      }
    }
    if (later && !changes.empty()) {
      return changes.back();
    }
    if (changes.size() >= 2) {
      return changes[changes.size() - 2];
    }
    if (changes.size() == 1) {
      later = changes.front();
    }
    to = from;
  }
  return std::nullopt;
}

Result<std::vector<Replay::RowMoment>> Replay::row_history(int row, std::size_t most,
                                                           const std::function<bool()>& give_up) {
  const auto text = [this, row] {
    return row < screen_.terminal().size().rows ? screen_.terminal().row_text(row) : std::string{};
  };
  std::vector<RowMoment> found;  // oldest first
  std::uint64_t to = position_;
  while (to > 0 && found.size() < most && !give_up()) {
    const auto keyframe = keyframes_->before_position(to - 1);
    if (!start_from(keyframe)) {
      TRY(start_from(nullptr));
    }
    const auto from = position_;
    std::vector<RowMoment> stretch{{position_, time(), text()}};
    auto stamp = row < screen_.terminal().size().rows ? screen_.terminal().row_stamp(row) : 0;
    while (position_ < to) {
      TRY(ensure_peeked());
      if (!peeked_ || peeked_->number >= to) {
        break;
      }
      const bool visible = is_visible(peeked_->kind);
      apply_peeked();
      const auto now = row < screen_.terminal().size().rows ? screen_.terminal().row_stamp(row) : 0;
      if (visible && now != stamp) {
        stamp = now;
        if (auto line = text(); line != stretch.back().text) {
          stretch.push_back({position_, t_, std::move(line)});
        }
      }
    }
    // The state at the seam began earlier if it is the same on both sides.
    if (!found.empty() && found.front().text == stretch.back().text) {
      found.erase(found.begin());
    }
    found.insert(found.begin(), std::make_move_iterator(stretch.begin()),
                 std::make_move_iterator(stretch.end()));
    to = from;
  }
  if (found.size() > most) {
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(most));
  }
  return found;
}

Result<void> Replay::refresh() {
  peeked_.reset();
  placed_ = false;
  return source_->refresh();
}

bool Replay::far_from_keyframes(MonoTime t) const {
  const auto frontier = keyframes_->frontier();
  return !frontier.complete && t > frontier.t && t > t_;
}

}  // namespace sworn::player
