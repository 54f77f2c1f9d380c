// SPDX-License-Identifier: Apache-2.0
// run_xtermjs KNOWN DIRECTORY: pairs NAME.in and NAME.text, the 80x25 screen that the bytes must
// give. The .in files are text with bare line feeds as a tty with onlcr would send them. 77: there
// are no pairs.
#include "player/vt/terminal.hpp"
#include "tests/vt/known.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace {

namespace fs = std::filesystem;
constexpr sworn::TermSize k_size = {.cols = 80, .rows = 25};

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string as_tty(const std::string& text) {
  std::string sent;
  for (const char c : text) {
    sent += c == '\n' ? "\r\n" : std::string(1, c);
  }
  return sent;
}

// Trailing blanks are no part of a picture.
std::vector<std::string> rows_of(const std::string& text) {
  std::vector<std::string> rows;
  std::istringstream lines(text);
  for (std::string line; rows.size() < k_size.rows && std::getline(lines, line);) {
    line.erase(line.find_last_not_of(" \r") + 1);
    rows.push_back(line);
  }
  rows.resize(k_size.rows);
  return rows;
}

void compare(const fs::path& in, sworn::test::KnownDifferences& known) {
  sworn::vt::Terminal terminal(k_size);
  terminal.feed(sworn::as_bytes(as_tty(read_all(in))));
  const auto wanted = rows_of(read_all(fs::path(in).replace_extension(".text")));
  const auto name = in.filename().string();
  bool same = true;
  for (int row = 0; row < k_size.rows; ++row) {
    const auto got = terminal.row_text(row);
    const auto& line = wanted[static_cast<std::size_t>(row)];
    if (got != line) {
      same = false;
      known.report(name, fmt::format("row {}", row), fmt::format("\"{}\", not \"{}\"", got, line));
    }
  }
  if (same) {
    known.report(name, "", "");
  }
}

}  // namespace

int main(int argc, char** argv) {
  sworn::test::KnownDifferences known;
  if (argc != 3 || !known.load(argv[1])) {
    fmt::print(stderr, "usage: run_xtermjs KNOWN DIRECTORY\n");
    return 2;
  }
  std::vector<fs::path> inputs;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(argv[2], none)) {
    if (entry.path().extension() == ".in") {
      inputs.push_back(entry.path());
    }
  }
  if (inputs.empty()) {
    fmt::print(stderr, "SKIPPED: no pairs at {}\n", argv[2]);
    return 77;
  }
  std::sort(inputs.begin(), inputs.end());
  for (const auto& in : inputs) {
    compare(in, known);
  }
  return known.finish();
}
