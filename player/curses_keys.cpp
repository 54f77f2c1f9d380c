// SPDX-License-Identifier: Apache-2.0
#include "player/curses_keys.hpp"

#include <fmt/format.h>

#include <array>

#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <curses.h>

namespace sworn::player {
namespace {

// Codes of our own for arrows with modifiers, which terminfo names differently everywhere.
constexpr int k_modified_base = 0x2000;
enum Modifier : int { mod_shift = 2, mod_alt = 3, mod_ctrl = 5 };

std::optional<Key> mouse_key() {
  MEVENT event{};
  if (::getmouse(&event) != OK) {
    return std::nullopt;
  }
  Key key;
  key.row = event.y;
  key.col = event.x;
  if ((event.bstate & BUTTON1_PRESSED) != 0) {
    key.code = KeyCode::click;
  } else if ((event.bstate & BUTTON4_PRESSED) != 0) {
    key.code = KeyCode::wheel_up;
  } else if ((event.bstate & BUTTON5_PRESSED) != 0) {
    key.code = KeyCode::wheel_down;
  } else {
    return std::nullopt;
  }
  return key;
}

std::optional<Key> key_of_code(wint_t code) {
  const auto plain = [](KeyCode which, bool shift = false) {
    Key key;
    key.code = which;
    key.shift = shift;
    return key;
  };
  const int modified = static_cast<int>(code) - k_modified_base;
  if (modified >= mod_shift * 4 && modified < (mod_ctrl + 1) * 4) {
    constexpr std::array<KeyCode, 4> k_arrows{KeyCode::up, KeyCode::down, KeyCode::right,
                                              KeyCode::left};
    auto key = plain(k_arrows[static_cast<std::size_t>(modified % 4)]);
    key.shift = modified / 4 == mod_shift;
    key.alt = modified / 4 == mod_alt;
    key.ctrl = modified / 4 == mod_ctrl;
    return key;
  }
  switch (code) {
    case KEY_UP:
      return plain(KeyCode::up);
    case KEY_DOWN:
      return plain(KeyCode::down);
    case KEY_LEFT:
      return plain(KeyCode::left);
    case KEY_RIGHT:
      return plain(KeyCode::right);
    case KEY_SLEFT:
      return plain(KeyCode::left, true);
    case KEY_SRIGHT:
      return plain(KeyCode::right, true);
    case KEY_SR:
      return plain(KeyCode::up, true);
    case KEY_SF:
      return plain(KeyCode::down, true);
    case KEY_HOME:
      return plain(KeyCode::home);
    case KEY_END:
      return plain(KeyCode::end);
    case KEY_PPAGE:
      return plain(KeyCode::page_up);
    case KEY_NPAGE:
      return plain(KeyCode::page_down);
    case KEY_BACKSPACE:
      return plain(KeyCode::backspace);
    case KEY_DC:
      return plain(KeyCode::delete_forward);
    case KEY_ENTER:
      return plain(KeyCode::enter);
    case KEY_BTAB:
      return plain(KeyCode::back_tab);
    case KEY_F(1):
      return plain(KeyCode::f1);
    case KEY_F(2):
      return plain(KeyCode::f2);
    case KEY_F(5):
      return plain(KeyCode::f5);
    case KEY_MOUSE:
      return mouse_key();
    default:
      return std::nullopt;
  }
}

std::optional<Key> key_of_char(wint_t c) {
  Key key;
  switch (c) {
    case 9:
      key.code = KeyCode::tab;
      return key;
    case 10:
    case 13:
      key.code = KeyCode::enter;
      return key;
    case 8:
    case 127:
      key.code = KeyCode::backspace;
      return key;
    case 27: {
      wint_t next = 0;
      const int rc = ::wget_wch(stdscr, &next);
      if (rc == ERR) {
        key.code = KeyCode::escape;
        return key;
      }
      auto follower = rc == KEY_CODE_YES ? key_of_code(next) : key_of_char(next);
      if (follower) {
        follower->alt = true;
      }
      return follower;
    }
    default:
      break;
  }
  if (c < 32) {
    key.ctrl = true;
    key.c = static_cast<char32_t>(c + 64);
    return key;
  }
  key.c = static_cast<char32_t>(c);
  return key;
}

}  // namespace

void define_modified_keys() {
  constexpr std::array<char, 4> k_finals{'A', 'B', 'C', 'D'};
  for (const int modifier : {mod_shift, mod_alt, mod_ctrl}) {
    for (std::size_t i = 0; i < k_finals.size(); ++i) {
      const auto sequence = fmt::format("\033[1;{}{}", modifier, k_finals[i]);
      ::define_key(sequence.c_str(), k_modified_base + modifier * 4 + static_cast<int>(i));
    }
  }
}

std::optional<Key> read_key() {
  while (true) {
    wint_t c = 0;
    const int rc = ::wget_wch(stdscr, &c);
    if (rc == ERR) {
      return std::nullopt;
    }
    const auto key = rc == KEY_CODE_YES ? key_of_code(c) : key_of_char(c);
    if (key) {
      return key;
    }
  }
}

}  // namespace sworn::player
