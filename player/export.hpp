// SPDX-License-Identifier: Apache-2.0
// Copies of a recording in other formats. Every one says that it is derived, from which session and
// root, and what verification said about the source; none is evidence. Streaming: memory does not
// grow with the recording. The sink gets the bytes in order; its error ends the export.
#pragma once

#include "base/result.hpp"
#include "player/recording.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sworn::player {

enum class ExportFormat : std::uint8_t { asciicast2, asciicast3, text, raw, jsonl, html, svg };
// "asciicast" is version 3.
std::optional<ExportFormat> export_format_from_name(std::string_view name);
std::string_view name_of(ExportFormat format);
// The bytes may obey a terminal: they must not be written to one.
bool is_raw(ExportFormat format);

using ExportSink = std::function<Result<void>(std::string_view)>;

struct ExportOptions {
  ExportFormat format = ExportFormat::text;
  std::optional<std::string> from;  // places as for parse_place(); svg: the moment is `to`
  std::optional<std::string> to;
  bool verify = true;  // else the copy says that the source was not verified
};

struct ExportReport {
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;           // written to the sink
  std::uint64_t replaced_bytes = 0;  // that were no UTF-8 and became U+FFFD
  std::string verdict;
};

Result<ExportReport> export_recording(const std::string& file, const ExportOptions& options,
                                      const ExportSink& sink);

// What every exporter is given.
struct ExportSource {
  const Recording& recording;
  std::string verdict;     // "SELF-CONSISTENT", "not verified", ...
  std::string root;        // hex, of the last valid seal; empty without verification
  std::uint64_t from = 0;  // positions
  std::uint64_t to = 0;
  MonoTime t_from;  // time zero of the copy
  MonoTime t_to;
  format::ClockMap clock;

  [[nodiscard]] Result<std::unique_ptr<EventSource>> open() const;
  // "derived copy of session ..., root ..., verdict ..., made by sworn ..."
  [[nodiscard]] std::string provenance() const;
};

Result<void> export_asciicast(const ExportSource& source, int version, const ExportSink& sink,
                              ExportReport& report);
Result<void> export_text(const ExportSource& source, const ExportSink& sink, ExportReport& report);
Result<void> export_raw(const ExportSource& source, const ExportSink& sink, ExportReport& report);
Result<void> export_jsonl(const ExportSource& source, const ExportSink& sink, ExportReport& report);
Result<void> export_html(const ExportSource& source, const ExportSink& sink, ExportReport& report);
Result<void> export_svg(const ExportSource& source, const ExportSink& sink, ExportReport& report);

}  // namespace sworn::player
