// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/log_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sworn::audit::logs {
namespace {

constexpr std::size_t k_max_pids = 100'000;
constexpr std::size_t k_max_reasons = 100'000;

bool outside(MonoTime t, MonoTime until, const LogWindow& window) {
  return until.us < window.from.us - window.margin_us || t.us > window.to.us + window.margin_us;
}

}  // namespace

std::string_view name_of(LogRelation relation) {
  constexpr std::array<std::string_view, 4> k_names{"this_session", "same_user", "host", "unknown"};
  return k_names[static_cast<std::size_t>(relation) % k_names.size()];
}

std::string_view LogIndex::text(const LogEntry& entry) const {
  return std::string_view(texts_).substr(entry.text_at, entry.text_size);
}
std::string_view LogIndex::why(const LogEntry& entry) const {
  return reasons_[entry.why_at];
}

std::size_t LogIndex::lower_bound(MonoTime t) const {
  const auto found =
      std::lower_bound(entries_.begin(), entries_.end(), t,
                       [](const LogEntry& entry, MonoTime value) { return entry.t < value; });
  return static_cast<std::size_t>(found - entries_.begin());
}

std::span<const LogEntry> LogIndex::between(MonoTime from, MonoTime to) const {
  const auto first = lower_bound(from);
  const auto last = std::max(first, lower_bound(to));
  return std::span(entries_).subspan(first, last - first);
}

std::optional<std::size_t> LogIndex::next_trouble(MonoTime t, LogSeverity at_least) const {
  for (auto i = lower_bound({t.us + 1}); i < entries_.size(); ++i) {
    if (entries_[i].severity >= at_least) {
      return i;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> LogIndex::previous_trouble(MonoTime t, LogSeverity at_least) const {
  for (auto i = lower_bound(t); i > 0; --i) {
    if (entries_[i - 1].severity >= at_least) {
      return i - 1;
    }
  }
  return std::nullopt;
}

struct LogIndexBuilder::Source {
  std::uint32_t number = 0;
  const LogSourceOptions* options = nullptr;
  LogSourceInfo info;
  LineParser parser;
  RecordAssembler assembler;
  std::vector<AuditEvent> events;
  WallTime newest{INT64_MIN};
  // The entry that lines without a time belong to: kept, or (false) outside of the window.
  bool has_previous = false;
  bool previous_kept = false;
  std::size_t joined = 0;
};

LogIndexBuilder::LogIndexBuilder(format::ClockMap clock, LogWindow window, SessionLineage lineage)
    : clock_(std::move(clock)), window_(window), lineage_(std::move(lineage)) {}

Result<void> LogIndexBuilder::add(std::unique_ptr<ByteStream> stream,
                                  const LogSourceOptions& options) {
  if (clock_.empty()) {
    return fail(Errc::bad_usage, "the recording has no clock to place log lines on");
  }
  const TimeContext context{clock_.to_wall(window_.to), options.zone};
  Source source{static_cast<std::uint32_t>(index_.sources_.size()),
                &options,
                {},
                LineParser(context, options.time_field),
                {},
                {},
                {INT64_MIN},
                false,
                false,
                0};
  source.info.name = options.name;
  LineReader reader(std::move(stream));
  Result<void> result;
  while (true) {
    auto line = reader.next();
    if (!line) {  // what came before stays
      result = tl::make_unexpected(std::move(line).error());
      break;
    }
    if (!*line) {
      break;
    }
    ++source.info.lines;
    add_line(source, **line);
  }
  source.assembler.flush(source.events);
  for (const auto& event : source.events) {
    add_audit_event(source, event, source.info.lines);
  }
  index_.sources_.push_back(std::move(source.info));
  return result;
}

void LogIndexBuilder::add_line(Source& source, const RawLine& line) {
  auto parsed = source.parser.parse(line.text);
  if (!parsed.time) {
    join(source, line);
    return;
  }
  if (source.info.format == LineFormat::unknown) {
    source.info.format = parsed.time->format;
  }
  source.info.guessed_year |= parsed.time->guessed_year;
  source.info.guessed_zone |= parsed.time->guessed_zone;
  if (parsed.time->format == LineFormat::auditd) {
    if (auto record = parse_audit_record(line.text)) {
      source.assembler.add(std::move(*record), source.events);
      for (const auto& event : source.events) {
        add_audit_event(source, event, line.number);
      }
      source.events.clear();
      return;
    }
  }
  const auto time = *parsed.time;
  const auto text = time.format == LineFormat::json ? parsed.message : line.text;
  place(source, time, parsed, line, text);
}

void LogIndexBuilder::place(Source& source, const LineTime& time, ParsedLine parsed,
                            const RawLine& line, std::string_view text) {
  LogEntry entry;
  entry.source = source.number;
  entry.line = line.number;
  entry.cut = line.cut;
  entry.guessed = time.guessed_year || time.guessed_zone;
  entry.severity = parsed.severity;
  if (time.from_boot) {
    entry.t = {time.at.us + source.options->offset_us};
    entry.until = {entry.t.us + time.resolution_us - 1};
    entry.wall = clock_.to_wall(entry.t);
  } else {
    entry.wall = {time.at.us + source.options->offset_us};
    entry.t = clock_.to_mono(entry.wall);
    entry.until = std::max(entry.t, clock_.to_mono({entry.wall.us + time.resolution_us - 1}));
  }
  entry.out_of_order = entry.wall < source.newest;
  source.newest = std::max(source.newest, entry.wall);
  source.has_previous = true;
  source.joined = 0;
  source.previous_kept = false;
  if (outside(entry.t, entry.until, window_)) {
    ++source.info.outside;
    return;
  }
  relate(entry, parsed, std::nullopt);
  source.previous_kept = store(source, entry, text);
}

void LogIndexBuilder::add_audit_event(Source& source, const AuditEvent& event, std::uint64_t line) {
  LogEntry entry;
  entry.source = source.number;
  entry.line = line;
  entry.cut = event.cut;
  entry.wall = {event.at.us + source.options->offset_us};
  entry.t = clock_.to_mono(entry.wall);
  entry.until = std::max(entry.t, clock_.to_mono({entry.wall.us + k_auditd_resolution_us - 1}));
  source.has_previous = true;
  source.previous_kept = false;
  if (outside(entry.t, entry.until, window_)) {
    ++source.info.outside;
    return;
  }
  ParsedLine parsed;
  parsed.pid = event.number("pid");
  parsed.audit_ses = event.number("ses");
  parsed.loginuid = event.number("auid");
  parsed.uid = event.number("uid");
  const auto* success = event.field("success");
  const auto* res = event.field("res");
  for (const auto& record : event.records) {
    if (record.type.starts_with("ANOM_")) {
      entry.severity = LogSeverity::error;
    } else if (entry.severity == LogSeverity::normal &&
               record.words.find("denied") != std::string::npos) {
      entry.severity = LogSeverity::warning;
    }
  }
  if (entry.severity == LogSeverity::normal &&
      ((success != nullptr && success->value == "no") ||
       (res != nullptr && (res->value == "failed" || res->value == "0")))) {
    entry.severity = LogSeverity::warning;
  }
  relate(entry, parsed, event.number("ppid"));
  store(source, entry, event.summary());
}

// A line without a time belongs to the one before it (a stack trace), up to a limit; then it
// becomes an entry of its own with that one's time.
void LogIndexBuilder::join(Source& source, const RawLine& line) {
  if (line.text.empty()) {
    return;
  }
  if (!source.has_previous) {
    ++source.info.no_time;
    return;
  }
  if (!source.previous_kept || index_.entries_.empty()) {
    ++source.info.outside;
    return;
  }
  auto& previous = index_.entries_.back();
  const auto room = LogIndexBuilder::k_max_text - index_.texts_.size();
  if (line.text.size() + 1 > room) {
    ++source.info.left_out;
    return;
  }
  if (source.joined + line.text.size() > k_max_joined) {
    auto entry = previous;
    entry.line = line.number;
    entry.inherited_time = true;
    entry.cut = line.cut;
    entry.severity = severity_of_text(line.text);
    source.joined = 0;
    store(source, entry, line.text);
    return;
  }
  index_.texts_ += '\n';
  index_.texts_ += line.text;
  previous.text_size += static_cast<std::uint32_t>(line.text.size() + 1);
  previous.cut = previous.cut || line.cut;
  previous.severity = std::max(previous.severity, severity_of_text(line.text));
  source.joined += line.text.size() + 1;
}

void LogIndexBuilder::relate(LogEntry& entry, const ParsedLine& parsed,
                             std::optional<std::int64_t> ppid) {
  const auto is = [](const std::optional<std::int64_t>& got, std::uint32_t known) {
    return got && known != SessionLineage::k_unset && *got == static_cast<std::int64_t>(known);
  };
  const bool known_pid = parsed.pid && lineage_.pids.contains(*parsed.pid);
  const bool known_parent = ppid && lineage_.pids.contains(*ppid);
  const bool during =
      entry.until >= window_.from && entry.t <= window_.to;  // numbers are used again later
  if (is(parsed.audit_ses, lineage_.audit_ses)) {
    entry.relation = LogRelation::this_session;
    entry.why_at = reason(fmt::format("ses {}", *parsed.audit_ses));
  } else if (during && known_pid) {
    entry.relation = LogRelation::this_session;
    entry.why_at = reason(fmt::format("pid {}", *parsed.pid));
  } else if (during && known_parent) {
    entry.relation = LogRelation::this_session;
    entry.why_at = reason(fmt::format("child of {}", *ppid));
  } else if (is(parsed.loginuid, lineage_.loginuid)) {
    entry.relation = LogRelation::same_user;
    entry.why_at = reason(fmt::format("loginuid {}", *parsed.loginuid));
  } else if (is(parsed.uid, lineage_.uid) && lineage_.uid != 0) {  // root is many people
    entry.relation = LogRelation::same_user;
    entry.why_at = reason(fmt::format("uid {}", *parsed.uid));
  } else if (parsed.audit_ses || parsed.loginuid || parsed.uid || parsed.pid) {
    entry.relation = LogRelation::host;
  }
  if (entry.relation == LogRelation::this_session && parsed.pid &&
      lineage_.pids.size() < k_max_pids) {
    lineage_.pids.insert(*parsed.pid);
  }
}

std::uint32_t LogIndexBuilder::reason(std::string text) {
  auto& all = index_.reasons_;
  if (all.back() == text) {  // the usual case: neighbours have the same
    return static_cast<std::uint32_t>(all.size() - 1);
  }
  const auto start = all.size() > 64 ? all.size() - 64 : 0;
  const auto found = std::find(all.begin() + static_cast<std::ptrdiff_t>(start), all.end(), text);
  if (found != all.end()) {
    return static_cast<std::uint32_t>(found - all.begin());
  }
  if (all.size() >= k_max_reasons) {
    return 0;
  }
  all.push_back(std::move(text));
  return static_cast<std::uint32_t>(all.size() - 1);
}

bool LogIndexBuilder::store(Source& source, LogEntry entry, std::string_view text) {
  if (index_.entries_.size() >= k_max_entries || index_.texts_.size() + text.size() > k_max_text) {
    ++source.info.left_out;
    return false;
  }
  entry.text_at = index_.texts_.size();
  entry.text_size = static_cast<std::uint32_t>(text.size());
  index_.texts_ += text;
  index_.entries_.push_back(entry);
  ++source.info.kept;
  return true;
}

LogIndex LogIndexBuilder::finish() {
  std::stable_sort(index_.entries_.begin(), index_.entries_.end(),
                   [](const LogEntry& a, const LogEntry& b) { return a.t < b.t; });
  return std::exchange(index_, LogIndex());
}

}  // namespace sworn::audit::logs
