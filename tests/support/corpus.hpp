// SPDX-License-Identifier: Apache-2.0
// Where the test data of others lies: $SWORN_CORPUS, else ../shared/corpus beside the source tree.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace sworn::test {

// "" where it is absent: the test says so with MESSAGE("SKIPPED: ...") and returns.
inline std::string corpus_dir(const std::string& name) {
  const char* given = std::getenv("SWORN_CORPUS");
  const std::string root = given != nullptr && *given != '\0'
                               ? given
                               : std::string(SWORN_SOURCE_DIR "/../shared/corpus");
  std::error_code ignored;
  const auto path = std::filesystem::path(root) / name;
  return std::filesystem::is_directory(path, ignored) ? path.string() : std::string();
}

}  // namespace sworn::test
