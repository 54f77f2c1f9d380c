// SPDX-License-Identifier: Apache-2.0
#include "recorder/input_scanner.hpp"

#include <string_view>

namespace sworn::recorder {

bool is_line_end(std::byte byte) {
  switch (std::to_integer<unsigned>(byte)) {
    case '\r':
    case '\n':
    case 0x03:
    case 0x04:
    case 0x1A:
    case 0x1C:
      return true;
    default:
      return false;
  }
}

void InputScanner::control_sequence(std::byte final) {
  const std::string_view parameter(parameter_.data(), parameter_size_);
  if (final == std::byte{'~'} && parameter == "200") {
    in_paste_ = true;
  } else if (final == std::byte{'~'} && parameter == "201") {
    in_paste_ = false;
  }
}

InputScan InputScanner::scan(ByteView typed, bool whole) {
  InputScan out;
  bool in_run = false;
  for (std::size_t i = 0; i < typed.size(); ++i) {
    const std::byte byte = typed[i];
    const auto c = std::to_integer<unsigned>(byte);
    bool printable = false;
    out.ends_line = false;
    switch (state_) {
      case State::ground:
        printable = c >= 0x20 && c != 0x7F;
        if (c == 0x1B) {
          state_ = State::escape;
        } else if (!in_paste_ && is_line_end(byte)) {
          out.ends_line = true;
          out.first_line_end = out.first_line_end == 0 ? i + 1 : out.first_line_end;
        }
        break;
      case State::escape:
        parameter_size_ = 0;
        state_ = c == '[' ? State::control : c == 'O' ? State::one_more : State::ground;
        break;
      case State::control:
        if (c >= 0x40 && c < 0x7F) {
          control_sequence(byte);
          state_ = State::ground;
        } else if (parameter_size_ < parameter_.size()) {
          parameter_[parameter_size_++] = static_cast<char>(c);
        }
        break;
      case State::one_more:
        state_ = State::ground;
        break;
    }
    if (printable && in_run) {
      out.runs.back().end = i + 1;
    } else if (printable) {
      out.runs.push_back({i, i + 1});
    }
    in_run = printable;
  }
  if (whole) {
    state_ = State::ground;  // a lone Escape key, not the start of what is typed next
  }
  return out;
}

}  // namespace sworn::recorder
