// SPDX-License-Identifier: Apache-2.0
// What can be known of one log line: when, how bad, whose. Text lines by log_timestamp and
// severity; JSON lines by their fields (journald's JSON, ECS, and the usual names). Takes hostile
// bytes; never fails: what is not there stays empty. Views point into the line, or into the parser
// until its next call. One thread.
#pragma once

#include "audit/logs/lineage.hpp"
#include "audit/logs/log_timestamp.hpp"
#include "audit/logs/severity.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::audit::logs {

struct ParsedLine {
  std::optional<LineTime> time;
  LogSeverity severity = LogSeverity::normal;
  std::string_view message;  // of a JSON line, where it has one; else the whole line
  LineIdentity who;
  std::string_view program;  // of a journal entry: its identifier
  // journald's second clock, and the boot that it counts from.
  std::optional<std::int64_t> monotonic_us;
  std::string_view boot_id;
};

class LineParser {
 public:
  // `time_field`: the name of the field that holds the time in JSON lines; empty: the usual ones.
  LineParser(TimeContext context, std::string time_field);
  ~LineParser();
  LineParser(LineParser&&) noexcept;
  LineParser& operator=(LineParser&&) noexcept;
  LineParser(const LineParser&) = delete;
  LineParser& operator=(const LineParser&) = delete;

  ParsedLine parse(std::string_view line);

  // The same in two steps, so that what lies outside of the time of interest costs only the first:
  // true where the line is a JSON object, which is understood at once.
  bool parse_json(std::string_view line, ParsedLine& out);
  // A line that is no JSON object.
  [[nodiscard]] std::optional<LineTime> time_of(std::string_view line) const;
  static void describe(std::string_view line, ParsedLine& out);  // out.time is set

 private:
  struct Json;
  TimeContext context_;
  std::string time_field_;
  std::unique_ptr<Json> json_;
};

}  // namespace sworn::audit::logs
