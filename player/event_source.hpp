// SPDX-License-Identifier: Apache-2.0
// Where replay gets its events from: a forward cursor that can be placed on an event number.
// Positions count applied events: position n means that all events with a number below n have
// happened. One thread per source; the player opens one for each thread that reads.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "format/event.hpp"

#include <cstdint>
#include <optional>

namespace sworn::player {

class EventSource {
 public:
  virtual ~EventSource() = default;

  // The view lives until the next call on this source. nullopt at the (present) end.
  virtual Result<std::optional<format::EventView>> next() = 0;
  // The next next() gives the first event with a number >= n.
  virtual Result<void> seek_event(std::uint64_t n) = 0;
  // Takes in what a live recording gained since; afterwards the cursor must be placed again.
  virtual Result<void> refresh() = 0;

  // One more than the highest event number.
  [[nodiscard]] virtual std::uint64_t end_position() const = 0;
  [[nodiscard]] virtual MonoTime first_time() const = 0;
  [[nodiscard]] virtual MonoTime last_time() const = 0;
  // More events may come: a recorder is still writing.
  [[nodiscard]] virtual bool live() const = 0;
};

}  // namespace sworn::player
