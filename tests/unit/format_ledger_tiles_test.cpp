// SPDX-License-Identifier: Apache-2.0
// Tiles, checked by a reader that has only their specification and Python's library.
#include "format/ledger_tiles.hpp"
#include "tests/support/sample_ledger.hpp"
#include "tests/support/source_dir.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;

namespace {

MemFile file_of(const Bytes& entries) {
  MemFile file;
  file.data() = entries;
  return file;
}

}  // namespace

TEST_CASE("tiles: paths of the specification") {
  CHECK(tile_path(0, 1'234'067, 256) == "tile/0/x001/x234/067");
  CHECK(tile_path(3, 0, 17) == "tile/3/000.p/17");
  CHECK(tile_path(-1, 999, 256) == "tile/entries/999");
  CHECK(tile_path(-1, 1000, 1) == "tile/entries/x001/000.p/1");
}

TEST_CASE("tiles: an independent reader finds the root and every entry") {
  if (std::system("command -v python3 >/dev/null 2>&1") != 0) {
    MESSAGE("SKIPPED: no python3");
    return;
  }
  const test::TempDir dir;
  test::SampleLedger s;
  // Past one full tile, and then past a full one with a partial one behind it.
  for (const std::size_t size : {7UL, 255UL, 256UL, 257UL, 515UL}) {
    CAPTURE(size);
    while (s.ledger->head().size < size) {
      s.add(LedgerView{test::sample_file_id(1), "bob",
                       std::string(s.ledger->head().size % 300, 'x')});
    }
    const std::string note = s.ledger->checkpoint().value();
    const auto exported = export_tiles(file_of(s.entries()), note, dir / "tiles").value();
    CHECK(exported.size == size);
    CHECK(exported.files_written > 0);
    const std::string command = "timeout 60 python3 " SWORN_SOURCE_DIR
                                "/tests/support/read_tiles.py " +
                                (dir / "tiles") + " " + std::to_string(size);
    CHECK(std::system(command.c_str()) == 0);
  }
  // A damaged tile is noticed by that reader.
  std::fstream tile(dir / "tiles/tile/0/000", std::ios::in | std::ios::out | std::ios::binary);
  tile.seekp(100);
  tile.put('!');
  tile.close();
  const std::string command = "timeout 60 python3 " SWORN_SOURCE_DIR
                              "/tests/support/read_tiles.py " +
                              (dir / "tiles") + " 515 2>/dev/null";
  CHECK(std::system(command.c_str()) != 0);
}

TEST_CASE("tiles: a checkpoint of another ledger or of a larger tree is refused") {
  const test::TempDir dir;
  test::SampleLedger s;
  const Bytes before = s.entries();
  const std::string early = s.ledger->checkpoint().value();
  s.add(test::sample_open(5));
  const std::string late = s.ledger->checkpoint().value();
  CHECK(export_tiles(file_of(before), late, dir / "a").error().code == Errc::bad_seal);
  CHECK(export_tiles(file_of(s.entries()), early, dir / "a"));
  Bytes damaged = s.entries();
  damaged[200] ^= std::byte{1};
  CHECK(export_tiles(file_of(damaged), early, dir / "b").error().code == Errc::bad_seal);
  std::string forged = early;
  forged[forged.find('\n') + 1] = '6';
  CHECK(export_tiles(file_of(s.entries()), forged, dir / "b").error().code == Errc::bad_seal);
  CHECK_FALSE(std::filesystem::exists(dir / "b"));
}
