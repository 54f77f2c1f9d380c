// SPDX-License-Identifier: Apache-2.0
// An event is one timestamped fact of a session. Events are numbered from 0 without holes; `t`
// orders them, the number decides between equal times.
#pragma once

#include "base/bytes.hpp"
#include "base/clock.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sworn::format {

// These numbers are written to disk. Never change or reuse one; adding (up to 63) is fine.
enum class EventKind : std::uint8_t {
  output = 1,        // program -> user, bytes of one read (on a terminal: everything; else: stdout)
  input = 2,         // user -> program, bytes
  input_hidden = 3,  // something was typed while echo was off: no bytes, no count, no length
  typed = 4,         // something was typed; its bytes follow as input, or never
  resize = 5,        // Resize
  signal = 6,        // Signal
  marker = 7,        // Marker
  clock = 8,         // ClockSample
  session_start = 9,   // SessionStart; event 0
  command_begin = 10,  // CommandBegin
  command_end = 11,    // CommandEnd
  exec = 12,           // the audit kinds carry msgpack whose meaning is defined in audit/
  exec_exit = 13,
  file = 14,
  connect = 15,
  log_line = 16,
  alert = 17,
  gap = 18,           // Gap: something is known to be missing
  exit = 19,          // Exit: how the recorded program ended
  error_output = 20,  // bytes of a stderr that is not the session's terminal
  end_of_input = 21,  // streams mode: stdin was closed
  capture = 22,       // which capture layers are active, and what they lost
  side_output =
      23,  // session with a terminal: bytes of a stdout that is not it, never on the screen
};
inline constexpr std::uint8_t k_last_event_kind = 23;

// Name for listings and JSON: "output", "input_hidden", ...; "unknown" for a number without a name.
std::string_view name_of(EventKind kind);
std::optional<EventKind> event_kind_from_name(std::string_view name);

inline constexpr std::size_t k_max_event_bytes = 65'536;  // output: one read of at most 4,096

// Non-owning; `data` lives as long as the buffer that produced it (documented there).
struct EventView {
  std::uint64_t number = 0;
  EventKind kind = EventKind::output;
  MonoTime t;   // when it was recorded: monotone in the file
  MonoTime at;  // when it happened, where that is known to be earlier; else equal to t
  ByteView data;
  bool redacted = false;  // removed from this copy; `data` is what the redactor put in its place
  ByteView commitment{};  // of a redacted event: 32 bytes
};

struct Event {
  std::uint64_t number = 0;
  EventKind kind = EventKind::output;
  MonoTime t;
  MonoTime at;
  Bytes data;
  bool redacted = false;
  [[nodiscard]] EventView view() const { return {number, kind, t, at, data, redacted}; }
};

}  // namespace sworn::format
