// SPDX-License-Identifier: Apache-2.0
// Where we differ from a corpus on purpose: lines "file | section | reason". A difference that is
// not listed is a failure, and so is a listed one that has gone, so that the list stays true.
#pragma once

#include <map>
#include <string>

namespace sworn::test {

class KnownDifferences {
 public:
  // Complains on stderr and returns false when the list cannot be read or a line has no reason.
  bool load(const std::string& path);

  // Prints what is wrong. `section` may be empty.
  void report(const std::string& file, const std::string& section, const std::string& failure);

  // Prints listed differences that did not show up and the summary; the exit status of the program.
  [[nodiscard]] int finish() const;

 private:
  struct Entry {
    std::string reason{};
    bool seen = false;   // such a section exists
    bool fails = false;  // and still differs
  };
  std::map<std::string, Entry> entries_;
  int passed_ = 0;
  int known_ = 0;
  int failed_ = 0;
};

}  // namespace sworn::test
