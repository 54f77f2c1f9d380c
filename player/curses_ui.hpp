// SPDX-License-Identifier: Apache-2.0
// The terminal of the viewer. Only curses_ui.cpp knows ncurses. One object at a time per process,
// because signal handlers have to find it; the destructor, fatal signals and crashes restore the
// terminal.
#pragma once

#include "base/result.hpp"
#include "player/view.hpp"

#include <memory>

namespace sworn::player {

struct CursesOptions {
  bool colours = true;  // false where NO_COLOR is set
  bool test_sync =
      false;  // after each update print ESC ] 7777 ; n BEL, so that a test need not sleep
};

// Sets the locale of the process. Errc::bad_usage with what to do where there is no usable
// terminal.
Result<std::unique_ptr<UserInterface>> open_curses_ui(const CursesOptions& options);

// The locale can show more than ASCII: to be asked after open_curses_ui().
bool locale_is_utf8();

}  // namespace sworn::player
