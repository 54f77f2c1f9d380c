// SPDX-License-Identifier: Apache-2.0
#include "player/screen_state.hpp"

#include "format/event_payload.hpp"

namespace sworn::player {
namespace {

// Nothing turned LF into CR LF on the way, because there was no terminal.
void append_with_new_lines(Bytes& out, ByteView data) {
  for (const auto byte : data) {
    if (byte == std::byte{'\n'}) {
      out.push_back(std::byte{'\r'});
    }
    out.push_back(byte);
  }
}

}  // namespace

ScreenState::ScreenState(const ScreenSetup& setup) : setup_(setup), terminal_(setup.size) {}

void ScreenState::reset() {
  terminal_ = vt::Terminal(setup_.size);
}

bool ScreenState::apply(const format::EventView& event) {
  using format::EventKind;
  if (event.kind == EventKind::resize) {
    const auto resize = format::decode_resize(event.data);
    if (!resize) {
      return false;
    }
    terminal_.resize(resize->size);
    return true;
  }
  const bool shown = event.kind == EventKind::output ||
                     (event.kind == EventKind::error_output && !setup_.terminal);
  if (!shown || event.data.empty()) {
    return false;
  }
  if (setup_.terminal) {
    terminal_.feed(event.data);
    return true;
  }
  converted_.clear();
  append_with_new_lines(converted_, event.data);
  terminal_.feed(converted_);
  return true;
}

bool is_visible(format::EventKind kind) {
  return kind == format::EventKind::output || kind == format::EventKind::error_output ||
         kind == format::EventKind::resize;
}

std::size_t replay_cost(const format::EventView& event) {
  // Measured: walking past any event costs about what 32 bytes of output cost; a resize copies the
  // grid.
  constexpr std::size_t k_per_event = 32;
  constexpr std::size_t k_resize = 16 * 1024;
  if (event.kind == format::EventKind::resize) {
    return k_resize;
  }
  const bool output =
      event.kind == format::EventKind::output || event.kind == format::EventKind::error_output;
  return k_per_event + (output ? event.data.size() : 0);
}

}  // namespace sworn::player
