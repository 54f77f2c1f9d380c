// SPDX-License-Identifier: Apache-2.0
// Interpreter: OSC and its relatives. None of them draws; images are counted and dropped.
#include "player/vt/interpreter.hpp"

#include <algorithm>
#include <limits>

namespace sworn::vt {
namespace {

constexpr int k_no_number = -1;

// Takes "123;" off the front; k_no_number when there is no number of up to five digits.
int take_number(std::string_view& text) {
  const auto semicolon = std::min(text.find(';'), text.size());
  const auto digits = text.substr(0, semicolon);
  if (digits.empty() || digits.size() > 5 ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    return k_no_number;
  }
  int number = 0;
  for (const char c : digits) {
    number = number * 10 + (c - '0');
  }
  text.remove_prefix(std::min(semicolon + 1, text.size()));
  return number;
}

bool is_sixel(std::string_view dcs) {
  const auto final = dcs.find_first_not_of("0123456789;");
  return final != std::string_view::npos && dcs[final] == 'q';
}

bool starts_with_any(std::string_view text, std::initializer_list<std::string_view> heads) {
  return std::any_of(heads.begin(), heads.end(),
                     [text](std::string_view head) { return text.starts_with(head); });
}

}  // namespace

void Interpreter::string(StringKind kind, std::string_view kept, std::uint64_t size) {
  screen.forget_last();
  switch (kind) {
    case StringKind::osc:
      return osc(kept, size);
    case StringKind::title:  // of screen and tmux
      return set_title(kept);
    case StringKind::dcs:
      if (is_sixel(kept)) {
        drop_image("sixel", size);
      }
      return;
    case StringKind::apc:
      if (kept.starts_with('G')) {
        drop_image("kitty", size);
      }
      return;
    case StringKind::pm:
    case StringKind::sos:
      return;
  }
}

void Interpreter::osc(std::string_view kept, std::uint64_t size) {
  std::string_view payload = kept;
  const int number = take_number(payload);
  switch (number) {
    case 0:
    case 2:
      return set_title(payload);
    case 8: {  // 8;parameters;target
      const auto separator = payload.find(';');
      const bool complete = separator != std::string_view::npos && size == kept.size();
      return screen.set_link(complete ? payload.substr(separator + 1) : std::string_view());
    }
    case 1337:
      if (starts_with_any(payload, {"File=", "MultipartFile=", "FilePart=", "FileEnd"})) {
        return drop_image("iterm2", size);
      }
      [[fallthrough]];
    case 7:
    case 9:
    case 52:
    case 133:
    case 633:
    case 777:
      if (screen.hooks != nullptr) {
        screen.hooks->on_osc(number, payload);
      }
      return;
    default:
      return;
  }
}

void Interpreter::set_title(std::string_view title) {
  std::size_t end = std::min(title.size(), k_title_bytes);
  while (end < title.size() && end > 0 &&
         (static_cast<unsigned char>(title[end]) & 0xC0U) == 0x80) {
    --end;  // not inside a character
  }
  title_ = title.substr(0, end);
  if (screen.hooks != nullptr) {
    screen.hooks->on_title(title_);
  }
}

void Interpreter::drop_image(std::string_view protocol, std::uint64_t size) {
  if (screen.hooks != nullptr) {
    screen.hooks->on_image_dropped(protocol, static_cast<std::size_t>(size));
  }
}

}  // namespace sworn::vt
