// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/log_merge.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace sworn::audit::logs {

LogMerge::LogMerge(LogPlacement placement, SessionLineage lineage)
    : placement_(std::move(placement)),
      lineage_(std::move(lineage), placement_.window.from, placement_.window.to) {}

void LogMerge::add(std::unique_ptr<ByteStream> stream, LogSourceOptions options) {
  sources_.push_back(std::make_unique<Source>(std::move(stream), placement_,
                                              static_cast<std::uint32_t>(sources_.size()),
                                              std::move(options)));
}

void LogMerge::take_in(Source& source) {
  for (auto& line : placed_) {
    lineage_.learn(line.who, line.entry.t, line.entry.until);
    source.waiting_bytes += line.text.size();
    // Nearly always behind the last one.
    auto at = source.waiting.end();
    while (at != source.waiting.begin() && std::prev(at)->entry.t > line.entry.t) {
      --at;
    }
    source.waiting.insert(at, std::move(line));
  }
  placed_.clear();
}

void LogMerge::advance(Source& source, MonoTime t) {
  while (!source.ended && source.waiting.size() < k_max_waiting &&
         source.waiting_bytes < k_max_waiting_bytes &&
         !(source.placer.position() && *source.placer.position() > t)) {
    auto line = source.reader.next();
    if (line && *line) {
      source.placer.take(**line, placed_);
      take_in(source);
      continue;
    }
    if (!line) {
      source.placer.info().error = describe(line.error());
    }
    source.placer.end(placed_);
    take_in(source);
    source.ended = true;
  }
  source.placer.info().bytes = source.reader.bytes_read();
}

std::optional<MergedLine> LogMerge::next() {
  // Every source needs an entry to compare, or its end.
  for (auto& source : sources_) {
    while (source->waiting.empty() && !source->ended) {
      const auto position = source->placer.position().value_or(MonoTime{INT64_MIN / 4});
      advance(*source, position);
    }
  }
  Source* first = nullptr;
  for (auto& source : sources_) {
    if (!source->waiting.empty() &&
        (first == nullptr || source->waiting.front().entry.t < first->waiting.front().entry.t)) {
      first = source.get();
    }
  }
  if (first == nullptr) {
    return std::nullopt;
  }
  const MonoTime reach{first->waiting.front().entry.until.us + k_lookahead_us};
  for (auto& source : sources_) {
    advance(*source, reach);
  }
  for (auto& source : sources_) {  // reading on may have brought an earlier one
    if (!source->waiting.empty() &&
        source->waiting.front().entry.t < first->waiting.front().entry.t) {
      first = source.get();
    }
  }
  auto line = std::move(first->waiting.front());
  first->waiting.pop_front();
  first->waiting_bytes -= line.text.size();
  auto verdict = lineage_.relate(line.who, line.entry.t, line.entry.until, line.text);
  line.entry.relation = verdict.relation;
  return MergedLine{line.entry, std::move(line.text), std::move(verdict.why)};
}

std::uint64_t LogMerge::bytes_read() const {
  std::uint64_t bytes = 0;
  for (const auto& source : sources_) {
    bytes += source->reader.bytes_read();
  }
  return bytes;
}

}  // namespace sworn::audit::logs
