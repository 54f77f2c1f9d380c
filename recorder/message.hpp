// SPDX-License-Identifier: Apache-2.0
// Our own diagnostics have three parts: what happened, why, and what to do about it.
#pragma once

#include <string>

namespace sworn::recorder {

struct Message {
  std::string what;
  std::string why;     // may be empty
  std::string remedy;  // may be empty
};

// "sworn WHAT\n  why:  ...\n  do:   ...\n". Untrusted parts must have gone through printable()
// already.
std::string to_text(const Message& message);

// The same for a terminal in raw mode: with carriage returns.
std::string for_raw_terminal(const std::string& text);

// To standard error, as far as it takes it; never fails, never blocks for more than a second.
void complain(const Message& message);

}  // namespace sworn::recorder
