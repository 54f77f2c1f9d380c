// SPDX-License-Identifier: Apache-2.0
// Which events hold a text that is to be removed: over each byte stream joined across events (as it
// is, and without its escape sequences), over the rows of the screen as they were rendered, and
// over the texts of structured events. What was removed before is passed over. Patterns never match
// across a line feed. One thread; bounded memory: one line of each stream, the rows of one screen.
#pragma once

#include "format/redact.hpp"
#include "player/event_source.hpp"
#include "player/matcher.hpp"
#include "player/screen_state.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace sworn::player {

enum class RedactScope : std::uint8_t {
  output = 0x01,    // what programs wrote, titles included
  input = 0x02,     // what was typed
  screen = 0x04,    // rows as they stood on the screen
  commands = 0x08,  // command lines, arguments, directories, environment, programs
  logs = 0x10,      // log lines, markers, alerts, files and connections
};
using RedactScopes = std::uint8_t;
inline constexpr RedactScopes k_all_scopes = 0x1F;
// "output,input"; Errc::bad_usage names what is not known.
Result<RedactScopes> parse_scopes(std::string_view text);

struct RedactQuery {
  std::vector<std::shared_ptr<const Matcher>> matchers;  // any of them
  RedactScopes scopes = k_all_scopes;
};

struct RedactFound {
  std::set<std::uint64_t> events;
  std::uint64_t matches = 0;
  // Typed text, one event a key: the whole line goes, so that the number of removed events does not
  // tell its length.
  std::uint64_t widened_lines = 0;
  // An event may have painted a text once more over itself: whoever masks `events` looks again.
  bool look_again = false;
};

// From the first event on. `progress(event number)` now and then; may be empty.
Result<RedactFound> find_redactions(EventSource& source, const ScreenSetup& setup,
                                    const RedactQuery& query,
                                    const std::function<void(std::uint64_t)>& progress);

// What is shown in the place of a removed event: says who removed it, and nothing of what it was.
Bytes redaction_stub(const format::EventView& event, const std::string& actor, bool first_of_run);

// The recording as its redacted copy will be: for looking again before the copy is made.
class MaskedSource final : public EventSource {
 public:
  MaskedSource(EventSource& source, const format::Replacements& replacements)
      : source_(source), replacements_(replacements) {}
  Result<std::optional<format::EventView>> next() override;
  Result<void> seek_event(std::uint64_t n) override { return source_.seek_event(n); }
  Result<void> refresh() override { return source_.refresh(); }
  [[nodiscard]] std::uint64_t end_position() const override { return source_.end_position(); }
  [[nodiscard]] MonoTime first_time() const override { return source_.first_time(); }
  [[nodiscard]] MonoTime last_time() const override { return source_.last_time(); }
  [[nodiscard]] bool live() const override { return source_.live(); }

 private:
  EventSource& source_;
  const format::Replacements& replacements_;
};

}  // namespace sworn::player
