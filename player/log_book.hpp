// SPDX-License-Identifier: Apache-2.0
// Log lines of other programs as the player shows them: already placed on the recording's clock. A
// line whose source has a coarse clock is an interval. Texts are as found: unsanitised. Immutable
// once shared.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::player {

enum class LogSeverity : std::uint8_t { normal, warning, error };
enum class LogRelation : std::uint8_t { this_session, same_user, host, unknown };
std::string_view name_of(LogRelation relation);

struct LogItem {
  MonoTime t;
  MonoTime until;           // equal to t where the moment is known exactly
  WallTime wall;            // as its source says
  std::string_view source;  // these three live as long as the book
  std::string_view text;
  std::string_view why;  // how it is known to belong to the session
  LogSeverity severity = LogSeverity::normal;
  LogRelation relation = LogRelation::unknown;
};

struct LogBook {
  std::string title;                  // "auth.log syslog"
  std::vector<LogItem> items;         // by t
  std::size_t left_out = 0;           // lines without a usable time, or beyond the limit
  std::vector<std::string> details;   // what is to be known of each source
  std::string trouble;                // a source that could not be read to its end
  bool reading = false;               // more may come
  std::shared_ptr<const void> texts;  // what the views point into
};
using LogBookPtr = std::shared_ptr<const LogBook>;

}  // namespace sworn::player
