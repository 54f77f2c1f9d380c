// SPDX-License-Identifier: Apache-2.0
#include "tests/vt/known.hpp"

#include "tests/vt/script_text.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <vector>

namespace sworn::test {
namespace {

// "rows 3-5" stands for "row 3", "row 4", "row 5".
std::vector<std::string> expand(const std::string& section) {
  int first = 0;
  int last = 0;
  if (std::sscanf(section.c_str(), "rows %d-%d", &first, &last) !=
      2) {  // NOLINT(cert-err34-c): our own list
    return {section};
  }
  std::vector<std::string> all;
  for (int row = first; row <= last; ++row) {
    all.push_back(fmt::format("row {}", row));
  }
  return all;
}

}  // namespace

bool KnownDifferences::load(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!file) {
    fmt::print(stderr, "{}: cannot be read\n", path);
    return false;
  }
  while (std::getline(file, line)) {
    if (trim(line).empty() || trim(line).starts_with('#')) {
      continue;
    }
    const auto [name, rest] = split_at(line, '|');
    const auto [section, reason] = split_at(rest, '|');
    if (name.empty() || reason.empty()) {
      fmt::print(stderr, "{}: a line without a reason: {}\n", path, line);
      return false;
    }
    for (const auto& one : expand(std::string(section))) {
      const Entry entry = {.reason = std::string(reason)};
      if (!entries_.emplace(fmt::format("{} | {}", name, one), entry).second) {
        fmt::print(stderr, "{}: twice: {}\n", path, line);
        return false;
      }
    }
  }
  return true;
}

void KnownDifferences::report(const std::string& file, const std::string& section,
                              const std::string& failure) {
  const auto entry = entries_.find(fmt::format("{} | {}", file, section));
  const bool listed = entry != entries_.end();
  if (listed) {
    entry->second.seen = true;
    entry->second.fails = entry->second.fails || !failure.empty();
  }
  if (failure.empty()) {
    ++passed_;
  } else if (listed) {
    ++known_;
  } else {
    ++failed_;
    fmt::print(stderr, "FAIL {} | {}\n  {}\n", file, section, failure);
  }
}

int KnownDifferences::finish() const {
  int stale = 0;
  for (const auto& [name, entry] : entries_) {
    if (!entry.fails) {
      ++stale;
      fmt::print(stderr, "FAIL {}: listed as different, but {}\n", name,
                 entry.seen ? "it passes: take it off the list" : "there is no such section");
    }
  }
  fmt::print("{} passed, {} differ on purpose, {} failed, {} listed in vain\n", passed_, known_,
             failed_, stale);
  return failed_ == 0 && stale == 0 && passed_ > 0 ? 0 : 1;
}

}  // namespace sworn::test
