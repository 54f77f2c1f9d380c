// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/line_parser.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace sworn::audit::logs {
namespace {

namespace od = simdjson::ondemand;

constexpr std::int64_t k_unset_id = 4'294'967'295;  // how the kernel writes "no loginuid"

enum class JsonKey : std::uint8_t {
  none,
  time,
  level,
  message,
  pid,
  ses,
  loginuid,
  uid,
  log,
  process,
  // Only the journal writes names that begin with an underscore.
  journal_time,
  journal_pid,
  journal_ses,
  journal_loginuid,
  journal_uid,
  journal_cgroup,
  journal_monotonic,
  journal_boot,
  program,
};

struct KeyName {
  std::string_view name;
  JsonKey key;
};
constexpr std::array k_keys{
    KeyName{"@timestamp", JsonKey::time},
    KeyName{"Level", JsonKey::level},
    KeyName{"MESSAGE", JsonKey::message},
    KeyName{"Message", JsonKey::message},
    KeyName{"PRIORITY", JsonKey::level},
    KeyName{"SYSLOG_IDENTIFIER", JsonKey::program},
    KeyName{"Timestamp", JsonKey::time},
    KeyName{"_AUDIT_LOGINUID", JsonKey::journal_loginuid},
    KeyName{"_AUDIT_SESSION", JsonKey::journal_ses},
    KeyName{"_BOOT_ID", JsonKey::journal_boot},
    KeyName{"_PID", JsonKey::journal_pid},
    KeyName{"_SYSTEMD_CGROUP", JsonKey::journal_cgroup},
    KeyName{"_UID", JsonKey::journal_uid},
    KeyName{"__MONOTONIC_TIMESTAMP", JsonKey::journal_monotonic},
    KeyName{"__REALTIME_TIMESTAMP", JsonKey::journal_time},
    KeyName{"auid", JsonKey::loginuid},
    KeyName{"date", JsonKey::time},
    KeyName{"datetime", JsonKey::time},
    KeyName{"eventTime", JsonKey::time},
    KeyName{"level", JsonKey::level},
    KeyName{"levelname", JsonKey::level},
    KeyName{"log", JsonKey::log},
    KeyName{"log.level", JsonKey::level},
    KeyName{"lvl", JsonKey::level},
    KeyName{"message", JsonKey::message},
    KeyName{"msg", JsonKey::message},
    KeyName{"pid", JsonKey::pid},
    KeyName{"process", JsonKey::process},
    KeyName{"process.pid", JsonKey::pid},
    KeyName{"ses", JsonKey::ses},
    KeyName{"severity", JsonKey::level},
    KeyName{"time", JsonKey::time},
    KeyName{"timestamp", JsonKey::time},
    KeyName{"ts", JsonKey::time},
    KeyName{"uid", JsonKey::uid},
};
static_assert(std::is_sorted(k_keys.begin(), k_keys.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));

JsonKey key_of(std::string_view name) {
  const auto found =
      std::lower_bound(k_keys.begin(), k_keys.end(), name,
                       [](const auto& one, std::string_view value) { return one.name < value; });
  return found == k_keys.end() || found->name != name ? JsonKey::none : found->key;
}

// "/user.slice/user-1000.slice/session-5.scope": the 5.
std::optional<std::int64_t> scope_number(std::string_view cgroup) {
  constexpr std::string_view k_mark = "/session-";
  const auto at = cgroup.find(k_mark);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const auto rest = cgroup.substr(at + k_mark.size());
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  const auto behind = rest.substr(static_cast<std::size_t>(end - rest.data()));
  return ec == std::errc{} && (behind == ".scope" || behind.starts_with(".scope/"))
             ? std::optional(value)
             : std::nullopt;
}

std::optional<std::int64_t> to_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  return ec == std::errc{} && end == text.data() + text.size() ? std::optional(value)
                                                               : std::nullopt;
}

// "su[13909]:" behind the time of a syslog line.
std::optional<std::int64_t> syslog_pid(std::string_view rest) {
  rest = rest.substr(0, 160);
  const auto colon = rest.find(": ");
  const auto close =
      colon == std::string_view::npos || colon == 0 ? std::string_view::npos : colon - 1;
  if (close == std::string_view::npos || rest[close] != ']') {
    return std::nullopt;
  }
  const auto open = rest.rfind('[', close);
  return open == std::string_view::npos ? std::nullopt
                                        : to_number(rest.substr(open + 1, close - open - 1));
}

// " HOST APP-NAME PROCID MSGID ..." of RFC 5424, behind the time.
std::optional<std::int64_t> procid(std::string_view rest) {
  for (int field = 0; field < 2; ++field) {
    const auto end = rest.find(' ', 1);
    if (end == std::string_view::npos) {
      return std::nullopt;
    }
    rest.remove_prefix(end);
  }
  return to_number(rest.substr(1, rest.find(' ', 1) - 1));
}

// '"GET / HTTP/1.1" 404 153': the number behind the request.
LogSeverity access_severity(std::string_view line) {
  const auto open = line.find('"');
  const auto close = open == std::string_view::npos ? open : line.find("\" ", open + 1);
  if (close == std::string_view::npos || close + 5 > line.size()) {
    return LogSeverity::normal;
  }
  const auto status = to_number(line.substr(close + 2, 3));
  return status ? severity_of_http(static_cast<unsigned>(std::clamp<std::int64_t>(*status, 0, 999)))
                : LogSeverity::normal;
}

// "<37>": the level is the lowest three bits.
std::optional<LogSeverity> priority_severity(std::string_view line) {
  const auto end = line.substr(0, 5).find('>');
  if (line.empty() || line[0] != '<' || end == std::string_view::npos) {
    return std::nullopt;
  }
  const auto number = to_number(line.substr(1, end - 1));
  return number && *number >= 0
             ? std::optional(severity_of_syslog(static_cast<unsigned>(*number) & 7U))
             : std::nullopt;
}

// "level=warn" in logfmt and alike.
std::optional<LogSeverity> field_severity(std::string_view line) {
  line = line.substr(0, k_severity_bytes);
  for (const std::string_view name : {"level=", "lvl=", "severity="}) {
    const auto at = line.find(name);
    if (at == std::string_view::npos || (at > 0 && line[at - 1] != ' ')) {
      continue;
    }
    auto value = line.substr(at + name.size());
    if (value.starts_with('"')) {
      value.remove_prefix(1);
    }
    return severity_of_level(value.substr(0, value.find_first_of(" \"")));
  }
  return std::nullopt;
}

LogSeverity auditd_severity(std::string_view line) {
  if (line.find("type=ANOM_") != std::string_view::npos) {
    return LogSeverity::error;
  }
  for (const auto* mark : {" success=no", "res=failed", "res=0", "denied"}) {
    if (line.find(mark) != std::string_view::npos) {
      return LogSeverity::warning;
    }
  }
  return LogSeverity::normal;
}

std::string_view trimmed_left(std::string_view text) {
  const auto start = text.find_first_not_of(" \t");
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

}  // namespace

struct LineParser::Json {
  od::parser parser;
  std::string padded;
  std::string message;
  std::string program;
  std::string boot_id;

  bool parse(std::string_view line, const TimeContext& context, std::string_view time_field,
             ParsedLine& out);

 private:
  void object(od::object fields, const TimeContext& context, std::string_view time_field, int depth,
              ParsedLine& out);
  void value(JsonKey key, od::value& value, const TimeContext& context, ParsedLine& out);
  void nested(JsonKey key, od::value& value, const TimeContext& context, int depth,
              ParsedLine& out);
  static std::string_view scalar(od::value& value);
  bool has_level_ = false;
  bool journal_ = false;
};

// Strings unescaped, numbers as written; empty for everything else.
std::string_view LineParser::Json::scalar(od::value& value) {
  od::json_type type{};
  if (value.type().get(type) != simdjson::SUCCESS) {
    return {};
  }
  std::string_view text;
  if (type == od::json_type::string) {
    return value.get_string().get(text) == simdjson::SUCCESS ? text : std::string_view{};
  }
  if (type == od::json_type::number) {
    text = value.raw_json_token();
    const auto end = text.find_last_not_of(" \t\r\n");
    return end == std::string_view::npos ? std::string_view{} : text.substr(0, end + 1);
  }
  return {};
}

void LineParser::Json::value(JsonKey key, od::value& value, const TimeContext& context,
                             ParsedLine& out) {
  const auto text = scalar(value);
  const auto id = [&](std::optional<std::int64_t>& field) {
    const auto number = to_number(text);
    if (!field && number && *number >= 0 && *number != k_unset_id) {
      field = number;
    }
  };
  switch (key) {
    case JsonKey::time:
    case JsonKey::journal_time:
      journal_ |= key == JsonKey::journal_time;
      if (!out.time || key == JsonKey::journal_time) {
        out.time = parse_time_value(text, context);
        if (out.time) {
          out.time->format = LineFormat::json;
        }
      }
      break;
    case JsonKey::level:
      if (const auto severity = severity_of_level(text); severity && !has_level_) {
        out.severity = *severity;
        has_level_ = true;
      }
      break;
    case JsonKey::message:
      if (message.empty()) {
        message = text;
      }
      break;
    case JsonKey::program:
      program = text;
      break;
    case JsonKey::pid:
    case JsonKey::journal_pid:
      id(out.who.pid);
      break;
    case JsonKey::ses:
    case JsonKey::journal_ses:
      id(out.who.ses);
      break;
    case JsonKey::loginuid:
    case JsonKey::journal_loginuid:
      id(out.who.loginuid);
      break;
    case JsonKey::uid:
    case JsonKey::journal_uid:
      id(out.who.uid);
      break;
    case JsonKey::journal_cgroup:
      out.who.scope = scope_number(text);
      break;
    case JsonKey::journal_monotonic:
      out.monotonic_us = to_number(text);
      break;
    case JsonKey::journal_boot:
      boot_id = text;
      break;
    default:
      break;
  }
}

// ECS in its nested form: log.level, process.pid.
void LineParser::Json::nested(JsonKey key, od::value& value, const TimeContext& context, int depth,
                              ParsedLine& out) {
  od::object inner;
  if (depth > 0 || value.get_object().get(inner) != simdjson::SUCCESS) {
    return;
  }
  for (auto field : inner) {
    std::string_view name;
    od::value inside;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS ||
        field.value().get(inside) != simdjson::SUCCESS) {
      return;
    }
    if (key == JsonKey::log && name == "level") {
      this->value(JsonKey::level, inside, context, out);
    } else if (key == JsonKey::process && name == "pid") {
      this->value(JsonKey::pid, inside, context, out);
    }
  }
}

void LineParser::Json::object(od::object fields, const TimeContext& context,
                              std::string_view time_field, int depth, ParsedLine& out) {
  for (auto field : fields) {
    std::string_view name;
    od::value inside;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS ||
        field.value().get(inside) != simdjson::SUCCESS) {
      return;
    }
    auto key = key_of(name);
    if (!time_field.empty()) {
      key = name == time_field ? JsonKey::time : key == JsonKey::time ? JsonKey::none : key;
    }
    od::json_type type{};
    if (key == JsonKey::none || inside.type().get(type) != simdjson::SUCCESS) {
      continue;
    }
    if (type == od::json_type::object) {
      nested(key, inside, context, depth, out);
    } else {
      value(key == JsonKey::log ? JsonKey::message : key, inside, context, out);
    }
  }
}

bool LineParser::Json::parse(std::string_view line, const TimeContext& context,
                             std::string_view time_field, ParsedLine& out) {
  message.clear();
  program.clear();
  boot_id.clear();
  has_level_ = false;
  journal_ = false;
  padded.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  padded.assign(line);
  od::document document;
  od::object fields;
  if (parser.iterate(padded.data(), padded.size(), padded.capacity()).get(document) !=
          simdjson::SUCCESS ||
      document.get_object().get(fields) != simdjson::SUCCESS) {
    return false;
  }
  object(fields, context, time_field, 0, out);
  out.message = message.empty() ? line : std::string_view(message);
  out.program = program;
  out.boot_id = boot_id;
  out.who.vouched = journal_;
  if (!has_level_) {
    out.severity = severity_of_text(out.message);
  }
  return true;
}

LineParser::LineParser(TimeContext context, std::string time_field)
    : context_(std::move(context)),
      time_field_(std::move(time_field)),
      json_(std::make_unique<Json>()) {}
LineParser::~LineParser() = default;
LineParser::LineParser(LineParser&&) noexcept = default;
LineParser& LineParser::operator=(LineParser&&) noexcept = default;

bool LineParser::parse_json(std::string_view line, ParsedLine& out) {
  return trimmed_left(line).starts_with('{') && json_->parse(line, context_, time_field_, out);
}

std::optional<LineTime> LineParser::time_of(std::string_view line) const {
  return parse_line_time(line, context_);
}

void LineParser::describe(std::string_view line, ParsedLine& out) {
  switch (out.time->format) {
    case LineFormat::auditd:
      out.severity = auditd_severity(line);
      break;
    case LineFormat::access:
      out.severity = access_severity(line);
      break;
    default:
      if (const auto stated = priority_severity(line)) {
        out.severity = *stated;
      } else if (const auto level = field_severity(line)) {
        out.severity = *level;
      } else {
        out.severity = severity_of_text(line.substr(out.time->end));
      }
      if (out.time->format == LineFormat::syslog || out.time->format == LineFormat::iso) {
        out.who.pid = syslog_pid(line.substr(out.time->end));
      } else if (out.time->format == LineFormat::syslog_5424) {
        out.who.pid = procid(line.substr(out.time->end));
      }
  }
}

ParsedLine LineParser::parse(std::string_view line) {
  ParsedLine out;
  out.message = line;
  if (parse_json(line, out)) {
    return out;
  }
  out.time = time_of(line);
  if (!out.time) {
    out.severity = severity_of_text(line);
    return out;
  }
  describe(line, out);
  return out;
}

}  // namespace sworn::audit::logs
