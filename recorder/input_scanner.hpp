// SPDX-License-Identifier: Apache-2.0
// Looks at what comes from the keyboard: where a line ends, and which parts a terminal would echo
// as they are. Escape sequences (arrow keys, Alt, mouse) and control characters have no echo of
// their own. A pasted text between the bracketed-paste marks holds no line ends: the program takes
// it as one piece.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sworn::recorder {

struct InputScan {
  struct Run {
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<Run> runs;           // of printable bytes, in order
  std::size_t first_line_end = 0;  // behind the first character that ends a line; 0: there is none
  bool ends_line = false;          // the last byte ends a line
};

class InputScanner {
 public:
  // `whole`: the read was not cut by its buffer, so that no sequence goes on in the next one.
  InputScan scan(ByteView typed, bool whole);

 private:
  void control_sequence(std::byte final);

  enum class State : std::uint8_t { ground, escape, control, one_more };
  State state_ = State::ground;
  bool in_paste_ = false;
  std::array<char, 4> parameter_{};
  std::size_t parameter_size_ = 0;
};

// CR, LF and the characters that end a line or a program in the usual settings: ^C ^D ^Z ^\.
bool is_line_end(std::byte byte);

}  // namespace sworn::recorder
