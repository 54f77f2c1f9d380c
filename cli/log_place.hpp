// SPDX-License-Identifier: Apache-2.0
// Which part of a session's time line is asked for: --at and --window, or the place of a link.
#pragma once

#include "audit/logs/session_facts.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "cli/session_link.hpp"

namespace sworn::cli {

struct LogSpan {
  MonoTime from{INT64_MIN};
  MonoTime to{INT64_MAX};
  [[nodiscard]] bool holds(MonoTime t, MonoTime until) const { return until >= from && t <= to; }
};

Result<LogSpan> log_span(const Arguments& args, const LinkTarget& target,
                         const audit::logs::SessionFacts& facts);

}  // namespace sworn::cli
