// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/log_placer.hpp"

#include <algorithm>
#include <utility>

namespace sworn::audit::logs {
namespace {

// "6f1c2f0e-0000-4000-8000-000000000001" and the journal's form without dashes are one boot.
bool same_boot(std::string_view a, std::string_view b) {
  std::string left(a);
  std::string right(b);
  std::erase(left, '-');
  std::erase(right, '-');
  return !left.empty() && left == right;
}

LogSeverity severity_of(const AuditEvent& event) {
  auto severity = LogSeverity::normal;
  for (const auto& record : event.records) {
    if (record.type.starts_with("ANOM_")) {
      return LogSeverity::error;
    }
    if (record.words.find("denied") != std::string::npos) {
      severity = LogSeverity::warning;
    }
  }
  const auto* success = event.field("success");
  const auto* res = event.field("res");
  if ((success != nullptr && success->value == "no") ||
      (res != nullptr && (res->value == "failed" || res->value == "0"))) {
    severity = LogSeverity::warning;
  }
  return severity;
}

TimeContext context_of(const LogPlacement& placement, const LogSourceOptions& options) {
  return {placement.clock.to_wall(placement.window.to), options.zone};
}

}  // namespace

LogPlacer::LogPlacer(const LogPlacement& placement, std::uint32_t number, LogSourceOptions options)
    : window_(placement.window),
      boot_id_(placement.boot_id),
      number_(number),
      options_(std::move(options)),
      parser_(context_of(placement, options_), options_.time_field),
      track_(placement.clock),
      bounds_(track_.bounds({window_.from.us - window_.margin_us},
                            {window_.to.us + window_.margin_us})) {
  info_.name = options_.name;
  info_.offset_us = options_.offset_us;
  info_.anchors = options_.anchors;
  if (!options_.time_format.empty()) {
    format_ = TimeFormat::parse(options_.time_format, context_of(placement, options_));
  }
}

bool LogPlacer::outside(WallTime wall) const {
  return wall.us + 1'000'000 < bounds_.earliest.us || wall > bounds_.latest;
}

bool LogPlacer::outside(MonoTime t, MonoTime until) const {
  return until.us < window_.from.us - window_.margin_us || t.us > window_.to.us + window_.margin_us;
}

void LogPlacer::note(const LineTime& time) {
  if (info_.format == LineFormat::unknown) {
    info_.format = time.format;
  }
  info_.guessed_year |= time.guessed_year;
  info_.guessed_zone |= time.guessed_zone;
}

void LogPlacer::left_outside() {
  has_previous_ = true;
  joined_ = 0;
  ++info_.outside;
}

void LogPlacer::take(const RawLine& line, std::vector<PlacedLine>& out) {
  ++info_.lines;
  info_.cut += line.cut ? 1U : 0U;
  ParsedLine parsed;
  parsed.message = line.text;
  const bool json = parser_.parse_json(line.text, parsed);
  if (!json) {
    parsed.time = format_ ? format_->find(line.text) : parser_.time_of(line.text);
  }
  if (!parsed.time) {
    join(line, out);
    return;
  }
  auto time = *parsed.time;
  note(time);
  time.at.us += options_.offset_us;
  if (!time.from_boot && outside(time.at)) {
    // Placing it keeps the order of the source known across steps of the clock.
    const auto t = track_.place(time.at).t;
    position_ = std::max(position_.value_or(t), t);
    release(out);
    left_outside();
    return;
  }
  if (time.format == LineFormat::auditd) {
    if (auto record = parse_audit_record(line.text)) {
      release(out);
      assembler_.add(std::move(*record), events_);
      for (const auto& event : std::exchange(events_, {})) {
        put_audit_event(event, line.number, out);
      }
      has_previous_ = true;
      return;
    }
  }
  release(out);
  if (!json) {
    LineParser::describe(line.text, parsed);
  }
  parsed.time = time;
  place(time, parsed, line);
}

void LogPlacer::set_moment(LogEntry& entry, const LineTime& time, std::optional<MonoTime> near) {
  if (time.from_boot) {
    entry.t = time.at.us < 0 ? MonoTime{0} : MonoTime{time.at.us};
    entry.until = {entry.t.us + time.resolution_us - 1};
    return;
  }
  entry.wall = time.at;
  const auto moment = track_.place(entry.wall, near);
  entry.t = moment.t;
  entry.ambiguous = moment.ambiguous;
  entry.until = std::max(entry.t, track_.same_piece({entry.wall.us + time.resolution_us - 1}));
  entry.out_of_order = entry.wall < newest_ && !moment.ambiguous && track_.pieces() == 1;
  newest_ = std::max(newest_, entry.wall);
}

void LogPlacer::place(const LineTime& time, ParsedLine& parsed, const RawLine& line) {
  PlacedLine placed;
  auto& entry = placed.entry;
  entry.source = number_;
  entry.line = line.number;
  entry.cut = line.cut;
  entry.guessed = time.guessed_year || time.guessed_zone;
  entry.severity = parsed.severity;
  std::optional<MonoTime> near;
  if (parsed.monotonic_us && same_boot(parsed.boot_id, boot_id_)) {
    near = MonoTime{*parsed.monotonic_us};
  }
  set_moment(entry, time, near);
  position_ = std::max(position_.value_or(entry.t), entry.t);
  has_previous_ = true;
  joined_ = 0;
  if (outside(entry.t, entry.until)) {
    ++info_.outside;
    return;
  }
  info_.out_of_order += entry.out_of_order ? 1U : 0U;
  info_.ambiguous |= entry.ambiguous;
  placed.who = parsed.who;
  if (!parsed.program.empty()) {
    placed.text = parsed.program;
    if (parsed.who.pid) {
      placed.text += '[' + std::to_string(*parsed.who.pid) + ']';
    }
    placed.text += ": ";
  }
  placed.text += time.format == LineFormat::json ? parsed.message : line.text;
  pending_ = std::move(placed);
}

void LogPlacer::put_audit_event(const AuditEvent& event, std::uint64_t line,
                                std::vector<PlacedLine>& out) {
  PlacedLine placed;
  auto& entry = placed.entry;
  entry.source = number_;
  entry.line = line;
  entry.cut = event.cut;
  LineTime time;
  time.at = {event.at.us + options_.offset_us};
  time.resolution_us = k_auditd_resolution_us;
  set_moment(entry, time, std::nullopt);
  entry.out_of_order = false;  // events end in another order than they begin
  position_ = std::max(position_.value_or(entry.t), entry.t);
  if (outside(entry.t, entry.until)) {
    ++info_.outside;
    return;
  }
  info_.ambiguous |= entry.ambiguous;
  placed.who.pid = event.number("pid");
  placed.who.ppid = event.number("ppid");
  const auto id = [&](const char* name) {
    const auto value = event.number(name);
    return value && *value != SessionLineage::k_unset ? value : std::nullopt;
  };
  placed.who.ses = id("ses");
  placed.who.loginuid = id("auid");
  placed.who.uid = id("uid");
  placed.who.vouched = true;
  entry.severity = severity_of(event);
  placed.text = event.summary();
  ++info_.kept;
  out.push_back(std::move(placed));
}

// A line without a time belongs to the one before it (a stack trace), up to a limit; then it
// becomes an entry of its own with that one's time.
void LogPlacer::join(const RawLine& line, std::vector<PlacedLine>& out) {
  if (line.text.empty()) {
    return;
  }
  if (!has_previous_) {
    ++info_.no_time;
    return;
  }
  if (!pending_) {
    ++info_.outside;
    return;
  }
  if (line.text.size() + joined_ > k_max_joined) {
    PlacedLine next;
    next.entry = pending_->entry;
    next.who = pending_->who;
    next.entry.line = line.number;
    next.entry.inherited_time = true;
    next.entry.cut = line.cut;
    next.entry.severity = severity_of_text(line.text);
    next.text = line.text;
    release(out);
    joined_ = 0;
    pending_ = std::move(next);
    return;
  }
  pending_->text += '\n';
  pending_->text += line.text;
  pending_->entry.cut = pending_->entry.cut || line.cut;
  pending_->entry.severity = std::max(pending_->entry.severity, severity_of_text(line.text));
  joined_ += line.text.size() + 1;
}

void LogPlacer::release(std::vector<PlacedLine>& out) {
  if (pending_) {
    ++info_.kept;
    out.push_back(std::move(*pending_));
    pending_.reset();
  }
}

void LogPlacer::end(std::vector<PlacedLine>& out) {
  release(out);
  assembler_.flush(events_);
  for (const auto& event : std::exchange(events_, {})) {
    put_audit_event(event, info_.lines, out);
  }
}

}  // namespace sworn::audit::logs
