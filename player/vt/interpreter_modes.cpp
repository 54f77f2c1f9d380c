// SPDX-License-Identifier: Apache-2.0
// Interpreter: SM, RM and their DEC private forms. Modes of the keyboard and the mouse do not show.
#include "player/vt/interpreter.hpp"

#include <array>
#include <optional>

namespace sworn::vt {
namespace {

struct NumberedMode {
  int number;
  Mode mode;
};
constexpr std::array<NumberedMode, 8> k_private_modes = {{
    {5, Mode::reverse_video},
    {6, Mode::origin},
    {7, Mode::autowrap},
    {25, Mode::cursor_visible},
    {40, Mode::allow_columns},
    {45, Mode::reverse_wrap},
    {69, Mode::side_margins},
    {95, Mode::keep_on_columns},
}};

std::optional<Mode> mode_of(int number) {
  for (const auto& known : k_private_modes) {
    if (known.number == number) {
      return known.mode;
    }
  }
  return std::nullopt;
}

bool is_alternate_screen(int number) {
  return number == 47 || number == 1047 || number == 1049;
}

constexpr unsigned k_alternate_bit = k_mode_count;

}  // namespace

void Interpreter::ansi_modes(const Csi& sequence, bool on) {
  for (int i = 0; i < sequence.count; ++i) {
    const int number = sequence.or_default(i, 0);
    if (number == 4) {
      screen.set_mode(Mode::insert, on);
    } else if (number == 20) {
      screen.set_mode(Mode::newline, on);
    }
  }
}

void Interpreter::private_modes(const Csi& sequence, bool on) {
  for (int i = 0; i < sequence.count; ++i) {
    private_mode(sequence.or_default(i, 0), on);
  }
}

void Interpreter::private_mode(int number, bool on) {
  if (const auto mode = mode_of(number)) {
    screen.set_mode(*mode, on);
    return;
  }
  switch (number) {
    case 3:
      return screen.change_columns();
    case 47:
      return screen.alternate(AlternateMode::plain, on);
    case 1047:
      return screen.alternate(AlternateMode::clear_on_leave, on);
    case 1048:
      return on ? screen.save_cursor() : screen.restore_cursor();
    case 1049:
      return screen.alternate(AlternateMode::with_cursor, on);
    default:
      return;
  }
}

void Interpreter::save_modes(const Csi& sequence) {
  const auto keep = [this](unsigned bit, bool value) {
    saved_mode_mask_ |= 1U << bit;
    saved_mode_bits_ = (saved_mode_bits_ & ~(1U << bit)) | static_cast<std::uint32_t>(value) << bit;
  };
  for (int i = 0; i < sequence.count; ++i) {
    const int number = sequence.or_default(i, 0);
    if (const auto mode = mode_of(number)) {
      keep(static_cast<unsigned>(*mode), screen.modes().has(*mode));
    } else if (is_alternate_screen(number)) {
      keep(k_alternate_bit, screen.on_alternate());
    } else if (number == 1048) {
      screen.save_cursor();
    }
  }
}

void Interpreter::restore_modes(const Csi& sequence) {
  const auto kept = [this](unsigned bit) -> std::optional<bool> {
    if (((saved_mode_mask_ >> bit) & 1U) == 0) {
      return std::nullopt;
    }
    return ((saved_mode_bits_ >> bit) & 1U) != 0;
  };
  for (int i = 0; i < sequence.count; ++i) {
    const int number = sequence.or_default(i, 0);
    const auto mode = mode_of(number);
    if (number == 1048) {
      screen.restore_cursor();
    } else if (mode || is_alternate_screen(number)) {
      if (const auto value = kept(mode ? static_cast<unsigned>(*mode) : k_alternate_bit)) {
        private_mode(number, *value);
      }
    }
  }
}

}  // namespace sworn::vt
