// SPDX-License-Identifier: Apache-2.0
// What can be known of one log line: when, how bad, whose. Text lines by log_timestamp and
// severity; JSON lines by their fields (journald's JSON, ECS, and the usual names). Takes hostile
// bytes; never fails: what is not there stays empty. Views point into the line, or into the parser
// until its next call. One thread.
#pragma once

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
  std::optional<std::int64_t> pid;
  std::optional<std::int64_t> audit_ses;
  std::optional<std::int64_t> loginuid;
  std::optional<std::int64_t> uid;
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

 private:
  struct Json;
  TimeContext context_;
  std::string time_field_;
  std::unique_ptr<Json> json_;
};

}  // namespace sworn::audit::logs
