// SPDX-License-Identifier: Apache-2.0
// Test data by others: $SWORN_CORPUS, else ../shared/corpus beside the source tree.
#pragma once

#include "tests/support/source_dir.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sworn::test {

inline std::filesystem::path corpus() {
  const char* set = std::getenv("SWORN_CORPUS");
  return set != nullptr ? std::filesystem::path(set)
                        : std::filesystem::path(SWORN_SOURCE_DIR) / ".." / "shared" / "corpus";
}

// One folder of it; empty where it is absent: the test says so and skips.
inline std::string corpus_dir(const std::string& name) {
  const auto path = corpus() / name;
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored) ? path.string() : std::string();
}

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> out;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

}  // namespace sworn::test
