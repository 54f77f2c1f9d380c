// SPDX-License-Identifier: Apache-2.0
// Test data by others: $SWORN_CORPUS, else ../shared/corpus beside the source tree.
#pragma once

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

inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> out;
  std::ifstream in(path, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    out.push_back(line);
  }
  return out;
}

}  // namespace sworn::test
