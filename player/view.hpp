// SPDX-License-Identifier: Apache-2.0
// The seam between the player and whatever shows it. The model knows this header; only curses_*.cpp
// know ncurses. Implementations belong to one thread and restore the terminal in
// their destructor.
#pragma once

#include "base/term_size.hpp"
#include "player/frame.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sworn::player {

enum class KeyCode : std::uint8_t {
  character,
  up,
  down,
  left,
  right,
  home,
  end,
  page_up,
  page_down,
  backspace,
  delete_forward,
  enter,
  escape,
  tab,
  back_tab,
  f1,
  f2,
  f5,
  click,  // mouse: row and col say where
  wheel_up,
  wheel_down,
};

struct Key {
  KeyCode code = KeyCode::character;
  char32_t c = 0;  // with KeyCode::character
  bool shift = false;
  bool alt = false;
  bool ctrl = false;
  int row = 0;  // of a mouse event
  int col = 0;
};

// "Shift+Left", "Ctrl+O", "Space": for the help and the documentation.
std::string name_of(const Key& key);

enum class Wake : std::uint8_t { key, resized, timeout, notified, stop };

class UserInterface {
 public:
  virtual ~UserInterface() = default;
  [[nodiscard]] virtual TermSize size() const = 0;
  // False where the terminal cannot take a frame now: draw again soon.
  virtual bool draw(const Frame& frame) = 0;
  // Waits for something to happen, at most `timeout_us` (negative: for ever). Wake::key: take it
  // with key(). Wake::stop: the terminal is gone or a signal asks to end.
  virtual Wake wait(std::int64_t timeout_us) = 0;
  virtual std::optional<Key> key() = 0;
  // From any thread: makes wait() return Wake::notified.
  virtual void notify() = 0;
  // Mouse reports on or off, where there is a mouse.
  virtual void set_mouse(bool on) = 0;
};

}  // namespace sworn::player
