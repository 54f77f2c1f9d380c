// SPDX-License-Identifier: Apache-2.0
// Any number of log sources as one stream of entries in the order of the session's clock, in
// bounded memory: sources of many gigabytes are read once, side by side, and never held. An entry
// is given out when every source has come two seconds further, so that small disorder is mended and
// what one source tells of a process (auditd) serves the lines of another (syslog). One thread.
#pragma once

#include "audit/logs/decompress.hpp"
#include "audit/logs/line_reader.hpp"
#include "audit/logs/lineage.hpp"
#include "audit/logs/log_placer.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sworn::audit::logs {

struct MergedLine {
  LogEntry entry;  // relation decided; why_at and the text fields unused
  std::string text;
  std::string why;
};

class LogMerge {
 public:
  static constexpr std::int64_t k_lookahead_us = 2'000'000;
  static constexpr std::size_t k_max_waiting = 50'000;            // entries of one source
  static constexpr std::size_t k_max_waiting_bytes = 16U << 20U;  // of their texts

  LogMerge(LogPlacement placement, SessionLineage lineage);

  void add(std::unique_ptr<ByteStream> stream, LogSourceOptions options);

  // nullopt at the end. A source that breaks off ends there; its info says why.
  std::optional<MergedLine> next();

  [[nodiscard]] std::size_t source_count() const { return sources_.size(); }
  [[nodiscard]] const LogSourceInfo& source(std::size_t i) const {
    return sources_[i]->placer.info();
  }
  [[nodiscard]] std::uint64_t bytes_read() const;

 private:
  struct Source {
    Source(std::unique_ptr<ByteStream> stream, const LogPlacement& placement, std::uint32_t number,
           LogSourceOptions options)
        : reader(std::move(stream)), placer(placement, number, std::move(options)) {}
    LineReader reader;
    LogPlacer placer;
    std::deque<PlacedLine> waiting;  // by t; lines of one moment as they stand in the source
    std::size_t waiting_bytes = 0;
    bool ended = false;
  };
  // Reads until the source has come to `t`, has enough waiting, or is at its end.
  void advance(Source& source, MonoTime t);
  void take_in(Source& source);

  LogPlacement placement_;
  Lineage lineage_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<PlacedLine> placed_;
};

}  // namespace sworn::audit::logs
