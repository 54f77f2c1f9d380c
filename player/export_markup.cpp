// SPDX-License-Identifier: Apache-2.0
// HTML: one static page with the commands and the screen as each of them left it. SVG: one screen.
#include "player/export.hpp"
#include "player/facts.hpp"
#include "player/markup.hpp"
#include "player/replay.hpp"
#include "player/screen_dump.hpp"
#include "player/session_info.hpp"

#include <fmt/format.h>

namespace sworn::player {
namespace {

constexpr std::string_view k_page_head =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<title>sworn session</title>\n<style>\n"
    "body{font-family:sans-serif;background:#fff;color:#222;max-width:120em;margin:1em "
    "auto;padding:0 1em}\n"
    "pre{background:#16181c;color:#d8d8d8;padding:.8em;overflow:auto;font-size:13px;line-height:1."
    "25}\n"
    "h2{font-size:1em;margin:1.5em 0 .3em}\n.bad{color:#b00}\n.note{color:#666}\n"
    "</style></head><body>\n";

std::string screen_html(const vt::Terminal& terminal) {
  const auto picture = picture_of(terminal);
  int last = picture.size().rows;
  while (last > 0 && picture.row_text(last - 1).empty()) {
    --last;
  }
  std::string html = "<pre>";
  for (int row = 0; row < last; ++row) {
    html += row_as_html(picture, row) + "\n";
  }
  return html + "</pre>\n";
}

Result<Facts> facts_of(const ExportSource& source) {
  TRY_ASSIGN(const auto events, source.recording.open_source());
  FactsBuilder builder;
  while (true) {
    TRY_ASSIGN(const auto event, events->next());
    if (!event || event->number >= source.to) {
      return builder.facts();
    }
    builder.add(*event);
  }
}

std::string heading_of(const CommandItem& command, const ExportSource& source) {
  std::string result = "still running";
  if (command.end_event != 0) {
    result = fmt::format("exit {} after {:.2f} s", command.exit_status.value_or(-1),
                         static_cast<double>(command.end.us - command.begin.us) / 1e6);
  }
  return fmt::format("<h2>{} <span class=\"note\">{}</span> {} <span class=\"{}\">{}</span></h2>\n",
                     escape_markup(format_rfc3339(source.clock.to_wall(command.begin), 3)),
                     escape_markup(command.cwd), escape_markup(command.text),
                     command.failed() ? "bad" : "note", result);
}

}  // namespace

Result<void> export_html(const ExportSource& source, const ExportSink& sink, ExportReport& report) {
  TRY_ASSIGN(const auto facts, facts_of(source));
  const auto info = session_info(source.recording);
  std::string page(k_page_head);
  page += fmt::format("<h1>{} {} {}</h1>\n<p>{}</p>\n<pre>", escape_markup(info.host),
                      escape_markup(info.user), escape_markup(info.program),
                      escape_markup(source.provenance()));
  for (const auto& line : info.details) {
    page += escape_markup(line) + "\n";
  }
  page += "</pre>\n";
  TRY(sink(page));
  TRY_ASSIGN(auto events, source.recording.open_source());
  Replay replay(std::move(events), source.recording.setup(), std::make_shared<KeyframeIndex>());
  for (const auto& command : facts.commands) {
    const auto shown_at = command.end_event == 0 ? source.to : command.end_event;
    if (command.begin_event < source.from || shown_at < replay.position()) {
      continue;
    }
    ++report.events;
    TRY(replay.seek_position(shown_at));
    TRY(sink(heading_of(command, source) + screen_html(replay.terminal())));
  }
  TRY(replay.seek_position(source.to));
  return sink("<h2>The screen at the end</h2>\n" + screen_html(replay.terminal()) +
              "</body></html>\n");
}

Result<void> export_svg(const ExportSource& source, const ExportSink& sink, ExportReport& report) {
  TRY_ASSIGN(auto events, source.recording.open_source());
  Replay replay(std::move(events), source.recording.setup(), std::make_shared<KeyframeIndex>());
  TRY(replay.seek_position(source.to));
  report.events = 1;
  const auto caption = fmt::format("{}  {}", format_rfc3339(source.clock.to_wall(replay.time()), 3),
                                   source.provenance());
  return sink(screen_as_svg(picture_of(replay.terminal()), caption));
}

}  // namespace sworn::player
