// SPDX-License-Identifier: Apache-2.0
// What a session file tells that other people's log lines are placed and judged by: its clock, its
// time, its numbers, its processes, its commands. One pass over the events.
#pragma once

#include "audit/logs/command_list.hpp"
#include "audit/logs/log_placer.hpp"
#include "format/event_payload.hpp"
#include "format/session_reader.hpp"

#include <optional>
#include <string>

namespace sworn::audit::logs {

struct SessionFacts {
  std::string file_id;  // hex
  std::optional<format::SessionStart> start;
  LogPlacement placement;
  SessionLineage lineage;
  CommandList commands;

  [[nodiscard]] std::string host() const { return start ? start->hostname : std::string(); }
};

// Reads from the first event to the last; the reader's cursor moves. Errc::not_found where the
// recording has no clock.
Result<SessionFacts> read_session_facts(format::SessionReader& reader);

}  // namespace sworn::audit::logs
