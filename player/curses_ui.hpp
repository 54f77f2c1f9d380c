// SPDX-License-Identifier: Apache-2.0
// The terminal of the viewer. Only curses_*.cpp know ncurses. One object at a time per process,
// because signal handlers have to find it; the destructor, fatal signals and crashes restore the
// terminal.
#pragma once

#include "base/result.hpp"
#include "player/view.hpp"

#include <memory>

namespace sworn::player {

struct CursesOptions {
  bool colours = true;  // false where NO_COLOR is set
  // After each update print ESC ] 7777 ; UPDATES ; KEYS BEL: so many updates were made and so many
  // keys taken in. A test need not sleep then.
  bool test_sync = false;
};

// Sets the locale of the process. Errc::bad_usage with what to do where there is no usable
// terminal.
Result<std::unique_ptr<UserInterface>> open_curses_ui(const CursesOptions& options);

// The locale can show more than ASCII: to be asked after open_curses_ui().
bool locale_is_utf8();

}  // namespace sworn::player
