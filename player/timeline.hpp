// SPDX-License-Identifier: Apache-2.0
// The line of time under the panes: how much happened in each column, and what was of note. Columns
// divide the time as it is shown, with silences shortened where they are. May show a part only
// (zoom), which then follows the playhead. What the columns hold is kept until something changes.
// One thread.
#pragma once

#include "player/audit_book.hpp"
#include "player/facts.hpp"
#include "player/frame.hpp"
#include "player/idle_map.hpp"
#include "player/log_book.hpp"
#include "player/notes.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::player {

struct TimelineColumn {
  int level = 0;       // 0 (nothing) to 7, on a logarithmic scale
  bool input = false;  // something was typed
  char mark = ' ';
  Style mark_style;
};

struct TimelineInput {
  MonoTime first;
  MonoTime last;
  MonoTime now;
  const IdleMap* idle = nullptr;
  std::optional<std::int64_t> idle_limit;
  std::shared_ptr<const Facts> facts;
  LogBookPtr logs;
  AuditBookPtr audit;
  const std::vector<Note>* notes = nullptr;
  int cols = 0;
};

// A silence that is long enough to say so in the row of marks.
struct TimelineLabel {
  int col = 0;
  std::string text;
};

class Timeline {
 public:
  // To be called before anything is asked; cheap where nothing changed.
  void update(const TimelineInput& input);

  [[nodiscard]] MonoTime time_of(int col) const;
  // -1 and `cols` for what lies outside of the part that is shown.
  [[nodiscard]] int column_of(MonoTime t) const;
  [[nodiscard]] const std::vector<TimelineColumn>& columns() const { return columns_; }
  [[nodiscard]] const std::vector<TimelineLabel>& labels() const { return labels_; }

  // By powers of two, around the playhead.
  void zoom_in();
  void zoom_out();
  [[nodiscard]] int zoom() const { return 1 << zoom_; }
  [[nodiscard]] MonoTime shown_from() const;
  [[nodiscard]] MonoTime shown_to() const;

 private:
  static constexpr int k_max_zoom = 20;

  void place_window(std::int64_t begin, std::int64_t end, std::int64_t now);
  void fill();
  void label_silences();
  void put(MonoTime t, char sign, int rank, const Style& style);

  TimelineInput input_;
  IdleMap idle_;
  std::size_t note_count_ = 0;
  int zoom_ = 0;
  bool changed_ = true;
  std::int64_t from_ = 0;  // of the window, in shown time
  std::int64_t to_ = 0;
  std::vector<TimelineColumn> columns_;
  std::vector<TimelineLabel> labels_;
  std::vector<int> ranks_;
};

}  // namespace sworn::player
