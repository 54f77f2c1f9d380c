// SPDX-License-Identifier: Apache-2.0
// asciicast v2 (absolute seconds) and v3 (intervals in milliseconds, the remainder carried on).
#include "format/event_payload.hpp"
#include "player/export.hpp"
#include "player/replay.hpp"
#include "player/screen_escapes.hpp"
#include "player/session_info.hpp"
#include "player/utf8_stream.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sworn::player {
namespace {

using nlohmann::json;

std::string dumped(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

class CastWriter {
 public:
  CastWriter(const ExportSource& source, int version, const ExportSink& sink, ExportReport& report)
      : source_(source), version_(version), sink_(sink), report_(report) {}

  Result<void> run();

 private:
  Result<void> header(TermSize size);
  Result<void> line(MonoTime t, std::string_view code, const std::string& data);
  Result<void> text(MonoTime t, std::string_view code, Utf8Stream& stream, std::string_view bytes);
  Result<void> event(const format::EventView& event);

  const ExportSource& source_;
  int version_;
  const ExportSink& sink_;
  ExportReport& report_;
  Utf8Stream output_;
  Utf8Stream errors_;
  Utf8Stream input_;
  std::int64_t told_ms_ = 0;  // v3: the sum of the intervals so far
  std::optional<int> exit_;
};

Result<void> CastWriter::header(TermSize size) {
  json head;
  head["version"] = version_;
  json env = json::object();
  const auto& start = source_.recording.start();
  if (version_ == 2) {
    head["width"] = size.cols;
    head["height"] = size.rows;
  } else {
    head["term"] = {{"cols", size.cols}, {"rows", size.rows}};
  }
  if (start) {
    if (!start->term.empty()) {
      env["TERM"] = start->term;
      if (version_ == 3) {
        head["term"]["type"] = start->term;
      }
    }
    head["command"] = command_line(*start);
  }
  if (!env.empty()) {
    head["env"] = std::move(env);
  }
  head["timestamp"] = source_.clock.to_wall(source_.t_from).us / 1'000'000;
  head["title"] = source_.provenance();
  TRY(sink_(dumped(head) + "\n"));
  if (version_ == 3) {
    TRY(sink_("# " + source_.provenance() + "\n"));
    TRY(sink_("# Bytes that are not UTF-8 are shown as U+FFFD here: the session file has them.\n"));
  }
  return {};
}

Result<void> CastWriter::line(MonoTime t, std::string_view code, const std::string& data) {
  const auto since = std::max<std::int64_t>(0, t.us - source_.t_from.us);
  std::string time;
  if (version_ == 2) {
    time = fmt::format("{}.{:06}", since / 1'000'000, since % 1'000'000);
  } else {
    const auto interval = std::max<std::int64_t>(0, since / 1000 - told_ms_);
    told_ms_ += interval;
    time = fmt::format("{}.{:03}", interval / 1000, interval % 1000);
  }
  ++report_.events;
  return sink_(fmt::format("[{}, \"{}\", {}]\n", time, code, dumped(data)));
}

Result<void> CastWriter::text(MonoTime t, std::string_view code, Utf8Stream& stream,
                              std::string_view bytes) {
  const auto complete = stream.add(bytes);
  return complete.empty() ? Result<void>{} : line(t, code, complete);
}

Result<void> CastWriter::event(const format::EventView& event) {
  using format::EventKind;
  switch (event.kind) {
    case EventKind::output:
    case EventKind::error_output: {
      auto& stream = event.kind == EventKind::output ? output_ : errors_;
      if (source_.recording.setup().terminal) {
        return event.kind == EventKind::output ? text(event.t, "o", stream, as_text(event.data))
                                               : Result<void>{};
      }
      std::string with_returns;
      for (const char c : as_text(event.data)) {
        if (c == '\n') {
          with_returns += '\r';
        }
        with_returns += c;
      }
      return text(event.t, "o", stream, with_returns);
    }
    case EventKind::input:
      return text(event.t, "i", input_, as_text(event.data));
    case EventKind::resize:
      if (const auto resize = format::decode_resize(event.data)) {
        return line(event.t, "r", fmt::format("{}x{}", resize->size.cols, resize->size.rows));
      }
      return {};
    case EventKind::marker:
      if (const auto marker = format::decode_marker(event.data)) {
        return line(event.t, "m", marker->label);
      }
      return {};
    case EventKind::command_begin:
      if (const auto command = format::decode_command_begin(event.data)) {
        return line(event.t, "m", "$ " + command->text);
      }
      return {};
    case EventKind::exit:
      if (const auto exit = format::decode_exit(event.data)) {
        exit_ = exit->signal != 0 ? 128 + exit->signal : exit->status;
      }
      return {};
    case EventKind::input_hidden:
    case EventKind::side_output:  // went elsewhere, never to the screen
    case EventKind::typed:
    case EventKind::signal:
    case EventKind::clock:
    case EventKind::session_start:
    case EventKind::command_end:
    case EventKind::exec:
    case EventKind::exec_exit:
    case EventKind::file:
    case EventKind::connect:
    case EventKind::log_line:
    case EventKind::alert:
    case EventKind::gap:
    case EventKind::end_of_input:
    case EventKind::capture:
      return {};
  }
  return {};
}

Result<void> CastWriter::run() {
  TRY_ASSIGN(auto before, source_.recording.open_source());
  Replay replay(std::move(before), source_.recording.setup(), std::make_shared<KeyframeIndex>());
  TRY(replay.seek_position(source_.from));
  TRY(header(replay.terminal().size()));
  if (source_.from > 1) {
    // A clip begins with the screen as it was.
    TRY(line(source_.t_from, "o", screen_as_escapes(replay.terminal())));
  }
  TRY_ASSIGN(const auto events, source_.open());
  MonoTime last = source_.t_from;
  while (true) {
    TRY_ASSIGN(const auto next, events->next());
    if (!next || next->number >= source_.to) {
      break;
    }
    last = next->t;
    TRY(event(*next));
  }
  for (auto* const stream : {&output_, &errors_}) {
    if (const auto rest = stream->finish(); !rest.empty()) {
      TRY(line(last, "o", rest));
    }
    report_.replaced_bytes += stream->replaced();
  }
  if (const auto rest = input_.finish(); !rest.empty()) {
    TRY(line(last, "i", rest));
  }
  report_.replaced_bytes += input_.replaced();
  if (version_ == 3 && exit_) {
    TRY(line(last, "x", std::to_string(*exit_)));
  }
  return {};
}

}  // namespace

Result<void> export_asciicast(const ExportSource& source, int version, const ExportSink& sink,
                              ExportReport& report) {
  return CastWriter(source, version, sink, report).run();
}

}  // namespace sworn::player
