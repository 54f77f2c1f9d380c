// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/log_index.hpp"

#include <algorithm>
#include <utility>

namespace sworn::audit::logs {
namespace {

constexpr std::size_t k_max_reasons = 100'000;

}  // namespace

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

LogIndexBuilder::LogIndexBuilder(LogPlacement placement, SessionLineage lineage)
    : placement_(std::move(placement)), lineage_(std::move(lineage)) {}

Result<void> LogIndexBuilder::add(std::unique_ptr<ByteStream> stream,
                                  const LogSourceOptions& options) {
  if (placement_.clock.empty()) {
    return fail(Errc::bad_usage, "the recording has no clock to place log lines on");
  }
  LogPlacer placer(placement_, static_cast<std::uint32_t>(index_.sources_.size()), options);
  LineReader reader(std::move(stream));
  std::vector<PlacedLine> placed;
  Result<void> result;
  while (true) {
    auto line = reader.next();
    if (!line) {  // what came before stays
      placer.info().error = describe(line.error());
      result = tl::make_unexpected(std::move(line).error());
      break;
    }
    if (!*line) {
      break;
    }
    placer.take(**line, placed);
    for (auto& one : placed) {
      store(placer.info(), std::move(one));
    }
    placed.clear();
  }
  placer.end(placed);
  for (auto& one : placed) {
    store(placer.info(), std::move(one));
  }
  placer.info().bytes = reader.bytes_read();
  index_.sources_.push_back(placer.info());
  return result;
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

void LogIndexBuilder::store(LogSourceInfo& info, PlacedLine&& line) {
  if (index_.entries_.size() >= k_max_entries ||
      index_.texts_.size() + line.text.size() > k_max_text) {
    ++info.left_out;
    --info.kept;
    return;
  }
  line.entry.text_at = index_.texts_.size();
  line.entry.text_size = static_cast<std::uint32_t>(line.text.size());
  index_.texts_ += line.text;
  index_.entries_.push_back(line.entry);
  who_.push_back(line.who);
}

LogIndex LogIndexBuilder::finish() {
  auto& entries = index_.entries_;
  std::vector<std::uint32_t> order(entries.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    order[i] = i;
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return entries[a].t < entries[b].t; });
  Lineage lineage(lineage_, placement_.window.from, placement_.window.to);
  for (const auto i : order) {
    lineage.learn(who_[i], entries[i].t, entries[i].until);
  }
  std::vector<LogEntry> sorted;
  sorted.reserve(entries.size());
  for (const auto i : order) {
    auto& entry = entries[i];
    auto verdict = lineage.relate(who_[i], entry.t, entry.until, index_.text(entry));
    entry.relation = verdict.relation;
    entry.why_at = reason(std::move(verdict.why));
    sorted.push_back(entry);
  }
  entries = std::move(sorted);
  who_.clear();
  return std::exchange(index_, LogIndex());
}

}  // namespace sworn::audit::logs
