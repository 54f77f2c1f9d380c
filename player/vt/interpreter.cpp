// SPDX-License-Identifier: Apache-2.0
#include "player/vt/interpreter.hpp"

#include "player/vt/sgr.hpp"

#include <algorithm>

namespace sworn::vt {

void Interpreter::control(std::uint8_t byte) {
  screen.forget_last();
  switch (byte) {
    case 0x07:
      if (screen.hooks != nullptr) {
        screen.hooks->on_bell();
      }
      return;
    case 0x08:
      return screen.backspace();
    case 0x09:
      return screen.tab_forward(1);
    case 0x0A:
    case 0x0B:
    case 0x0C:
      return screen.line_feed();
    case 0x0D:
      return screen.carriage_return();
    case 0x0E:
      return screen.shift_in(1);
    case 0x0F:
      return screen.shift_in(0);
    default:
      return;
  }
}

void Interpreter::escape(std::string_view intermediates, char final) {
  screen.forget_last();
  if (intermediates.empty()) {
    return plain_escape(final);
  }
  if (intermediates == "#" && final == '8') {
    return screen.alignment_pattern();
  }
  // 94-character sets go to G0..G3 with ( ) * +, 96-character sets to G1..G3 with - . /
  constexpr std::string_view k_designators = "()*+";
  if (const auto g = k_designators.find(intermediates[0]); g != std::string_view::npos) {
    screen.designate(static_cast<int>(g), charset_of(intermediates.size() == 1 ? final : 'B'));
  } else if (intermediates[0] >= '-' && intermediates[0] <= '/') {
    screen.designate(intermediates[0] - '-' + 1, Charset::ascii);
  }
}

void Interpreter::plain_escape(char final) {
  switch (final) {
    case '6':
      return screen.back_index();
    case '7':
      return screen.save_cursor();
    case '8':
      return screen.restore_cursor();
    case '9':
      return screen.forward_index();
    case 'D':
      return screen.index();
    case 'E':
      return screen.next_line();
    case 'H':
      return screen.set_tab_stop(true);
    case 'M':
      return screen.reverse_index();
    case 'N':
    case 'O':
      return screen.single_shift(final == 'N' ? 2 : 3);
    case 'V':
    case 'W':
      return screen.set_protect(final == 'V', true);
    case 'c':
      saved_mode_mask_ = 0;
      saved_mode_bits_ = 0;
      title_stack_.clear();
      return screen.hard_reset();
    case 'n':
    case 'o':
      return screen.shift_in(final == 'n' ? 2 : 3);
    default:
      return;
  }
}

void Interpreter::csi(const Csi& sequence) {
  if (sequence.final != 'b') {
    screen.forget_last();
  }
  if (sequence.final == 'm' && sequence.prefix == 0 && sequence.intermediate_count == 0) {
    apply_sgr(sequence, screen.pen);
  } else if (sequence.colons != 0) {
    return;  // sub-parameters mean something in SGR only
  } else if (sequence.prefix != 0) {
    csi_private(sequence);
  } else if (sequence.intermediate_count != 0) {
    csi_with_intermediate(sequence);
  } else {
    (void)(csi_motion(sequence) || csi_edit(sequence) || csi_other(sequence));
  }
}

bool Interpreter::csi_motion(const Csi& sequence) {
  const int n = sequence.at_least_one(0);
  switch (sequence.final) {
    case 'A':
      screen.cursor_up(n);
      return true;
    case 'B':
      screen.cursor_down(n);
      return true;
    case 'C':
    case 'a':
      screen.cursor_right(n);
      return true;
    case 'D':
      screen.cursor_left(n);
      return true;
    case 'E':
      screen.cursor_down(n);
      screen.carriage_return();
      return true;
    case 'F':
      screen.cursor_up(n);
      screen.carriage_return();
      return true;
    case 'G':
    case '`':
      screen.move_to_col(n - 1);
      return true;
    case 'H':
    case 'f':
      screen.move_to(n - 1, sequence.at_least_one(1) - 1);
      return true;
    case 'I':
      screen.tab_forward(n);
      return true;
    case 'Z':
      screen.tab_back(n);
      return true;
    case 'd':
      screen.move_to_row(n - 1);
      return true;
    case 'e':
      screen.cursor_down(n, Vertical::screen);
      return true;
    default:
      return false;
  }
}

bool Interpreter::csi_edit(const Csi& sequence) {
  const int n = sequence.at_least_one(0);
  switch (sequence.final) {
    case '@':
      screen.insert_characters(n);
      return true;
    case 'J':
    case 'K':
      erase(sequence, Erase::normal);
      return true;
    case 'L':
      screen.insert_lines(n);
      return true;
    case 'M':
      screen.delete_lines(n);
      return true;
    case 'P':
      screen.delete_characters(n);
      return true;
    case 'S':
      screen.scroll_up(n);
      return true;
    case 'T':
      if (sequence.count == 1) {  // with five parameters it starts mouse tracking
        screen.scroll_down(n);
      }
      return true;
    case '^':
      screen.scroll_down(n);
      return true;
    case 'X':
      screen.erase_characters(n);
      return true;
    case 'b':
      screen.repeat_last(n);
      screen.forget_last();
      return true;
    default:
      return false;
  }
}

bool Interpreter::csi_other(const Csi& sequence) {
  switch (sequence.final) {
    case 'g':
      if (sequence.or_default(0, 0) == 0) {
        screen.set_tab_stop(false);
      } else if (sequence.or_default(0, 0) == 3) {
        screen.clear_tab_stops();
      }
      return true;
    case 'h':
    case 'l':
      ansi_modes(sequence, sequence.final == 'h');
      return true;
    case 'r':
      screen.set_margins(sequence.or_default(0, 0), sequence.or_default(1, 0));
      return true;
    case 's':
      if (screen.modes().has(Mode::side_margins)) {
        screen.set_side_margins(sequence.or_default(0, 0), sequence.or_default(1, 0));
      } else {
        screen.save_cursor();
      }
      return true;
    case 't':
      window_operation(sequence);
      return true;
    case 'u':
      screen.restore_cursor();
      return true;
    default:
      return false;
  }
}

void Interpreter::erase(const Csi& sequence, Erase how) {
  const int part = sequence.or_default(0, 0);
  const bool display = sequence.final == 'J';
  if (part == 3 && display && how == Erase::normal) {
    screen.erase_scrollback();
  } else if (part >= 0 && part <= 2) {
    if (display) {
      screen.erase_display(static_cast<Part>(part), how);
    } else {
      screen.erase_line(static_cast<Part>(part), how);
    }
  }
}

void Interpreter::csi_private(const Csi& sequence) {
  if (sequence.prefix != '?' || sequence.intermediate_count != 0) {
    return;  // key and mouse settings of xterm and kitty
  }
  switch (sequence.final) {
    case 'J':
    case 'K':
      return erase(sequence, Erase::selective);
    case 'h':
    case 'l':
      return private_modes(sequence, sequence.final == 'h');
    case 's':
      return save_modes(sequence);
    case 'r':
      return restore_modes(sequence);
    case 'W':
      if (sequence.or_default(0, 0) == 5) {
        screen.reset_tab_stops();
      }
      return;
    default:
      return;
  }
}

void Interpreter::csi_with_intermediate(const Csi& sequence) {
  if (sequence.intermediate_count != 1) {
    return;
  }
  const int n = sequence.at_least_one(0);
  const int plain = sequence.or_default(0, 0);
  const auto is = [&](char intermediate, char final) {
    return sequence.intermediates[0] == intermediate && sequence.final == final;
  };
  if (is(' ', '@')) {
    screen.scroll_left(n);
  } else if (is(' ', 'A')) {
    screen.scroll_right(n);
  } else if (is(' ', 'q')) {
    screen.cursor_shape = plain <= 6 ? plain : screen.cursor_shape;
  } else if (is('!', 'p')) {
    screen.soft_reset();
  } else if (is('"', 'q')) {
    if (plain <= 2) {
      screen.set_protect(plain == 1, false);
    }
  } else if (is('\'', '}')) {
    screen.insert_columns(n);
  } else if (is('\'', '~')) {
    screen.delete_columns(n);
  } else if (is('*', 'x')) {
    screen.set_mode(Mode::change_rectangle, plain == 2);
  } else if (sequence.intermediates[0] == '$') {
    rectangle(sequence);
  }
}

// Only the title stack: where the window is and how large says the recording, not the program.
void Interpreter::window_operation(const Csi& sequence) {
  const int operation = sequence.or_default(0, 0);
  const int which = sequence.or_default(1, 0);
  if (which != 0 && which != 2) {
    return;  // 1 is the icon's name
  }
  if (operation == 22 && title_stack_.size() < k_title_stack) {
    title_stack_.push_back(title_);
  } else if (operation == 23 && !title_stack_.empty()) {
    const std::string title = std::move(title_stack_.back());
    title_stack_.pop_back();
    set_title(title);
  }
}

}  // namespace sworn::vt
