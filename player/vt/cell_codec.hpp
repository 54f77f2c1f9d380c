// SPDX-License-Identifier: Apache-2.0
// Cells and grids in snapshots: runs of text in one style, runs of one cell. The reader takes
// hostile bytes and gives only cells that the emulator itself could have made.
#pragma once

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "player/vt/grid.hpp"
#include "player/vt/intern.hpp"
#include "player/vt/terminal.hpp"

#include <cstdint>
#include <span>

namespace sworn::vt {

// For reading: which clusters and links exist, and the newest stamp.
struct CellContext {
  const InternTable& clusters;
  const InternTable& links;
  std::uint64_t now = 0;
};

void save_style(ByteWriter& out, const Cell& cell);  // all but the glyph
Result<Cell> load_style(ByteReader& in, const CellContext& context);
// A style without the marks of wide characters.
Result<Cell> load_pen(ByteReader& in, const CellContext& context);

void save_grid(ByteWriter& out, const Grid& grid);
// `grid` is new, of the right size and with `recall_limit` rows to recall.
Result<void> load_grid(ByteReader& in, Grid& grid, int recall_limit, const CellContext& context);

// Every cluster is 2..k_cluster_length printable code points in UTF-8.
Result<void> check_clusters(const InternTable& clusters);

}  // namespace sworn::vt
