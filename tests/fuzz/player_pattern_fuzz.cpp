// SPDX-License-Identifier: Apache-2.0
// Patterns and texts of any kind: what the quick search finds lies inside the text, and is what the
// expression alone finds. The first line is the pattern, the rest the text.
#include "player/list_filter.hpp"
#include "player/literal_scan.hpp"
#include "player/matcher.hpp"
#include "player/position_spec.hpp"
#include "player/raw_text.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn;
  using namespace sworn::player;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto line = all.find('\n');
  const auto pattern = all.substr(0, line);
  const auto text = line == std::string_view::npos ? std::string_view{} : all.substr(line + 1);
  if (const auto matcher = Matcher::compile(pattern, PatternKind::regex)) {
    const auto plain = Matcher::compile("(?:" + std::string(pattern) + ")", PatternKind::regex);
    const auto found = (*matcher)->find(text);
    if (found && found->offset + found->length > text.size()) {
      std::abort();
    }
    // A pattern may end in what changes the meaning of a bracket: then they cannot be compared.
    if (plain && (*plain)->required().empty() && !(*matcher)->required().empty()) {
      const auto other = (*plain)->find(text);
      if (found.has_value() != other.has_value() || (found && found->offset != other->offset)) {
        std::abort();
      }
    }
  }
  if (const auto matcher = Matcher::compile(pattern, PatternKind::text, CaseRule::exact)) {
    const auto found = (*matcher)->find(text);
    const auto wanted = text.find(pattern);
    if (found.has_value() != (wanted != std::string_view::npos) ||
        (found && found->offset != wanted)) {
      std::abort();
    }
  }
  static_cast<void>(ListFilter::parse(pattern));
  static_cast<void>(parse_place(pattern));
  RawText raw(
      [](const RawText::Line& piece) { return piece.text.find('\x1b') == piece.text.npos; });
  format::EventView event;
  event.kind = format::EventKind::output;
  event.data = as_bytes(text);
  if (!raw.add(event)) {
    std::abort();
  }
  raw.finish();
  return 0;
}
