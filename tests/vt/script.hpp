// SPDX-License-Identifier: Apache-2.0
// Runs conformance scripts in the format of libvterm's tests on the emulator: PUSH "bytes", RESIZE
// rows,cols, RESET, and expectations on what can then be seen. A script is cut into sections by
// lines "!name"; a section holds when each of its expectations does. Expectations on callbacks that
// a replayer does not have (damage, scrollrect, output ...) say nothing about the picture and are
// passed over; `putglyph` is checked in the cells.
#pragma once

#include <string>
#include <vector>

namespace sworn::test {

struct SectionResult {
  std::string name;
  int checks = 0;                       // expectations that were looked at
  std::vector<std::string> failures{};  // "line 12: ..."
};

// A command or an expectation that nobody knows is a failure of its section.
std::vector<SectionResult> run_script(const std::string& path);

}  // namespace sworn::test
