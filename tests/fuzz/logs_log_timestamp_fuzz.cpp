// SPDX-License-Identifier: Apache-2.0
// Times out of any bytes: found ones lie inside the line, and cutting what is behind them changes
// nothing.
#include "audit/logs/log_timestamp.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn::audit::logs;
  const TimeContext context{{1'795'225'995'000'000}, Zone::fixed(3'600)};
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  if (const auto time = parse_line_time(line, context)) {
    if (time->begin >= time->end || time->end > line.size() || time->resolution_us < 1) {
      std::abort();
    }
  }
  static_cast<void>(parse_time_value(line, context));
  static_cast<void>(parse_epoch(line));
  static_cast<void>(Zone::parse(line));
  return 0;
}
