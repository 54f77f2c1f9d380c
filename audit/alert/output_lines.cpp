// SPDX-License-Identifier: Apache-2.0
#include "audit/alert/output_lines.hpp"

namespace sworn::audit::alert {

void OutputLines::feed(std::string_view bytes, const Take& take) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0x18 || byte == 0x1A) {  // CAN, SUB end every sequence
      state_ = State::text;
      continue;
    }
    switch (state_) {
      case State::text:
        if (byte == 0x1B) {
          state_ = State::escape;
        } else if (c == '\n' || c == '\r') {
          if (!line_.empty()) {
            take(line_);
            line_.clear();
          }
        } else if (c == '\b') {
          if (!line_.empty()) {
            line_.pop_back();
          }
        } else if ((byte >= 0x20 || c == '\t') && byte != 0x7F && line_.size() < k_max_line) {
          line_ += c;
        }
        break;
      case State::escape:
        if (c == '[') {
          state_ = State::csi;
        } else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_') {
          state_ = State::string;
        } else if (byte >= 0x20 && byte <= 0x2F) {
          state_ = State::charset;
        } else {
          state_ = State::text;
        }
        break;
      case State::csi:
        if (byte == 0x1B) {
          state_ = State::escape;
        } else if (byte >= 0x40 && byte <= 0x7E) {
          state_ = State::text;
        }
        break;
      case State::charset:
        if (byte == 0x1B) {
          state_ = State::escape;
        } else if (byte >= 0x30 && byte <= 0x7E) {
          state_ = State::text;
        }
        break;
      case State::string:
        if (byte == 0x07) {
          state_ = State::text;
        } else if (byte == 0x1B) {
          state_ = State::string_escape;
        }
        break;
      case State::string_escape:
        state_ = c == '\\' ? State::text : State::string;
        break;
    }
  }
}

}  // namespace sworn::audit::alert
