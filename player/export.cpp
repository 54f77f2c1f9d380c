// SPDX-License-Identifier: Apache-2.0
#include "player/export.hpp"

#include "format/trust.hpp"
#include "format/verify.hpp"
#include "player/position_spec.hpp"
#include "player/screen_dump.hpp"

#include <fmt/format.h>

#include <array>

namespace sworn::player {
namespace {

constexpr auto k_names = std::to_array<std::pair<std::string_view, ExportFormat>>({
    {"asciicast", ExportFormat::asciicast3},
    {"asciicast3", ExportFormat::asciicast3},
    {"asciicast2", ExportFormat::asciicast2},
    {"text", ExportFormat::text},
    {"raw", ExportFormat::raw},
    {"jsonl", ExportFormat::jsonl},
    {"html", ExportFormat::html},
    {"svg", ExportFormat::svg},
});

// The position that a place stands for.
struct End {
  std::uint64_t position = 0;
  MonoTime t;
};

Result<End> find_end(const Recording& recording, const std::string& place) {
  ScreenRequest request;
  request.at = place;
  TRY_ASSIGN(const auto placed, replay_at(recording, request));
  return End{placed.replay->position(), placed.replay->time()};
}

Result<void> limit_range(const ExportOptions& options, ExportSource& source) {
  if (options.from) {
    TRY_ASSIGN(const auto from, find_end(source.recording, *options.from));
    source.from = from.position;
    source.t_from = from.t;
  }
  if (options.to) {
    TRY_ASSIGN(const auto to, find_end(source.recording, *options.to));
    source.to = to.position;
    source.t_to = to.t;
  }
  if (source.from > source.to) {
    return fail(Errc::bad_usage, "the export ends before it begins");
  }
  return {};
}

}  // namespace

std::optional<ExportFormat> export_format_from_name(std::string_view name) {
  for (const auto& [text, format] : k_names) {
    if (text == name) {
      return format;
    }
  }
  return std::nullopt;
}

std::string_view name_of(ExportFormat format) {
  for (const auto& [text, value] : k_names) {
    if (value == format && text != "asciicast") {
      return text;
    }
  }
  return "";
}

bool is_raw(ExportFormat format) {
  return format == ExportFormat::raw;
}

Result<std::unique_ptr<EventSource>> ExportSource::open() const {
  TRY_ASSIGN(auto events, recording.open_source());
  TRY(events->seek_event(from));
  return events;
}

std::string ExportSource::provenance() const {
  return fmt::format(
      "derived copy of sworn session {}, root {}, source verdict {}, events {} to {}",
      format::to_hex(recording.header().file_id), root.empty() ? "unknown" : root, verdict, from,
      to);
}

Result<ExportReport> export_recording(const std::string& file, const ExportOptions& options,
                                      const ExportSink& sink) {
  TRY_ASSIGN(const auto recording, Recording::open(file));
  TRY_ASSIGN(const auto reader, FileSource::open(*recording));
  ExportSource source{*recording,           "not verified",      {}, 0, reader->end_position(),
                      reader->first_time(), reader->last_time(), {}};
  if (options.verify) {
    TRY_ASSIGN(const auto report,
               format::verify(recording->file(), {}, {format::named_redactor_keys()}));
    source.verdict = format::name_of(report.verdict);
    source.root = report.seals > 0 ? format::to_hex(report.root) : std::string{};
  }
  TRY_ASSIGN(source.clock, reader->reader().clock_map());
  if (source.clock.empty()) {
    source.clock.add(recording->header().started_mono, recording->header().started);
  }
  TRY(limit_range(options, source));
  ExportReport report;
  report.verdict = source.verdict;
  const ExportSink counted = [&](std::string_view bytes) {
    report.bytes += bytes.size();
    return sink(bytes);
  };
  switch (options.format) {
    case ExportFormat::asciicast2:
      TRY(export_asciicast(source, 2, counted, report));
      break;
    case ExportFormat::asciicast3:
      TRY(export_asciicast(source, 3, counted, report));
      break;
    case ExportFormat::text:
      TRY(export_text(source, counted, report));
      break;
    case ExportFormat::raw:
      TRY(export_raw(source, counted, report));
      break;
    case ExportFormat::jsonl:
      TRY(export_jsonl(source, counted, report));
      break;
    case ExportFormat::html:
      TRY(export_html(source, counted, report));
      break;
    case ExportFormat::svg:
      TRY(export_svg(source, counted, report));
      break;
  }
  return report;
}

Result<void> export_raw(const ExportSource& source, const ExportSink& sink, ExportReport& report) {
  TRY_ASSIGN(const auto events, source.open());
  while (true) {
    TRY_ASSIGN(const auto event, events->next());
    if (!event || event->number >= source.to) {
      return {};
    }
    if (event->kind == format::EventKind::output ||
        event->kind == format::EventKind::error_output) {
      ++report.events;
      TRY(sink(as_text(event->data)));
    }
  }
}

}  // namespace sworn::player
