// SPDX-License-Identifier: Apache-2.0
// What a session file says about its own capture: how complete is what it knows of command lines,
// executions, opened files and connections, and how much was lost. It stands in the file as
// `capture` events with layer "statement": one when the session begins (state "active"), one when
// it ends (state "ended"), which is the one that counts.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::audit {

// Never change a name: they are in files.
enum class Coverage : std::uint8_t { none, best_effort, complete };
std::string_view name_of(Coverage coverage);

struct CaptureStatement {
  std::string state;      // "active", "ended"
  std::string mechanism;  // of executions: "ebpf", "audit", "proc", "none"
  Coverage shell = Coverage::none;
  Coverage exec = Coverage::none;
  Coverage files = Coverage::none;
  Coverage connect = Coverage::none;
  std::uint64_t lost = 0;  // events known to be lost, all layers
  std::string detail;      // why something better is not used; for people
};

Bytes encode(const CaptureStatement& p);
// Nothing where the payload is of another layer.
Result<std::optional<CaptureStatement>> decode_capture_statement(ByteView data);

}  // namespace sworn::audit
