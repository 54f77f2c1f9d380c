// SPDX-License-Identifier: Apache-2.0
// A configured time stamp, for logs whose own nobody knows: the letters of strptime(3) that make
// sense in a log, %f for a fraction, everything else as it stands. Found anywhere in the first
// k_search_bytes of a line. Pure.
//   %Y %y %m %d %e %b %H %I %p %M %S %f %z %s (seconds since 1970) %%
#pragma once

#include "audit/logs/log_timestamp.hpp"
#include "base/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sworn::audit::logs {

class TimeFormat {
 public:
  // Errc::bad_usage names the letter that is not known.
  static Result<void> check(std::string_view pattern);
  // nullopt where check() fails.
  static std::optional<TimeFormat> parse(std::string_view pattern, TimeContext context);

  [[nodiscard]] std::optional<LineTime> find(std::string_view line) const;

 private:
  TimeFormat(std::string pattern, TimeContext context)
      : pattern_(std::move(pattern)), context_(std::move(context)) {}
  [[nodiscard]] std::optional<LineTime> match(std::string_view line, std::size_t at) const;

  std::string pattern_;
  TimeContext context_;
};

}  // namespace sworn::audit::logs
