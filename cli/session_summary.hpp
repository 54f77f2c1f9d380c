// SPDX-License-Identifier: Apache-2.0
// What `info` and `ls` say of a session: from the header, the first events and the last chunk only,
// so that the cost does not grow with the recording. Nothing here is verified.
#pragma once

#include "cli/json.hpp"
#include "cli/open_session.hpp"
#include "format/event_payload.hpp"

#include <optional>
#include <string>

namespace sworn::cli {

struct SessionSummary {
  std::string path;
  std::uint64_t file_bytes = 0;
  format::SessionHeader header;
  format::StoredState state = format::StoredState::closed;
  bool closed = false;                        // END and final seal are there
  std::optional<format::SessionStart> start;  // nullopt: redacted or unreadable
  std::optional<format::Exit> exit;           // nullopt: not (yet) on record
  std::uint64_t events = 0;
  std::uint64_t sealed_events = 0;
  std::uint64_t chunks = 0;
  std::uint64_t raw_bytes = 0;
  std::uint64_t tail_events = 0;
  std::int64_t duration_us = 0;
  std::size_t damaged_places = 0;
  std::string tail_error;
  bool encrypted = false;
  std::string locked;  // why its events cannot be read; empty: they can
  std::vector<std::string> recipients;
};

Result<SessionSummary> summarise(OpenSession& session);

Json to_json(const SessionSummary& summary);             // schema sworn.session/1
std::string render_text(const SessionSummary& summary);  // the lines of `sworn info`

// "live", "crashed", "closed", or "cut": the name of a closed session without its end.
std::string_view state_text(const SessionSummary& summary);

// "exit 0", "signal 9 (Killed)", "being recorded", "recorder died".
std::string describe_end(const SessionSummary& summary);
std::string join_argv(const std::vector<std::string>& argv);  // quoted where a shell would need it

}  // namespace sworn::cli
