// SPDX-License-Identifier: Apache-2.0
// What a redaction finds: across events, under escape sequences, on the screen, in what was typed
// and in structured events; and that looking again after the removal finds nothing.
#include "format/event_payload.hpp"
#include "player/redaction_finder.hpp"
#include "tests/support/event_script.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::player;
using test::EventScript;

namespace {

RedactQuery query_for(std::string_view pattern, RedactScopes scopes = k_all_scopes) {
  RedactQuery query;
  query.matchers.push_back(Matcher::compile(pattern, PatternKind::regex).value());
  query.scopes = scopes;
  return query;
}
RedactScopes only(RedactScope scope) {
  return static_cast<RedactScopes>(scope);
}

RedactFound find_in(const EventScript& script, const RedactQuery& query) {
  const auto source = script.source();
  return find_redactions(*source, {{80, 24}, true}, query, {}).value();
}
// Numbers behind the two events that every script begins with.
std::vector<std::uint64_t> numbers(const RedactFound& found) {
  std::vector<std::uint64_t> out;
  for (const auto event : found.events) {
    out.push_back(event - 2);
  }
  return out;
}
using Numbers = std::vector<std::uint64_t>;

// Removes until nothing is found, as the command does; the text that is left.
std::string left_after(const EventScript& script, const RedactQuery& query) {
  const auto source = script.source();
  format::Replacements masks;
  for (int round = 0; round < 10; ++round) {
    MaskedSource masked(*source, masks);
    const auto found = find_redactions(masked, {{80, 24}, true}, query, {}).value();
    if (found.events.empty()) {
      break;
    }
    for (const auto event : found.events) {
      CHECK_FALSE(masks.contains(event));
      masks[event] = {};
    }
  }
  MaskedSource masked(*source, masks);
  REQUIRE(masked.seek_event(0));
  std::string out;
  while (const auto event = masked.next().value()) {
    out += as_text(event->data);
  }
  return out;
}

}  // namespace

TEST_CASE("redaction finder: a text that came in pieces takes all of them, and nothing else") {
  EventScript s;
  s.out(1, "harmless\r\n")
      .out(2, "token=ab")
      .out(3, "cdef")
      .out(4, "gh and more\r\n")
      .out(5, "end\r\n");
  CHECK(numbers(find_in(s, query_for("token=abcdefgh"))) == Numbers{1, 2, 3});
  CHECK(numbers(find_in(s, query_for("abcd", only(RedactScope::output)))) == Numbers{1, 2});
  CHECK(numbers(find_in(s, query_for("abcd", only(RedactScope::screen)))) == Numbers{1, 2});
  CHECK(find_in(s, query_for("abcd", only(RedactScope::input))).events.empty());
  CHECK(find_in(s, query_for("moreend")).events.empty());  // never across a line
}

TEST_CASE("redaction finder: colours, cursor moves and titles do not hide a text") {
  EventScript s;
  s.out(1, "pa\x1B[31mss\x1B[0mword42\r\n");
  s.out(2, "\x1B[10;5Hsec").out(3, "\x1B[10;8Hret").out(4, "\x1B[5;1Hother");
  s.out(5, "\x1B]0;title with tok").out(6, "en99\x07");
  CHECK(numbers(find_in(s, query_for("password42", only(RedactScope::output)))) == Numbers{0});
  CHECK(numbers(find_in(s, query_for("secret", only(RedactScope::screen)))) == Numbers{1, 2});
  CHECK(numbers(find_in(s, query_for("token99", only(RedactScope::output)))) == Numbers{4, 5});
  CHECK(left_after(s, query_for("password42|secret|token99")).find("sec") == std::string::npos);
}

TEST_CASE("redaction finder: rows that wrap, scroll off or are painted twice") {
  EventScript wrapped(TermSize{80, 24});
  wrapped.out(1, std::string(76, '-') + "topsecret\r\n");
  CHECK(numbers(find_in(wrapped, query_for("topsecret", only(RedactScope::screen)))) == Numbers{0});

  EventScript scrolled;
  scrolled.out(1, "hid").out(2, "den" + std::string(200, '\n') + "x");
  CHECK(numbers(find_in(scrolled, query_for("hidden", only(RedactScope::screen)))) ==
        Numbers{0, 1});
  EventScript at_once;
  at_once.out(1, "one\r\n\x1B[1mhid\x1B[0mden\r\n" + std::string(300, '\n'));
  CHECK(numbers(find_in(at_once, query_for("hidden", only(RedactScope::screen)))) == Numbers{0});

  // The second painting changes no cell: it is found once the first one is masked.
  EventScript twice;
  twice.out(1, "\x1B[3;1Hs3cr3t").out(2, "\x1B[3;1Hs3\x1B[3;3Hcr3\x1B[3;6Ht").out(3, "done");
  CHECK(numbers(find_in(twice, query_for("s3cr3t", only(RedactScope::screen)))) == Numbers{0});
  CHECK(find_in(twice, query_for("s3cr3t", only(RedactScope::screen))).look_again);
  CHECK_FALSE(find_in(at_once, query_for("hidden")).look_again);
  EventScript typed_behind;
  typed_behind.out(1, "s3cr3t").out(2, " and more");
  CHECK(find_in(typed_behind, query_for("s3cr3t")).look_again);  // it cannot be told apart
  const auto left = left_after(twice, query_for("s3cr3t"));
  CHECK(left.find("s3") == std::string::npos);
  CHECK(left.ends_with("done"));
}

TEST_CASE("redaction finder: the end of a full-screen program did not write what it uncovers") {
  EventScript s;
  s.out(1, "s3cr3t\r\n")
      .out(2, "\x1B[?1049h\x1B[Hvim")
      .out(3, "~\r\n~")
      .out(4, "\x1B[?1049l")
      .out(5, "$ ");
  CHECK(numbers(find_in(s, query_for("s3cr3t"))) == Numbers{0});
}

TEST_CASE("redaction finder: typed text takes its whole line, so that keys cannot be counted") {
  EventScript s;
  s.out(0.5, "$ ");
  for (const char c : std::string_view("login hunter2 now\r")) {
    s.in(1, std::string_view(&c, 1)).out(1, std::string_view(&c, 1));
  }
  s.in(2, "l").in(2, "s").in(2, "\r");
  const auto found = find_in(s, query_for("hunter2"));
  CHECK(found.widened_lines > 0);
  CHECK(found.events.size() == 1 + 2 * 18);  // prompt, keys and echoes; not the next line
  CHECK(find_in(s, query_for("hunter2", only(RedactScope::input))).events.size() == 18);
}

TEST_CASE("redaction finder: commands, arguments, directories, environment and log lines") {
  EventScript s;
  s.begin(1, 1, "mysql --password=letmein");
  s.begin(2, 2, "ls");
  s.add(3, format::EventKind::log_line, to_bytes("\x81\xA4text\xA9letmein!"));
  s.out(4, "letmeout\r\n");
  CHECK(numbers(find_in(s, query_for("letmein"))) == Numbers{0, 2});
  CHECK(numbers(find_in(s, query_for("letmein", only(RedactScope::commands)))) == Numbers{0});
  CHECK(numbers(find_in(s, query_for("letmein", only(RedactScope::logs)))) == Numbers{2});
  CHECK(numbers(find_in(s, query_for("/root", only(RedactScope::commands)))) == Numbers{0, 1});
  format::SessionStart start;
  start.argv = {"mysql", "--password", "letmein"};
  start.environment = {{"TOKEN", "abc123"}};
  EventScript t;
  t.add(1, format::EventKind::session_start, encode(start));
  CHECK(numbers(find_in(t, query_for("--password letmein"))) == Numbers{0});
  CHECK(numbers(find_in(t, query_for("abc123"))) == Numbers{0});
}

TEST_CASE("redaction finder: long lines without an end, UTF-8 cut by events, broken bytes") {
  EventScript s;
  for (int i = 0; i < 300; ++i) {
    s.out(1, std::string(8192, 'x'));
  }
  s.out(2, "\xC3").out(3,
                       "\xBC"
                       "ber\xFFgeheim");
  const auto found = find_in(s, query_for("über.?geheim|x{3}über", only(RedactScope::output)));
  CHECK(found.events.contains(302));
  CHECK(found.events.contains(303));
  CHECK(found.events.contains(301));
  CHECK_FALSE(found.events.contains(200));
}

TEST_CASE(
    "redaction stub: says who, keeps the form, and depends on nothing of the text but its kind and "
    "line end") {
  const auto stub = [](std::string_view text) {
    const auto data = to_bytes(text);
    return redaction_stub({1, format::EventKind::output, {}, {}, data}, "dpo", true);
  };
  CHECK(stub("a") == stub("something much longer"));
  CHECK(stub("a\r\nb\r\n") == stub("x\n"));
  CHECK(stub("a\n") != stub("a"));
  CHECK(as_text(stub("a")).find("[removed by dpo]") != std::string_view::npos);
  const auto begin =
      encode(format::CommandBegin{3, 42, "rm -rf secret", "hook", "/secret", "bash", 7, {}});
  const auto data =
      redaction_stub({1, format::EventKind::command_begin, {}, {}, begin}, "dpo", true);
  const auto command = format::decode_command_begin(data).value();
  CHECK(command.n == 3);
  CHECK(command.shell_pid == 42);
  CHECK(command.text == "[removed by dpo]");
  CHECK(command.cwd.empty());
  format::SessionStart start;
  start.user = "alice";
  start.size = {100, 40};
  start.terminal = false;
  const auto shape =
      format::decode_session_start(
          redaction_stub({0, format::EventKind::session_start, {}, {}, encode(start)}, "dpo", true))
          .value();
  CHECK(shape.user.empty());
  CHECK(shape.size == start.size);
  CHECK_FALSE(shape.terminal);
}

TEST_CASE("redaction finder: scopes by name") {
  CHECK(parse_scopes("output,screen").value() ==
        (only(RedactScope::output) | only(RedactScope::screen)));
  CHECK(parse_scopes("all").value() == k_all_scopes);
  CHECK(parse_scopes("outpt").error().code == Errc::bad_usage);
  CHECK(parse_scopes("").error().code == Errc::bad_usage);
}
