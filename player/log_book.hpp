// SPDX-License-Identifier: Apache-2.0
// Log lines of other programs as the player shows them: already placed on the recording's clock. A
// line whose source has a coarse clock is an interval. Texts are as found: unsanitised.
#pragma once

#include "base/clock.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sworn::player {

enum class LogSeverity : std::uint8_t { normal, warning, error };
enum class LogRelation : std::uint8_t { this_session, same_user, host, unknown };

struct LogItem {
  MonoTime t;
  MonoTime until;  // equal to t where the moment is known exactly
  std::string source;
  std::string text;
  LogSeverity severity = LogSeverity::normal;
  LogRelation relation = LogRelation::unknown;
  std::string why;  // how it is known to belong to the session
};

struct LogBook {
  std::string title;           // "audit journal(db1)"
  std::vector<LogItem> items;  // by t
  std::size_t left_out = 0;    // lines without a usable time, or beyond the limit
};
using LogBookPtr = std::shared_ptr<const LogBook>;

}  // namespace sworn::player
