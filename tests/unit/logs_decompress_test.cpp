// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/decompress.hpp"
#include "audit/logs/line_reader.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <string>

using namespace sworn;
using namespace sworn::audit::logs;

namespace {

struct Packed {
  test::TempDir dir;
  std::string plain;
  explicit Packed() {
    for (int i = 0; i < 20'000; ++i) {
      plain += "line " + std::to_string(i) + "\n";
    }
    std::ofstream(dir / "log") << plain;
  }
  // False where the tool is not installed.
  [[nodiscard]] bool pack(const std::string& tool, const std::string& suffix) const {
    const auto command =
        tool + " -c < " + (dir / "log") + " > " + (dir / "packed") + suffix + " 2>/dev/null";
    return std::system(command.c_str()) == 0;
  }
  [[nodiscard]] std::string bytes(const std::string& name) const {
    std::ifstream in(dir / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

Result<std::string> read_all(const std::string& path) {
  TRY_ASSIGN(auto stream, open_byte_stream(path));
  std::string out;
  std::vector<std::byte> buffer(1'000);
  while (true) {
    TRY_ASSIGN(const auto n, stream->read(buffer));
    if (n == 0) {
      return out;
    }
    out += as_text(std::span(buffer).first(n));
  }
}

}  // namespace

TEST_CASE("decompress: every kind gives the same bytes") {
  Packed packed;
  CHECK(read_all(packed.dir / "log") == packed.plain);
  for (const auto* tool : {"gzip", "zstd", "xz"}) {
    CAPTURE(tool);
    if (!packed.pack(tool, "")) {
      MESSAGE("skipped: no ", tool);
      continue;
    }
    CHECK(read_all(packed.dir / "packed") == packed.plain);
    const auto whole = packed.bytes("packed");
    // Two rotated files put together.
    std::ofstream(packed.dir / "twice", std::ios::binary) << whole << whole;
    CHECK(read_all(packed.dir / "twice") == packed.plain + packed.plain);
    // Broken off: an error, never a short success.
    for (const std::size_t cut : {whole.size() / 2, whole.size() - 1}) {
      std::ofstream(packed.dir / "cut", std::ios::binary) << whole.substr(0, cut);
      const auto got = read_all(packed.dir / "cut");
      REQUIRE_FALSE(got);
      CHECK(got.error().code == Errc::truncated);
    }
    auto damaged = whole;
    for (std::size_t i = 20; i < 60; ++i) {
      damaged[i] = static_cast<char>(~damaged[i]);
    }
    std::ofstream(packed.dir / "damaged", std::ios::binary) << damaged;
    CHECK_FALSE(read_all(packed.dir / "damaged"));
  }
}

TEST_CASE("decompress: what cannot be read says so") {
  test::TempDir dir;
  CHECK(open_byte_stream(dir.path()).error().code == Errc::bad_usage);
  CHECK(open_byte_stream(dir / "none").error().sys == ENOENT);
  std::ofstream(dir / "empty");
  CHECK(read_all(dir / "empty") == "");
  std::ofstream(dir / "short") << "\x1f";
  CHECK(read_all(dir / "short") == "\x1f");
}

TEST_CASE("line reader: lines of a packed file") {
  Packed packed;
  if (!packed.pack("gzip", "")) {
    MESSAGE("skipped: no gzip");
    return;
  }
  auto stream = open_byte_stream(packed.dir / "packed");
  REQUIRE(stream);
  LineReader reader(std::move(*stream));
  std::uint64_t n = 0;
  while (true) {
    const auto line = reader.next();
    REQUIRE(line);
    if (!*line) {
      break;
    }
    CHECK((*line)->text == "line " + std::to_string(n));
    CHECK((*line)->number == ++n);
  }
  CHECK(n == 20'000);
  CHECK(reader.bytes_read() == packed.plain.size());
}
