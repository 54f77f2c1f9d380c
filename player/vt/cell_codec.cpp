// SPDX-License-Identifier: Apache-2.0
#include "player/vt/cell_codec.hpp"

#include "player/vt/screen.hpp"
#include "player/vt/utf8.hpp"

#include <algorithm>

namespace sworn::vt {
namespace {

// Written to snapshots: never renumber. The low two bits of a run's first number; the rest is its
// length.
enum class Run : std::uint8_t { style = 0, text = 1, repeat = 2 };
constexpr std::uint8_t k_row_wrapped = 1;
constexpr std::uint8_t k_row_default_rest = 2;  // behind the runs the row is blank
constexpr std::uint8_t k_row_full = 4;          // the runs reach the end
constexpr std::uint16_t k_halves = k_wide | k_continuation;
constexpr std::size_t k_worth_repeating = 4;

tl::unexpected<Error> corrupt(const char* what) {
  return fail(Errc::corrupt, what);
}

bool same_style(const Cell& a, const Cell& b) {
  return a.fg == b.fg && a.bg == b.bg && a.attributes == b.attributes && a.link == b.link;
}

void put_run(ByteWriter& out, Run kind, std::size_t length) {
  out.varint((std::uint64_t{length} << 2U) | static_cast<std::uint64_t>(kind));
}

std::size_t repeats(std::span<const Cell> cells) {
  const auto differs = [&](const Cell& cell) { return cell != cells.front(); };
  return static_cast<std::size_t>(std::find_if(cells.begin(), cells.end(), differs) -
                                  cells.begin());
}

void save_cells(ByteWriter& out, std::span<const Cell> cells) {
  Cell style;
  while (!cells.empty()) {
    if (!same_style(style, cells.front())) {
      style = cells.front();
      put_run(out, Run::style, 0);
      save_style(out, style);
    }
    const std::size_t same = repeats(cells);
    if (same >= k_worth_repeating) {
      put_run(out, Run::repeat, same);
      out.varint(cells.front().glyph);
      cells = cells.subspan(same);
      continue;
    }
    std::size_t length = 0;
    while (length < cells.size() && same_style(style, cells[length]) &&
           repeats(cells.subspan(length, std::min(cells.size() - length, k_worth_repeating))) <
               k_worth_repeating) {
      ++length;
    }
    put_run(out, Run::text, length);
    for (const Cell& cell : cells.first(length)) {
      out.varint(cell.glyph);
    }
    cells = cells.subspan(length);
  }
}

// How many cells have to be written; the others equal `rest`.
std::size_t written_part(std::span<const Cell> stored, int cols, const Cell& fill, Cell& rest) {
  const bool all_stored = stored.size() == static_cast<std::size_t>(cols);
  rest = all_stored ? stored.back() : fill;
  if ((rest.attributes & k_halves) != 0) {
    rest = Cell();
    return stored.size();
  }
  const auto end =
      std::find_if(stored.rbegin(), stored.rend(), [&](const Cell& c) { return c != rest; });
  return static_cast<std::size_t>(stored.rend() - end);
}

bool valid_color(std::uint64_t packed) {
  const auto value = packed & 0xFFFFFFU;
  switch (packed >> 24U) {
    case static_cast<std::uint64_t>(ColorKind::none):
      return value == 0;
    case static_cast<std::uint64_t>(ColorKind::palette):
      return value <= 255;
    case static_cast<std::uint64_t>(ColorKind::rgb):
      return true;
    default:
      return false;
  }
}

bool printable(std::uint64_t c) {
  return c >= 0x20 && (c < 0x7F || c >= 0xA0) && c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
}

Result<std::uint32_t> load_glyph(ByteReader& in, const CellContext& context) {
  TRY_ASSIGN(const auto glyph, in.varint());
  const bool cluster =
      glyph >= Screen::k_first_cluster && glyph - Screen::k_first_cluster < k_clusters &&
      context.clusters.valid(static_cast<std::uint32_t>(glyph) - Screen::k_first_cluster);
  if (glyph != 0 && !printable(glyph) && !cluster) {
    return corrupt("snapshot: a cell shows what cannot be shown");
  }
  return static_cast<std::uint32_t>(glyph);
}

Result<void> load_cells(ByteReader& in, std::span<Cell> cells, const CellContext& context) {
  Cell style;
  while (!cells.empty()) {
    TRY_ASSIGN(const auto head, in.varint());
    const std::uint64_t length = head >> 2U;
    if ((head & 3U) == static_cast<std::uint64_t>(Run::style) && length == 0) {
      TRY_ASSIGN(style, load_style(in, context));
      continue;
    }
    if (length == 0 || length > cells.size()) {
      return corrupt("snapshot: a run of cells does not fit its row");
    }
    if ((head & 3U) == static_cast<std::uint64_t>(Run::repeat)) {
      TRY_ASSIGN(style.glyph, load_glyph(in, context));
      std::fill_n(cells.begin(), length, style);
    } else if ((head & 3U) == static_cast<std::uint64_t>(Run::text)) {
      for (Cell& cell : cells.first(length)) {
        TRY_ASSIGN(style.glyph, load_glyph(in, context));
        cell = style;
      }
    } else {
      return corrupt("snapshot: an unknown kind of run");
    }
    cells = cells.subspan(length);
  }
  return {};
}

Result<void> check_wide(std::span<const Cell> cells) {
  bool open = false;  // the cell before was a first half
  for (const Cell& cell : cells) {
    const std::uint16_t half = cell.attributes & k_halves;
    if (half == k_halves || open != (half == k_continuation) ||
        (half == k_continuation && cell.glyph != 0)) {
      return corrupt("snapshot: half of a wide character");
    }
    open = half == k_wide;
  }
  return open ? Result<void>(corrupt("snapshot: half of a wide character")) : Result<void>();
}

struct RowKeys {
  std::uint64_t id = 0;
  std::uint64_t stamp = 0;
};

std::int64_t difference(std::uint64_t now, std::uint64_t before) {
  return static_cast<std::int64_t>(now - before);
}

void save_row(ByteWriter& out, const Grid& grid, int number, RowKeys& before) {
  const RowInfo& info = grid.stored_info(number);
  const auto stored = grid.stored_cells(number);
  Cell rest;
  const std::size_t part = written_part(stored, grid.cols(), info.fill, rest);
  const bool full = part == static_cast<std::size_t>(grid.cols());
  const bool blank = rest == Cell();
  out.u8(static_cast<std::uint8_t>((info.wrapped ? k_row_wrapped : 0) | (full ? k_row_full : 0) |
                                   (!full && blank ? k_row_default_rest : 0)));
  out.zigzag(difference(info.id, before.id)).zigzag(difference(info.stamp, before.stamp));
  before = {.id = info.id, .stamp = info.stamp};
  if (!full) {
    out.varint(part);
  }
  save_cells(out, stored.first(part));
  if (!full && !blank) {
    save_style(out, rest);
    out.varint(rest.glyph);
  }
}

Result<void> load_row(ByteReader& in, Grid& grid, int number, RowKeys& before,
                      const CellContext& context) {
  TRY_ASSIGN(const auto flags, in.u8());
  TRY_ASSIGN(const auto id, in.zigzag());
  TRY_ASSIGN(const auto stamp, in.zigzag());
  before.id += static_cast<std::uint64_t>(id);
  before.stamp += static_cast<std::uint64_t>(stamp);
  std::uint64_t part = static_cast<std::uint64_t>(grid.cols());
  if ((flags & k_row_full) == 0) {
    TRY_ASSIGN(part, in.varint());
  }
  if (flags > 7 || part > static_cast<std::uint64_t>(grid.cols()) || before.id >= grid.next_id() ||
      before.stamp > context.now) {
    return corrupt("snapshot: a row contradicts the screen it is on");
  }
  RowInfo info = {.id = before.id,
                  .stamp = before.stamp,
                  .used = static_cast<int>(part),
                  .wrapped = (flags & k_row_wrapped) != 0};
  const std::span<Cell> cells(grid.restore_row(number, info), part);
  TRY(load_cells(in, cells, context));
  TRY(check_wide(cells));
  if ((flags & (k_row_full | k_row_default_rest)) == 0) {
    TRY_ASSIGN(info.fill, load_pen(in, context));
    TRY_ASSIGN(info.fill.glyph, load_glyph(in, context));
    (void)grid.restore_row(number, info);
  }
  return {};
}

}  // namespace

void save_style(ByteWriter& out, const Cell& cell) {
  out.varint(cell.fg.packed).varint(cell.bg.packed).varint(cell.attributes).varint(cell.link);
}

Result<Cell> load_style(ByteReader& in, const CellContext& context) {
  constexpr std::uint64_t k_known = (std::uint64_t{k_continuation} << 1U) - 1;
  TRY_ASSIGN(const auto fg, in.varint());
  TRY_ASSIGN(const auto bg, in.varint());
  TRY_ASSIGN(const auto attributes, in.varint());
  TRY_ASSIGN(const auto link, in.varint());
  const auto underline = (attributes & k_underline_mask) >> k_underline_shift;
  if (!valid_color(fg) || !valid_color(bg) || attributes > k_known ||
      underline > static_cast<std::uint64_t>(Underline::dashed)) {
    return corrupt("snapshot: a style that does not exist");
  }
  if (link > k_links || (link != 0 && !context.links.valid(static_cast<std::uint32_t>(link) - 1))) {
    return corrupt("snapshot: a link that does not exist");
  }
  return Cell{.glyph = 0,
              .fg = {.packed = static_cast<std::uint32_t>(fg)},
              .bg = {.packed = static_cast<std::uint32_t>(bg)},
              .attributes = static_cast<std::uint16_t>(attributes),
              .link = static_cast<std::uint16_t>(link)};
}

Result<Cell> load_pen(ByteReader& in, const CellContext& context) {
  TRY_ASSIGN(const auto pen, load_style(in, context));
  if ((pen.attributes & k_halves) != 0) {
    return corrupt("snapshot: half of a wide character");
  }
  return pen;
}

void save_grid(ByteWriter& out, const Grid& grid) {
  out.varint(static_cast<std::uint64_t>(grid.recallable())).varint(grid.next_id());
  RowKeys before;
  for (int number = 0; number < grid.stored_rows(); ++number) {
    save_row(out, grid, number, before);
  }
}

Result<void> load_grid(ByteReader& in, Grid& grid, int recall_limit, const CellContext& context) {
  TRY_ASSIGN(const auto recallable, in.varint());
  TRY_ASSIGN(const auto next_id, in.varint());
  if (recallable > static_cast<std::uint64_t>(recall_limit)) {
    return corrupt("snapshot: more rows to recall than are kept");
  }
  grid.restore_shape(static_cast<int>(recallable), next_id);
  RowKeys before;
  for (int number = 0; number < grid.stored_rows(); ++number) {
    TRY(load_row(in, grid, number, before, context));
  }
  return {};
}

Result<void> check_clusters(const InternTable& clusters) {
  for (std::uint32_t slot = 0; slot < clusters.slots(); ++slot) {
    Utf8Decoder decoder;
    std::size_t points = 0;
    for (const char c : clusters.value(slot)) {
      const auto byte = static_cast<std::uint8_t>(c);
      const bool ascii = byte < 0x80 && !decoder.pending();
      const Utf8Step step = ascii ? Utf8Step::done : decoder.step(byte);
      if (step == Utf8Step::done) {
        ++points;
      }
      if (step == Utf8Step::invalid || step == Utf8Step::broken ||
          (step == Utf8Step::done && !printable(ascii ? byte : decoder.value()))) {
        return corrupt("snapshot: a cluster is not printable UTF-8");
      }
    }
    if (decoder.pending() || points > k_cluster_length || (points < 2 && clusters.valid(slot))) {
      return corrupt("snapshot: a cluster of the wrong length");
    }
  }
  return {};
}

}  // namespace sworn::vt
