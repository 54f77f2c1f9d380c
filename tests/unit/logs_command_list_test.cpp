// SPDX-License-Identifier: Apache-2.0
#include "audit/logs/command_list.hpp"
#include "format/event_payload.hpp"
#include "tests/support/sample_session.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::audit::logs;
using format::EventKind;

namespace {

class Events {
 public:
  void begin(std::uint64_t n, std::string text, std::vector<std::string> flags = {},
             std::int64_t shell = 7) {
    format::CommandBegin fact;
    fact.n = n;
    fact.shell_pid = shell;
    fact.text = std::move(text);
    fact.text_source = "hook";
    fact.cwd = "/";
    fact.flags = std::move(flags);
    add(EventKind::command_begin, format::encode(fact));
  }
  void end(std::uint64_t n, int status, std::int64_t shell = 7) {
    format::CommandEnd fact;
    fact.n = n;
    fact.shell_pid = shell;
    fact.exit_status = status;
    add(EventKind::command_end, format::encode(fact));
  }
  void add(EventKind kind, const Bytes& data, bool redacted = false) {
    t_ += 1'000;
    list.add({number_++, kind, {t_}, {t_ - 10}, data, redacted});
  }
  CommandList list;

 private:
  std::uint64_t number_ = 0;
  std::int64_t t_ = 0;
};

}  // namespace

TEST_CASE("command list: begin and end become one entry") {
  Events events;
  events.add(EventKind::output, to_bytes("$ "));
  events.begin(1, "false");
  events.add(EventKind::output, to_bytes("x"));
  events.end(1, 1);
  events.list.settle();
  REQUIRE(events.list.commands().size() == 1);
  const auto& one = events.list.commands()[0];
  CHECK(one.text == "false");
  CHECK(one.begin_event == 1);
  CHECK(one.end_event == 3);
  CHECK(one.begin == MonoTime{1'990});
  CHECK(one.duration_us() == 2'000);
  CHECK(one.ended);
  CHECK(one.exit_status == 1);
  CHECK(one.flags.empty());
}

TEST_CASE("command list: nested shells and lost ends") {
  Events events;
  events.begin(1, "bash", {}, 7);
  events.begin(1, "ls", {}, 8);
  events.end(1, 0, 8);
  events.begin(2, "kill -9 $$", {}, 8);
  events.end(1, 137, 7);
  events.end(9, 0, 7);
  events.list.settle();
  const auto& all = events.list.commands();
  REQUIRE(all.size() == 3);
  CHECK(all[0].exit_status == 137);
  CHECK(all[1].ended);
  CHECK_FALSE(all[2].ended);
  CHECK(all[2].has_flag("no_end"));
  CHECK_FALSE(all[0].has_flag("no_end"));
}

TEST_CASE("command list: parts of a long line are joined") {
  Events events;
  events.begin(1, "echo ", {"more"});
  events.begin(1, "long ", {"continued", "more"});
  events.begin(1, "line", {"continued"});
  events.end(1, 0);
  events.begin(2, "tail of a removed one", {"continued"});
  events.list.settle();
  REQUIRE(events.list.commands().size() == 2);
  CHECK(events.list.commands()[0].text == "echo long line");
  CHECK(events.list.commands()[0].flags.empty());
  CHECK(events.list.commands()[1].has_flag("truncated"));
}

TEST_CASE("command list: a live session settles again and again") {
  Events events;
  events.begin(1, "sleep 1");
  events.list.settle();
  CHECK(events.list.commands()[0].has_flag("no_end"));
  events.end(1, 0);
  events.list.settle();
  CHECK(events.list.commands()[0].flags.empty());
}

TEST_CASE("command list: removed and broken events leave a trace") {
  Events events;
  events.add(EventKind::command_begin, {}, true);
  events.add(EventKind::command_end, {}, true);
  events.add(EventKind::command_begin, to_bytes("garbage"));
  events.add(EventKind::command_end, {});
  events.list.settle();
  REQUIRE(events.list.commands().size() == 1);
  CHECK(events.list.commands()[0].has_flag("redacted"));
  CHECK(events.list.redacted() == 2);
  CHECK(events.list.unreadable() == 2);
}

TEST_CASE("command list: the command of a moment") {
  Events events;
  CHECK_FALSE(events.list.at({5}));
  events.begin(1, "a");
  events.end(1, 0);
  events.begin(2, "b");
  CHECK_FALSE(events.list.at({989}));
  CHECK(events.list.at({990}) == 0U);
  CHECK(events.list.at({2'989}) == 0U);
  CHECK(events.list.at({2'990}) == 1U);
  CHECK(events.list.at({1'000'000'000}) == 1U);
}

TEST_CASE("command list: read from a session file") {
  test::SampleSession sample;
  format::CommandBegin begin;
  begin.n = 1;
  begin.shell_pid = 7;
  begin.text = "ls";
  sample.put(EventKind::command_begin, format::encode(begin));
  sample.output("file");
  sample.seal();
  auto reader = format::SessionReader::open(sample.file);
  REQUIRE(reader);
  const auto list = CommandList::read(**reader);
  REQUIRE(list);
  REQUIRE(list->commands().size() == 1);
  CHECK(list->commands()[0].text == "ls");
  CHECK(list->commands()[0].has_flag("no_end"));
}
