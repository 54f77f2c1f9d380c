// SPDX-License-Identifier: Apache-2.0
#include "player/keystrokes.hpp"

#include "base/printable.hpp"

#include <array>
#include <string_view>
#include <utility>

namespace sworn::player {
namespace {

constexpr auto k_sequences = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"\x1b[A", "<Up>"},        {"\x1b[B", "<Down>"},    {"\x1b[C", "<Right>"},
    {"\x1b[D", "<Left>"},      {"\x1bOA", "<Up>"},      {"\x1bOB", "<Down>"},
    {"\x1bOC", "<Right>"},     {"\x1bOD", "<Left>"},    {"\x1b[H", "<Home>"},
    {"\x1b[F", "<End>"},       {"\x1b[3~", "<Delete>"}, {"\x1b[5~", "<PgUp>"},
    {"\x1b[6~", "<PgDn>"},     {"\x1b[Z", "<BackTab>"}, {"\x1b[200~", "<Paste>"},
    {"\x1b[201~", "</Paste>"}, {"\r", "<Enter>"},       {"\n", "<LF>"},
    {"\t", "<Tab>"},           {"\x7f", "<BS>"},        {"\x1b", "<Esc>"},
});

}  // namespace

std::string keystroke_text(ByteView data) {
  std::string out;
  auto left = as_text(data);
  while (!left.empty()) {
    bool named = false;
    for (const auto& [bytes, name] : k_sequences) {
      if (left.starts_with(bytes)) {
        out += name;
        left.remove_prefix(bytes.size());
        named = true;
        break;
      }
    }
    if (named) {
      continue;
    }
    const auto c = static_cast<unsigned char>(left.front());
    if (c < 0x20) {
      out += '^';
      out += static_cast<char>(c + 0x40);
      left.remove_prefix(1);
      continue;
    }
    const auto step = decode_utf8(left);
    out += printable(left.substr(0, step.length));
    left.remove_prefix(step.length);
  }
  return out;
}

}  // namespace sworn::player
