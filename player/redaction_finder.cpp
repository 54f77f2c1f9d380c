// SPDX-License-Identifier: Apache-2.0
#include "player/redaction_finder.hpp"

#include "format/event_payload.hpp"
#include "player/redaction_rows.hpp"
#include "player/redaction_stream.hpp"

#include <array>

namespace sworn::player {
namespace {

using format::EventKind;
using format::EventView;

struct ScopeName {
  std::string_view name;
  RedactScopes bits;
};
constexpr std::array<ScopeName, 6> k_scope_names{{
    {"output", static_cast<RedactScopes>(RedactScope::output)},
    {"input", static_cast<RedactScopes>(RedactScope::input)},
    {"screen", static_cast<RedactScopes>(RedactScope::screen)},
    {"commands", static_cast<RedactScopes>(RedactScope::commands)},
    {"logs", static_cast<RedactScopes>(RedactScope::logs)},
    {"all", k_all_scopes},
}};

bool has(RedactScopes scopes, RedactScope scope) {
  return (scopes & static_cast<RedactScopes>(scope)) != 0;
}

// Where the text of an event of this kind belongs; 0: it holds none.
RedactScopes scope_of(EventKind kind) {
  switch (kind) {
    case EventKind::session_start:
    case EventKind::command_begin:
    case EventKind::command_end:
    case EventKind::exec:
    case EventKind::exec_exit:
      return static_cast<RedactScopes>(RedactScope::commands);
    case EventKind::marker:
    case EventKind::log_line:
    case EventKind::alert:
    case EventKind::file:
    case EventKind::connect:
    case EventKind::signal:
    case EventKind::gap:
    case EventKind::exit:
    case EventKind::capture:
      return static_cast<RedactScopes>(RedactScope::logs);
    default:
      return 0;
  }
}

class Finder {
 public:
  Finder(const ScreenSetup& setup, const RedactQuery& query, RedactFound& found)
      : query_(query),
        found_(found),
        screen_(setup),
        rows_(screen_.terminal(), query, found),
        output_(query, found, false),
        side_(query, found, false),
        errors_(query, found, false),
        input_(query, found, true) {}

  void take(const EventView& event) {
    if (has(query_.scopes, RedactScope::screen)) {
      const bool in_stream =
          event.kind == EventKind::output && has(query_.scopes, RedactScope::output);
      rows_.before_event(event, in_stream);
      if (screen_.apply(event)) {
        rows_.after_event();
      }
    }
    if (event.redacted) {
      return;
    }
    if (auto* stream = stream_of(event.kind)) {
      stream->add(event.number, event.data);
    } else if ((query_.scopes & scope_of(event.kind)) != 0) {
      search_payload(event);
    }
  }

  void finish() {
    for (auto* stream : {&output_, &side_, &errors_, &input_}) {
      stream->finish();
    }
  }

 private:
  RedactionStream* stream_of(EventKind kind) {
    const bool output = has(query_.scopes, RedactScope::output);
    switch (kind) {
      case EventKind::output:
        return output ? &output_ : nullptr;
      case EventKind::side_output:
        return output ? &side_ : nullptr;
      case EventKind::error_output:
        return output ? &errors_ : nullptr;
      case EventKind::input:
        return has(query_.scopes, RedactScope::input) ? &input_ : nullptr;
      default:
        return nullptr;
    }
  }

  bool matches(std::string_view text) const {
    for (const auto& matcher : query_.matchers) {
      std::size_t from = 0;
      while (const auto match = matcher->find(text, from)) {
        if (match->length > 0) {
          return true;
        }
        from = match->offset + 1;
      }
    }
    return false;
  }

  // msgpack stores a text as it is, in one piece. Arguments are also looked at as the line that
  // they make.
  void search_payload(const EventView& event) {
    bool hit = matches(as_text(event.data));
    if (!hit) {
      hit = matches(joined_arguments(event.data));
    }
    if (hit) {
      ++found_.matches;
      found_.events.insert(event.number);
    }
  }

  static std::string joined_arguments(ByteView payload) {
    std::string line;
    for (const auto& word : format::payload_texts(payload, "argv")) {
      line += (line.empty() ? "" : " ") + word;
    }
    return line;
  }

  const RedactQuery& query_;
  RedactFound& found_;
  ScreenState screen_;
  RedactionRows rows_;
  RedactionStream output_;
  RedactionStream side_;
  RedactionStream errors_;
  RedactionStream input_;
};

std::string label_for(const std::string& actor) {
  return "[removed by " + actor + "]";
}

}  // namespace

Result<RedactScopes> parse_scopes(std::string_view text) {
  RedactScopes out = 0;
  while (true) {
    const auto end = text.find(',');
    const auto word = text.substr(0, end);
    const auto* found = std::find_if(k_scope_names.begin(), k_scope_names.end(),
                                     [&](const ScopeName& each) { return each.name == word; });
    if (found == k_scope_names.end()) {
      return fail(Errc::bad_usage, "there is no scope \"" + std::string(word) +
                                       "\": output, input, screen, commands, logs, all");
    }
    out |= found->bits;
    if (end == std::string_view::npos) {
      return out;
    }
    text.remove_prefix(end + 1);
  }
}

Result<RedactFound> find_redactions(EventSource& source, const ScreenSetup& setup,
                                    const RedactQuery& query,
                                    const std::function<void(std::uint64_t)>& progress) {
  constexpr std::uint64_t k_report_every = 4096;
  RedactFound found;
  if (query.matchers.empty()) {
    return found;
  }
  Finder finder(setup, query, found);
  TRY(source.seek_event(0));
  while (true) {
    TRY_ASSIGN(const auto event, source.next());
    if (!event) {
      break;
    }
    finder.take(*event);
    if (progress && event->number % k_report_every == 0) {
      progress(event->number);
    }
  }
  finder.finish();
  return found;
}

Result<std::optional<EventView>> MaskedSource::next() {
  TRY_ASSIGN(auto event, source_.next());
  if (event) {
    if (const auto masked = replacements_.find(event->number); masked != replacements_.end()) {
      event->data = masked->second;
      event->redacted = true;
    }
  }
  return event;
}

Bytes redaction_stub(const EventView& event, const std::string& actor, bool first_of_run) {
  switch (event.kind) {
    case EventKind::output:
    case EventKind::error_output:
    case EventKind::side_output: {
      // Where a line ended, one ends: how many, and how long they were, is not told.
      const bool feed =
          std::find(event.data.begin(), event.data.end(), std::byte{'\n'}) != event.data.end();
      return to_bytes((first_of_run ? "\x1B[0;7m" + label_for(actor) + "\x1B[0m" : "") +
                      std::string(feed ? "\r\n" : ""));
    }
    case EventKind::session_start: {
      const auto start = format::decode_session_start(event.data);
      format::SessionStart shape;
      shape.size = start ? start->size : TermSize{};
      shape.terminal = !start || start->terminal;
      return encode(shape);
    }
    case EventKind::input:
      return first_of_run ? to_bytes(label_for(actor)) : Bytes{};
    case EventKind::command_begin: {
      auto command = format::decode_command_begin(event.data);
      if (!command) {
        return {};
      }
      command->text = label_for(actor);
      command->cwd.clear();
      command->flags = {"redacted"};
      return encode(*command);
    }
    case EventKind::command_end: {
      auto command = format::decode_command_end(event.data);
      if (!command) {
        return {};
      }
      command->cwd_after.clear();
      return encode(*command);
    }
    default:
      return {};
  }
}

}  // namespace sworn::player
