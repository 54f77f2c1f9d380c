// SPDX-License-Identifier: Apache-2.0
// Random terminal output for property tests: text, every kind of sequence, broken UTF-8, strings
// that never end, all from a seed, the same on every host.
#pragma once

#include "player/vt/utf8.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace sworn::test {

class VtStream {
 public:
  explicit VtStream(std::uint64_t seed) : state_(seed * 2654435761U + 1) {}

  std::uint64_t next(std::uint64_t below) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return (state_ >> 33U) % below;
  }

  // At least `size` bytes.
  std::string bytes(std::size_t size) {
    std::string out;
    while (out.size() < size) {
      switch (next(12)) {
        case 0:
        case 1:
        case 2:
          ascii(out);
          break;
        case 3:
          characters(out);
          break;
        case 4:
          out += k_controls[next(k_controls.size())];
          break;
        case 5:
          escape(out);
          break;
        case 6:
          modes(out);
          break;
        case 7:
          if (next(6) == 0) {
            string(out);
          }
          break;
        case 8:
          if (next(8) == 0) {
            garbage(out);
          }
          break;
        default:
          csi(out);
          break;
      }
    }
    return out;
  }

 private:
  static constexpr std::string_view k_controls = "\n\n\n\r\r\r\t\b\x0e\x0f\x07\x0b\x18\x7f";
  static constexpr std::string_view k_finals = "@ABCDEFGHIJKLMPSTXZ^`abdefghlmmmmmmrrsu";

  void ascii(std::string& out) {
    for (auto left = next(60); left > 0; --left) {
      out += static_cast<char>(0x20 + next(0x5F));
    }
  }

  void characters(std::string& out) {
    constexpr std::array<char32_t, 12> k_points = {0xE9,   0x301,  0x6F22, 0x1F600,
                                                   0x200D, 0xFE0F, 0xFFFD, 0x2500,
                                                   0x20AC, 0x308,  0xAC00, 0x10FFFD};
    for (auto left = next(20); left > 0; --left) {
      vt::append_utf8(
          out, next(4) == 0 ? static_cast<char32_t>(0x300 + next(80)) : k_points.at(next(12)));
    }
  }

  void number(std::string& out) {
    if (next(6) != 0) {
      out += std::to_string(next(8) == 0 ? next(70000) : next(30));
    }
  }

  void csi(std::string& out) {
    out += "\x1b[";
    if (next(10) == 0) {
      out += "<=>?"[next(4)];
    }
    for (auto left = next(4); left > 0; --left) {
      number(out);
      out += next(10) == 0 ? ':' : ';';
    }
    number(out);
    switch (next(12)) {
      case 0:
        out += " @";
        break;
      case 1:
        out += next(2) == 0 ? "'}" : "'~";
        break;
      case 2:
        out += '$';
        out += "rtvxz{"[next(6)];
        break;
      case 3:
        out += next(2) == 0 ? "!p" : "\"q";
        break;
      default:
        out += k_finals[next(k_finals.size())];
        break;
    }
  }

  void modes(std::string& out) {
    constexpr std::array<int, 19> k_modes = {3,  5,  6,  7,    7,    25,   40,   45,   47,  69,
                                             69, 95, 80, 1047, 1048, 1049, 1049, 2004, 1000};
    out += next(8) == 0 ? "\x1b[" : "\x1b[?";
    out += std::to_string(next(8) == 0 ? (next(2) == 0 ? 4 : 20) : k_modes.at(next(19)));
    out += "hhllsr"[next(6)];
  }

  void escape(std::string& out) {
    constexpr std::array<std::string_view, 16> k_escapes = {
        "7", "8", "D", "M", "E", "H", "(0", "(B", ")0", "*A", "#8", "N", "O", "n", "6", "9"};
    out += '\x1b';
    out += next(60) == 0 ? "c" : k_escapes.at(next(16));
  }

  void string(std::string& out) {
    constexpr std::array<std::string_view, 10> k_heads = {
        "]0;", "]8;;http://x/", "]8;;", "]133;A", "]7;", "P", "Pq", "_G", "^", "k"};
    out += '\x1b';
    out += k_heads.at(next(10));
    if (next(20) == 0) {
      out.append(9000, 'x');
    }
    ascii(out);
    out += next(4) == 0 ? "" : next(2) == 0 ? "\x07" : "\x1b\\";
  }

  void garbage(std::string& out) {
    for (auto left = next(12); left > 0; --left) {
      out += static_cast<char>(next(256));
    }
  }

  std::uint64_t state_;
};

}  // namespace sworn::test
