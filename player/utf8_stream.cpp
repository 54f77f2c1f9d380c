// SPDX-License-Identifier: Apache-2.0
#include "player/utf8_stream.hpp"

#include "base/printable.hpp"

namespace sworn::player {
namespace {

constexpr std::string_view k_replacement = "\xEF\xBF\xBD";

// Could these bytes still become one character? They are not one yet.
bool is_beginning(std::string_view bytes) {
  const auto at = [&bytes](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned lead = at(0);
  const std::size_t length = lead >= 0xF0 && lead <= 0xF4   ? 4
                             : lead >= 0xE0 && lead <= 0xEF ? 3
                             : lead >= 0xC2 && lead <= 0xDF ? 2
                                                            : 0;
  if (bytes.size() >= length) {
    return false;
  }
  if (bytes.size() == 1) {
    return true;
  }
  const unsigned least = lead == 0xE0 ? 0xA0U : lead == 0xF0 ? 0x90U : 0x80U;
  const unsigned most = lead == 0xED ? 0x9FU : lead == 0xF4 ? 0x8FU : 0xBFU;
  if (at(1) < least || at(1) > most) {
    return false;
  }
  return bytes.size() == 2 || (at(2) & 0xC0U) == 0x80U;
}

}  // namespace

std::string Utf8Stream::add(std::string_view piece) {
  std::string joined;
  if (!held_.empty()) {
    joined = held_ + std::string(piece);
    held_.clear();
    piece = joined;
  }
  std::string out;
  out.reserve(piece.size());
  while (!piece.empty()) {
    const auto step = decode_utf8(piece);
    if (step.valid) {
      out += piece.substr(0, step.length);
      piece.remove_prefix(step.length);
    } else if (is_beginning(piece)) {
      held_ = piece;
      break;
    } else {
      out += k_replacement;
      ++replaced_;
      piece.remove_prefix(1);
    }
  }
  return out;
}

std::string Utf8Stream::finish() {
  std::string out;
  for (std::size_t i = 0; i < held_.size(); ++i) {
    out += k_replacement;
    ++replaced_;
  }
  held_.clear();
  return out;
}

}  // namespace sworn::player
