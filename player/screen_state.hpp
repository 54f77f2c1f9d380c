// SPDX-License-Identifier: Apache-2.0
// The one place that knows which events change the picture and how: output and resizes of a
// terminal, and in streams mode (no terminal) both output streams with line feeds turned into new
// lines.
#pragma once

#include "base/term_size.hpp"
#include "format/event.hpp"
#include "player/vt/terminal.hpp"

namespace sworn::player {

// What event 0 says about the screen.
struct ScreenSetup {
  TermSize size;
  bool terminal = true;  // false: streams mode
};

class ScreenState {
 public:
  explicit ScreenState(const ScreenSetup& setup);

  // Back to the state before the first event.
  void reset();
  // True where the event can have changed the picture.
  bool apply(const format::EventView& event);
  Result<void> load(ByteView snapshot) { return terminal_.load(snapshot); }

  [[nodiscard]] const vt::Terminal& terminal() const { return terminal_; }
  [[nodiscard]] vt::Terminal& terminal() { return terminal_; }

 private:
  ScreenSetup setup_;
  vt::Terminal terminal_;
  Bytes converted_;  // reused between events
};

// Output and resizes: the events that a viewer can see.
bool is_visible(format::EventKind kind);

// What an event costs to replay, in bytes of output; keyframes are placed by the sum of it.
std::size_t replay_cost(const format::EventView& event);

}  // namespace sworn::player
