// SPDX-License-Identifier: Apache-2.0
// The transcript: what the terminal showed as text, with a heading for each command.
#include "base/printable.hpp"
#include "format/event_payload.hpp"
#include "player/export.hpp"
#include "player/screen_state.hpp"
#include "player/session_info.hpp"
#include "player/transcript.hpp"

#include <fmt/format.h>

namespace sworn::player {
namespace {

class TextWriter {
 public:
  TextWriter(const ExportSource& source, const ExportSink& sink, ExportReport& report)
      : source_(source),
        sink_(sink),
        report_(report),
        screen_(source.recording.setup()),
        transcript_(screen_.terminal(),
                    [this](std::string_view line, bool full_screen) { show(line, full_screen); }) {}

  Result<void> run();

 private:
  void show(std::string_view line, bool full_screen);
  Result<void> heading();
  Result<void> note(const format::EventView& event);
  void rule(MonoTime t, const std::string& text);
  Result<void> write_out();

  const ExportSource& source_;
  const ExportSink& sink_;
  ExportReport& report_;
  ScreenState screen_;
  std::string text_;  // not written yet
  bool in_range_ = true;
  bool full_screen_ = false;
  TranscriptBuilder transcript_;  // last: its callback uses the members above
};

void TextWriter::show(std::string_view line, bool full_screen) {
  if (!in_range_) {
    return;
  }
  if (full_screen != full_screen_) {
    text_ +=
        full_screen ? "[full-screen program: each line once]\n" : "[end of full-screen program]\n";
    full_screen_ = full_screen;
  }
  text_ += printable(line);
  text_ += '\n';
}

void TextWriter::rule(MonoTime t, const std::string& text) {
  if (in_range_) {
    text_ += fmt::format("--- {}  {}\n", format_rfc3339(source_.clock.to_wall(t), 3), text);
  }
}

Result<void> TextWriter::write_out() {
  if (text_.empty()) {
    return {};
  }
  auto text = std::move(text_);
  text_.clear();
  return sink_(text);
}

Result<void> TextWriter::heading() {
  text_ = fmt::format("# {}\n", source_.provenance());
  if (const auto& start = source_.recording.start()) {
    text_ += fmt::format("# {} as {} on {}, terminal {}, from {}\n",
                         printable(command_line(*start), 400), printable(start->user, 80),
                         printable(start->hostname, 80), printable(start->pts, 80),
                         format_rfc3339(source_.clock.to_wall(source_.t_from), 3));
  }
  return write_out();
}

Result<void> TextWriter::note(const format::EventView& event) {
  using format::EventKind;
  if (event.kind == EventKind::command_begin) {
    if (const auto command = format::decode_command_begin(event.data)) {
      transcript_.flush();
      rule(event.t,
           fmt::format("{}$ {}", printable(command->cwd, 200), printable(command->text, 4000)));
    }
  } else if (event.kind == EventKind::command_end) {
    if (const auto command = format::decode_command_end(event.data)) {
      transcript_.flush();
      rule(event.t, fmt::format("exit {}", command->exit_status));
    }
  } else if (event.kind == EventKind::resize) {
    if (const auto resize = format::decode_resize(event.data)) {
      rule(event.t, fmt::format("resize to {}x{}", resize->size.cols, resize->size.rows));
    }
  } else if (event.kind == EventKind::marker) {
    if (const auto marker = format::decode_marker(event.data)) {
      rule(event.t, "marker " + printable(marker->label, 400));
    }
  } else if (event.kind == EventKind::gap) {
    if (const auto gap = format::decode_gap(event.data)) {
      transcript_.flush();
      rule(event.t,
           fmt::format("GAP {}: {} events, {} bytes are missing. {}", printable(gap->reason, 80),
                       gap->lost_events, gap->lost_bytes, printable(gap->detail, 400)));
    }
  } else if (event.kind == EventKind::exit) {
    if (const auto exit = format::decode_exit(event.data)) {
      transcript_.flush();
      rule(event.t, exit->signal != 0 ? fmt::format("end: killed by signal {}", exit->signal)
                                      : fmt::format("end: exit status {}", exit->status));
    }
  } else if (event.redacted) {
    transcript_.flush();
    rule(event.t, fmt::format("[{} redacted]", format::name_of(event.kind)));
  }
  return {};
}

Result<void> TextWriter::run() {
  TRY(heading());
  TRY_ASSIGN(const auto events, source_.recording.open_source());
  in_range_ = source_.from == 0;
  while (true) {
    TRY_ASSIGN(const auto event, events->next());
    if (!event || event->number >= source_.to) {
      break;
    }
    if (!in_range_ && event->number >= source_.from) {
      transcript_.flush();
      in_range_ = true;
    }
    ++report_.events;
    if (screen_.apply(*event)) {
      transcript_.after_event();
    }
    TRY(note(*event));
    if (text_.size() >= 64 * 1024) {
      TRY(write_out());
    }
  }
  transcript_.flush();
  return write_out();
}

}  // namespace

Result<void> export_text(const ExportSource& source, const ExportSink& sink, ExportReport& report) {
  return TextWriter(source, sink, report).run();
}

}  // namespace sworn::player
