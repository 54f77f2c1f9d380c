// SPDX-License-Identifier: Apache-2.0
// The state of Screen and Interpreter in snapshots. The order of the fields is the format; a change
// needs a new k_emulator_version. The same state gives the same bytes, whatever way led to it.
#include "player/vt/cell_codec.hpp"
#include "player/vt/interpreter.hpp"
#include "player/vt/screen.hpp"
#include "player/vt/width.hpp"

namespace sworn::vt {
namespace {

tl::unexpected<Error> corrupt(const char* what) {
  return fail(Errc::corrupt, what);
}

ByteWriter& put_int(ByteWriter& out, int value) {
  return out.varint(static_cast<std::uint64_t>(value));
}

// 0..limit.
Result<int> get_int(ByteReader& in, int limit) {
  TRY_ASSIGN(const auto value, in.varint());
  if (value > static_cast<std::uint64_t>(limit)) {
    return corrupt("snapshot: a number is out of its range");
  }
  return static_cast<int>(value);
}

Result<bool> get_bool(ByteReader& in) {
  TRY_ASSIGN(const int value, get_int(in, 1));
  return value == 1;
}

Result<std::string> get_text(ByteReader& in, std::size_t limit) {
  TRY_ASSIGN(const auto size, in.varint());
  if (size > limit) {
    return corrupt("snapshot: a text is longer than allowed");
  }
  TRY_ASSIGN(const auto bytes, in.take(size));
  return std::string(as_text(bytes));
}

void save_position(ByteWriter& out, const Position& position) {
  put_int(out, position.row);
  put_int(out, position.col);
  put_int(out, position.pending_wrap ? 1 : 0);
}

Result<Position> load_position(ByteReader& in, TermSize size) {
  Position position;
  TRY_ASSIGN(position.row, get_int(in, size.rows - 1));
  TRY_ASSIGN(position.col, get_int(in, size.cols - 1));
  TRY_ASSIGN(position.pending_wrap, get_bool(in));
  return position;
}

void save_charsets(ByteWriter& out, const CharsetState& charsets) {
  for (const Charset set : charsets.g) {
    out.u8(static_cast<std::uint8_t>(set));
  }
  out.u8(charsets.shifted_in).u8(charsets.single_shift);
}

Result<CharsetState> load_charsets(ByteReader& in) {
  CharsetState charsets;
  for (Charset& set : charsets.g) {
    TRY_ASSIGN(const int number, get_int(in, static_cast<int>(Charset::british)));
    set = static_cast<Charset>(number);
  }
  TRY_ASSIGN(const int shifted_in, get_int(in, 3));
  TRY_ASSIGN(const int single_shift, get_int(in, 3));
  if (single_shift == 1) {
    return corrupt("snapshot: a single shift to G1");
  }
  charsets.shifted_in = static_cast<std::uint8_t>(shifted_in);
  charsets.single_shift = static_cast<std::uint8_t>(single_shift);
  return charsets;
}

void save_tabs(ByteWriter& out, const TabStops& tabs) {
  const bool standard = tabs == TabStops();
  out.u8(standard ? 1 : 0);
  for (int col = 0; !standard && col < k_max_side; col += 8) {
    unsigned byte = 0;
    for (int bit = 0; bit < 8; ++bit) {
      byte |= (tabs.at(col + bit) ? 1U : 0U) << static_cast<unsigned>(bit);
    }
    out.u8(static_cast<std::uint8_t>(byte));
  }
}

Result<TabStops> load_tabs(ByteReader& in) {
  TabStops tabs;
  TRY_ASSIGN(const bool standard, get_bool(in));
  for (int col = 0; !standard && col < k_max_side; col += 8) {
    TRY_ASSIGN(const auto byte, in.u8());
    for (int bit = 0; bit < 8; ++bit) {
      tabs.set(col + bit, ((byte >> static_cast<unsigned>(bit)) & 1U) != 0);
    }
  }
  return tabs;
}

void save_cursor_of(ByteWriter& out, const SavedCursor& saved) {
  save_position(out, saved.position);
  save_style(out, saved.pen);
  save_charsets(out, saved.charsets);
  out.u8(saved.origin ? 1 : 0).u8(saved.set ? 1 : 0);
}

Result<SavedCursor> load_cursor_of(ByteReader& in, TermSize size, const CellContext& context) {
  SavedCursor saved;
  TRY_ASSIGN(saved.position, load_position(in, size));
  TRY_ASSIGN(saved.pen, load_pen(in, context));
  TRY_ASSIGN(saved.charsets, load_charsets(in));
  TRY_ASSIGN(saved.origin, get_bool(in));
  TRY_ASSIGN(saved.set, get_bool(in));
  return saved;
}

Result<LastCharacter> load_last(ByteReader& in) {
  LastCharacter last;
  TRY_ASSIGN(last.count, get_int(in, static_cast<int>(last.points.size())));
  for (int i = 0; i < last.count; ++i) {
    TRY_ASSIGN(const int point, get_int(in, 0x10FFFF));
    last.points.at(static_cast<std::size_t>(i)) = static_cast<char32_t>(point);
    const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    if (control || (point >= 0xD800 && point <= 0xDFFF) || (width_of(last.points[0]) == 0)) {
      return corrupt("snapshot: the last character cannot be one");
    }
  }
  return last;
}

}  // namespace

void Screen::save(ByteWriter& out) const {
  put_int(out, cols());
  put_int(out, rows());
  out.varint(now);
  clusters_.save(out);
  links_.save(out);
  save_grid(out, primary_);
  save_grid(out, alternate_);
  out.u8(on_alternate_ ? 1 : 0);
  save_position(out, position_);
  save_style(out, pen);
  save_charsets(out, charsets_);
  out.varint(modes_.bits());
  for (const int edge :
       {margins_.top, margins_.bottom, margins_.left, margins_.right, cursor_shape}) {
    put_int(out, edge);
  }
  save_tabs(out, tabs_);
  save_cursor_of(out, saved_[0]);
  save_cursor_of(out, saved_[1]);
  put_int(out, last_.count);
  for (int i = 0; i < last_.count; ++i) {
    out.varint(last_.points.at(static_cast<std::size_t>(i)));
  }
}

Result<void> Screen::load(ByteReader& in) {
  TRY_ASSIGN(const int cols, get_int(in, k_max_side));
  TRY_ASSIGN(const int rows, get_int(in, k_max_side));
  const TermSize size = {.cols = static_cast<std::uint16_t>(cols),
                         .rows = static_cast<std::uint16_t>(rows)};
  if (clamp_size(size) != size || in.left() < 2 * static_cast<std::size_t>(rows)) {
    return corrupt("snapshot: a screen of an impossible size");
  }
  TRY_ASSIGN(now, in.varint());
  TRY(clusters_.load(in));
  TRY(links_.load(in));
  TRY(check_clusters(clusters_));
  const CellContext context = {.clusters = clusters_, .links = links_, .now = now};
  primary_ = Grid(size, k_recall_rows);
  alternate_ = Grid(size, 0);
  TRY(load_grid(in, primary_, k_recall_rows, context));
  TRY(load_grid(in, alternate_, 0, context));
  TRY_ASSIGN(on_alternate_, get_bool(in));
  TRY_ASSIGN(position_, load_position(in, size));
  TRY_ASSIGN(pen, load_pen(in, context));
  TRY_ASSIGN(charsets_, load_charsets(in));
  TRY_ASSIGN(const int modes, get_int(in, (1 << k_mode_count) - 1));
  modes_ = Modes::of(static_cast<std::uint32_t>(modes));
  TRY_ASSIGN(margins_.top, get_int(in, rows));
  TRY_ASSIGN(margins_.bottom, get_int(in, rows));
  TRY_ASSIGN(margins_.left, get_int(in, cols));
  TRY_ASSIGN(margins_.right, get_int(in, cols));
  TRY_ASSIGN(cursor_shape, get_int(in, 6));
  if (margins_.top >= margins_.bottom || margins_.left >= margins_.right) {
    return corrupt("snapshot: margins that enclose nothing");
  }
  TRY_ASSIGN(tabs_, load_tabs(in));
  TRY_ASSIGN(saved_[0], load_cursor_of(in, size, context));
  TRY_ASSIGN(saved_[1], load_cursor_of(in, size, context));
  TRY_ASSIGN(last_, load_last(in));
  return {};
}

void Interpreter::save(ByteWriter& out) const {
  out.varint(title_.size()).bytes(as_bytes(title_)).varint(title_stack_.size());
  for (const auto& title : title_stack_) {
    out.varint(title.size()).bytes(as_bytes(title));
  }
  out.varint(saved_mode_bits_).varint(saved_mode_mask_);
  screen.save(out);
}

Result<void> Interpreter::load(ByteReader& in) {
  constexpr int k_all_modes = (1 << (k_mode_count + 1)) - 1;
  TRY_ASSIGN(title_, get_text(in, k_title_bytes));
  TRY_ASSIGN(const int titles, get_int(in, static_cast<int>(k_title_stack)));
  title_stack_.clear();
  for (int i = 0; i < titles; ++i) {
    TRY_ASSIGN(auto title, get_text(in, k_title_bytes));
    title_stack_.push_back(std::move(title));
  }
  TRY_ASSIGN(const int bits, get_int(in, k_all_modes));
  TRY_ASSIGN(const int mask, get_int(in, k_all_modes));
  saved_mode_bits_ = static_cast<std::uint32_t>(bits);
  saved_mode_mask_ = static_cast<std::uint32_t>(mask);
  return screen.load(in);
}

}  // namespace sworn::vt
