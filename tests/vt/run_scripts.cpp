// SPDX-License-Identifier: Apache-2.0
// run_scripts KNOWN PATH...: conformance scripts, or directories of *.test and *.vt. 77: there are
// none.
#include "tests/vt/known.hpp"
#include "tests/vt/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> scripts_in(const fs::path& path) {
  std::vector<fs::path> found;
  if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) {
      const auto suffix = entry.path().extension();
      if (suffix == ".test" || suffix == ".vt") {
        found.push_back(entry.path());
      }
    }
    std::sort(found.begin(), found.end());
  } else if (fs::exists(path)) {
    found.push_back(path);
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  sworn::test::KnownDifferences known;
  if (argc < 3 || !known.load(argv[1])) {
    fmt::print(stderr, "usage: run_scripts KNOWN PATH...\n");
    return 2;
  }
  std::size_t files = 0;
  for (int i = 2; i < argc; ++i) {
    const auto scripts = scripts_in(argv[i]);
    if (scripts.empty()) {
      fmt::print(stderr, "SKIPPED: no scripts at {}\n", argv[i]);
    }
    files += scripts.size();
    for (const auto& script : scripts) {
      for (const auto& section : sworn::test::run_script(script.string())) {
        if (section.checks > 0 || !section.failures.empty()) {
          known.report(script.filename().string(), section.name,
                       fmt::format("{}", fmt::join(section.failures, "\n  ")));
        }
      }
    }
  }
  return files == 0 ? 77 : known.finish();
}
