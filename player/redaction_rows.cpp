// SPDX-License-Identifier: Apache-2.0
#include "player/redaction_rows.hpp"

#include <algorithm>

namespace sworn::player {
namespace {

constexpr std::size_t k_most_rows_of_a_line = 64;
constexpr std::size_t k_typed_writers = 3;
constexpr std::size_t k_typed_bytes = 4;

// Nothing but text, colours and ends of lines.
bool is_linear(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) >= 0x20) {
      continue;
    }
    if (text[i] == '\n' && i > 0 && text[i - 1] == '\r') {
      continue;
    }
    if (text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n') {
      continue;
    }
    if (text[i] != '\x1B' || i + 1 >= text.size() || text[i + 1] != '[') {
      return false;
    }
    const auto end = text.find_first_not_of("0123456789;", i + 2);
    if (end == std::string_view::npos || text[end] != 'm') {
      return false;
    }
    i = end;
  }
  return true;
}

}  // namespace

RedactionRows::RedactionRows(vt::Terminal& terminal, const RedactQuery& query, RedactFound& found)
    : terminal_(terminal), query_(query), found_(found) {
  terminal_.set_hooks(this);
}

void RedactionRows::before_event(const format::EventView& event, bool in_stream) {
  event_ = event.number + 1;
  linear_ = in_stream && is_linear(as_text(event.data));
  if (event.redacted) {
    masked_.insert(event_);
  }
}

void RedactionRows::update(Row& row, std::span<const vt::Cell> cells) {
  row.glyphs.resize(cells.size());
  row.writers.resize(cells.size());
  for (std::size_t col = 0; col < cells.size(); ++col) {
    if (cells[col].glyph != row.glyphs[col]) {
      row.glyphs[col] = cells[col].glyph;
      row.writers[col] = event_;
    }
  }
}

void RedactionRows::append_text(std::string& out, std::span<const vt::Cell> cells) const {
  for (const auto& cell : cells) {
    if (cell.glyph < 0x80 && (cell.attributes & vt::k_continuation) == 0) {
      out.push_back(cell.glyph < 0x20 ? ' ' : static_cast<char>(cell.glyph));
    } else {
      terminal_.append_cell_text(out, cell);
    }
  }
}

void RedactionRows::append_writers(std::vector<std::uint64_t>& out, const Part& part) const {
  std::string text;
  for (std::size_t col = 0; col < part.cells.size(); ++col) {
    text.clear();
    append_text(text, part.cells.subspan(col, 1));
    out.insert(out.end(), text.size(), part.writers != nullptr ? (*part.writers)[col] : event_);
  }
}

void RedactionRows::take(std::size_t begin, std::size_t length,
                         const std::vector<std::uint64_t>& line) {
  const auto first = line.begin() + static_cast<std::ptrdiff_t>(begin);
  std::set<std::uint64_t> writers(first, first + static_cast<std::ptrdiff_t>(length));
  const auto leave_out = [&] {
    std::erase_if(writers, [&](std::uint64_t w) { return w == 0 || masked_.contains(w); });
  };
  leave_out();
  if (writers.empty()) {
    return;  // nothing but what a redactor put there
  }
  if (writers.size() >= k_typed_writers && length / writers.size() <= k_typed_bytes) {
    // Echoed key by key: the whole line, so that the number of events tells no length.
    writers.insert(line.begin(), line.end());
    leave_out();
    ++found_.widened_lines;
  }
  ++found_.matches;
  for (const auto writer : writers) {
    found_.events.insert(writer - 1);
  }
}

// What was carried, then the parts.
bool RedactionRows::search(const Carry& carry, std::span<const Part> parts) {
  bool matched = false;
  text_.assign(carry.text);
  for (const auto& part : parts) {
    append_text(text_, part.cells);
  }
  std::vector<std::uint64_t> writers;
  for (const auto& matcher : query_.matchers) {
    std::size_t from = 0;
    while (const auto match = matcher->find(text_, from)) {
      from = match->offset + std::max<std::size_t>(match->length, 1);
      if (match->length == 0) {
        continue;
      }
      if (writers.empty()) {
        writers = carry.writers;
        for (const auto& part : parts) {
          append_writers(writers, part);
        }
      }
      take(match->offset, match->length, writers);
      matched = true;
    }
  }
  return matched;
}

void RedactionRows::search_line(const Carry& carry, std::span<const Part> parts) {
  const bool before =
      std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.row->matched; });
  const bool matched = search(carry, parts);
  for (const auto& part : parts) {
    part.row->matched = matched;
  }
  // It was there before this event touched the line, and it still is.
  found_.look_again = found_.look_again || (before && matched && !masked_.contains(event_) &&
                                            !found_.events.contains(event_ - 1));
}

void RedactionRows::keep(const Part& part) {
  append_text(carry_.text, part.cells);
  append_writers(carry_.writers, part);
  ++carry_.rows;
}

void RedactionRows::on_row_scrolled_off(std::span<const vt::Cell> cells, bool wrapped,
                                        std::uint64_t row_id) {
  auto& rows = rows_[0];  // only the primary screen lets rows go
  const auto known = rows.find(row_id);
  if (known != rows.end()) {
    update(known->second, cells);
  }
  const bool is_known = known != rows.end();
  const Part part{cells, nullptr, is_known ? &known->second.writers : nullptr};
  if (linear_ && !is_known && carry_.rows == 0) {
    return;
  }
  if (wrapped && carry_.rows + 1 < k_most_rows_of_a_line) {
    keep(part);
  } else {
    static_cast<void>(search(carry_, {&part, 1}));
    carry_ = {};
  }
  if (known != rows.end()) {
    rows.erase(known);
  }
}

void RedactionRows::after_event() {
  ++sweep_;
  const int height = terminal_.size().rows;
  auto& rows = rows_[terminal_.alternate_screen() ? 1 : 0];
  changed_.assign(static_cast<std::size_t>(height), 0);
  parts_.clear();
  for (int r = 0; r < height; ++r) {
    auto& row = rows[terminal_.row_id(r)];
    row.seen = sweep_;
    const auto cells = terminal_.row(r);
    const bool fresh = row.writers.empty();
    if (const auto stamp = terminal_.row_stamp(r);
        row.stamp != stamp || row.glyphs.size() != cells.size()) {
      row.stamp = stamp;
      update(row, cells);
      const bool elsewhere = fresh && linear_;
      changed_[static_cast<std::size_t>(r)] = elsewhere ? 0 : 1;
      row.matched = row.matched || elsewhere;
    }
    parts_.push_back({cells, &row, &row.writers});  // node-based: the address stays
  }
  const auto all = std::span<const Part>(parts_);
  std::size_t begin = 0;
  bool changed = false;
  for (std::size_t r = 0; r < parts_.size(); ++r) {
    changed = changed || changed_[r] != 0;
    const bool goes_on = terminal_.row_wrapped(static_cast<int>(r)) && r + 1 < parts_.size() &&
                         r + 1 - begin < k_most_rows_of_a_line;
    if (goes_on) {
      continue;
    }
    if (changed) {
      // What has scrolled off continues in the first row only.
      search_line(begin == 0 ? carry_ : no_carry_, all.subspan(begin, r + 1 - begin));
    }
    begin = r + 1;
    changed = false;
  }
  if (rows.size() > static_cast<std::size_t>(4 * height)) {
    std::erase_if(rows, [&](const auto& entry) { return entry.second.seen != sweep_; });
  }
}

}  // namespace sworn::player
