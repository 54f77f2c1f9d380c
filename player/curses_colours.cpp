// SPDX-License-Identifier: Apache-2.0
#include "player/curses_colours.hpp"

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#define NCURSES_NOMACROS
#define NCURSES_WIDECHAR 1
#include <curses.h>

#include <limits.h>
#include <unistd.h>

namespace sworn::player {

void CursesColours::start() {
  if (!::has_colors()) {
    return;
  }
  ::start_color();
  ::use_default_colors();
  depth_ = COLORS > 256    ? ColourDepth::direct
           : COLORS == 256 ? ColourDepth::c256
           : COLORS >= 16  ? ColourDepth::c16
                           : ColourDepth::c8;
}

bool CursesColours::start_afresh() {
  if (!pairs_full_) {
    return false;
  }
  pairs_full_ = false;
  pairs_.clear();
  next_pair_ = 1;
  ::reset_color_pairs();
  return true;
}

int CursesColours::nearest(vt::Color colour) {
  constexpr std::size_t k_remembered = 65'536;
  if (nearest_.size() >= k_remembered) {
    nearest_.clear();
  }
  const auto [it, added] = nearest_.try_emplace(colour.packed, 0);
  if (added) {
    it->second = nearest_colour(colour, depth_);
  }
  return it->second;
}

int CursesColours::pair_of(vt::Color fg, vt::Color bg) {
  if (depth_ == ColourDepth::none) {
    return 0;
  }
  const int front = nearest(fg);
  const int back = nearest(bg);
  if (front < 0 && back < 0) {
    return 0;
  }
  const auto find = [this](int f, int b) {
    const auto key = static_cast<std::uint64_t>(f + 1) << 32U | static_cast<std::uint64_t>(b + 1);
    return pairs_.try_emplace(key, 0);
  };
  auto [it, added] = find(front, back);
  if (!added) {
    return it->second;
  }
  if (next_pair_ >= COLOR_PAIRS) {
    // The table is full: this frame does with the text colour alone, the next one starts afresh.
    pairs_full_ = true;
    pairs_.erase(it);
    const auto [plain, missing] = find(front, -1);
    if (!missing) {
      return plain->second;
    }
    pairs_.erase(plain);
    return 0;
  }
  it->second = next_pair_++;
  ::init_extended_pair(it->second, front, back);
  return it->second;
}

std::string own_terminfo() {
  std::array<char, PATH_MAX> path{};
  const auto n = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (n <= 0) {
    return {};
  }
  const std::string_view program(path.data(), static_cast<std::size_t>(n));
  const auto bin = std::string(program.substr(0, program.rfind('/')));
  // Installed, and in the tree it was built in.
  for (const auto& directory : {bin + "/../share/sworn/terminfo", bin + "/../terminfo"}) {
    if (::access((directory + "/s/sworn-xterm-direct").c_str(), R_OK) == 0) {
      return directory;
    }
  }
  return {};
}

const char* direct_colour_entry(const char* term) {
  const char* const says = std::getenv("COLORTERM");
  const std::string_view colours = says == nullptr ? "" : says;
  if (colours != "truecolor" && colours != "24bit") {
    return nullptr;
  }
  const std::string_view type(term);
  if (type.starts_with("tmux") || type.starts_with("screen")) {
    return "sworn-tmux-direct";
  }
  return type.starts_with("xterm") ? "sworn-xterm-direct" : nullptr;
}

}  // namespace sworn::player
