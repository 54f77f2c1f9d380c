// SPDX-License-Identifier: Apache-2.0
// Exports a ledger as C2SP tlog-tiles: static files that public witnesses, monitors and proof tools
// read. docs/ledger.md, "Tiles".
//   DIR/checkpoint   DIR/tile/<L>/<N>[.p/<W>]   DIR/tile/entries/<N>[.p/<W>]
#pragma once

#include "base/file.hpp"
#include "base/result.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::format {

// "tile/0/x001/x234/067", with ".p/W" for a partial tile of `width` < 256. level -1: entries.
std::string tile_path(int level, std::uint64_t index, std::uint32_t width);

struct TileExport {
  std::uint64_t size = 0;
  Digest root{};
  std::uint64_t files_written = 0;  // full tiles that were there already are left alone
};

// Writes the tiles of the tree that `checkpoint` (a signed note by the ledger's own key) names,
// then the checkpoint, each in one step. Errc::bad_seal where the ledger does not hold, or not with
// the root that the checkpoint states.
Result<TileExport> export_tiles(const ReadFile& entries, std::string_view checkpoint,
                                const std::string& directory);

}  // namespace sworn::format
