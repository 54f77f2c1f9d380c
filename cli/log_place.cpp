// SPDX-License-Identifier: Apache-2.0
#include "cli/log_place.hpp"

#include "cli/open_session.hpp"
#include "player/position_spec.hpp"

#include <cmath>
#include <cstdlib>

namespace sworn::cli {
namespace {

// The places of a player, resolved without one.
Result<MonoTime> moment_of(const std::string& place, const audit::logs::SessionFacts& facts,
                           const std::string& session) {
  const auto& window = facts.placement.window;
  auto spec = player::parse_place(place);
  if (!spec) {
    TRY_ASSIGN(const auto pasted, place_of_line_text(session, place));
    if (!pasted) {
      return tl::make_unexpected(spec.error());
    }
    spec = player::parse_place(*pasted);
  }
  if (spec->kind == player::PlaceKind::command) {
    const auto& commands = facts.commands.commands();
    const auto n = static_cast<std::uint64_t>(spec->value);
    if (n < 1 || n > commands.size()) {
      return fail(Errc::bad_usage, "there is no such command");
    }
    return commands[n - 1].begin;
  }
  if (spec->kind == player::PlaceKind::event) {
    TRY_ASSIGN(auto open, open_session(session));
    TRY(open.reader->seek_event(static_cast<std::uint64_t>(spec->value)));
    TRY_ASSIGN(const auto event, open.reader->next());
    if (!event) {
      return fail(Errc::bad_usage, "there is no such event");
    }
    return event->at;
  }
  player::PlaceContext context;
  context.first = window.from;
  context.last = window.to;
  context.here = window.from;
  context.clock = &facts.placement.clock;
  TRY_ASSIGN(const auto resolved, player::resolve(*spec, context));
  return resolved.t;
}

}  // namespace

Result<LogSpan> log_span(const Arguments& args, const LinkTarget& target,
                         const audit::logs::SessionFacts& facts) {
  auto place = args.value("--at");
  if (!place) {
    place = target.place;
  }
  if (!place) {
    return LogSpan{};
  }
  double seconds = 5;
  if (const auto window = args.value("--window")) {
    char* end = nullptr;
    seconds = std::strtod(window->c_str(), &end);
    if (window->empty() || *end != '\0' || !(seconds >= 0 && seconds <= 1e6)) {
      return fail(Errc::bad_usage, "--window is a number of seconds");
    }
  }
  TRY_ASSIGN(const auto t, moment_of(*place, facts, target.file));
  const auto width = std::llround(seconds * 1e6);
  return LogSpan{{t.us - width}, {t.us + width}};
}

}  // namespace sworn::cli
