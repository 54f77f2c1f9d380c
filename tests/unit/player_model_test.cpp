// SPDX-License-Identifier: Apache-2.0
#include "player/model.hpp"
#include "tests/support/event_script.hpp"

#include <doctest/doctest.h>

#include <map>
#include <string>

namespace {

using namespace sworn;
using namespace sworn::player;
using sworn::test::EventScript;
using sworn::test::FakeClock;

// A player on a script, without a terminal.
struct Stage {
  explicit Stage(const EventScript& script, TermSize view_size = {120, 40},
                 TermSize recorded = {80, 24})
      : size(view_size) {
    auto index = std::make_shared<IndexState>(std::make_shared<BlobStore>());
    const ScreenSetup setup{.size = recorded, .terminal = true};
    Indexer indexer(script.source(), setup, index);
    REQUIRE(indexer.run_to_end());
    ModelParts parts;
    parts.clock = &clock;
    parts.replay = std::make_unique<Replay>(script.source(), setup, index->keyframes());
    parts.index = index;
    parts.info.file_name = "web1.sworn";
    parts.info.host = "db1";
    parts.info.user = "alice";
    parts.info.program = "bash";
    parts.info.zone = "CET";
    parts.info.zone_offset_s = 3600;
    parts.author = "kim";
    parts.logs = [this] { return logs; };
    parts.integrity = [] { return Integrity{}; };
    parts.open_source = [&script]() -> Result<std::unique_ptr<EventSource>> {
      return script.source();
    };
    parts.write_file = [this](const std::string& path, std::string_view text) -> Result<void> {
      if (written.contains(path)) {
        return fail(Errc::io, path + " is there already");
      }
      written[path] = std::string(text);
      return {};
    };
    parts.export_clip = [this](const ClipRequest& request) -> Result<std::string> {
      clip = request;
      return "exported to " + request.path;
    };
    model = std::make_unique<Model>(std::move(parts));
    see();
  }

  // Keys by name, separated by blanks: as the help has them.
  Stage& keys(std::string_view names) {
    while (!names.empty()) {
      const auto end = names.find(' ');
      const auto key = parse_key(names.substr(0, end));
      REQUIRE(key);
      press(*key);
      names = end == std::string_view::npos ? std::string_view{} : names.substr(end + 1);
    }
    return *this;
  }
  Stage& type(std::string_view text) {
    for (const char c : text) {
      Key key;
      key.c = static_cast<char32_t>(c);
      press(key);
    }
    return *this;
  }
  void press(const Key& key) {
    model->handle(key);
    model->tick();
    see();
  }
  void pass(double seconds) {
    clock.pass(seconds);
    model->tick();
    see();
  }
  void see() {
    const auto frame = model->frame(size);
    all.clear();
    rows.clear();
    for (int row = 0; row < size.rows; ++row) {
      rows.push_back(frame.row_text(row));
      all += rows.back() + "\n";
    }
  }
  [[nodiscard]] bool shows(std::string_view wanted) const {
    return all.find(wanted) != std::string::npos;
  }

  TermSize size;
  FakeClock clock;
  LogBookPtr logs;
  std::unique_ptr<Model> model;
  std::string all;
  std::vector<std::string> rows;
  std::map<std::string, std::string> written;
  std::optional<ClipRequest> clip;
};

EventScript working_day() {
  EventScript script;
  script.out(1, "$ ").in(1.5, "ls\r").out(1.6, "ls\r\n").begin(2, 1, "ls").out(2.1, "bin etc\r\n");
  script.end(2.2, 1, 0).out(2.3, "$ ").out(3, "rm x\r\n").begin(3.1, 2, "rm x");
  script.out(3.2, "rm: cannot remove 'x'\r\n").end(3.3, 2, 1).out(3.4, "$ ");
  script.out(100, "sleep 3\r\n").begin(100.1, 3, "sleep 3").end(103.1, 3, 0).out(103.2, "$ ");
  return script;
}

TEST_CASE("model: the pieces of the screen are there") {
  const auto script = working_day();
  const Stage stage(script);
  CHECK(stage.rows[0].find("db1 alice") != std::string::npos);
  CHECK(stage.rows[0].find("[80x24]") != std::string::npos);
  CHECK(stage.shows("commands (3)"));
  CHECK(stage.shows("F1"));
}

TEST_CASE("model: too small a terminal is refused politely, and large again is fine") {
  const auto script = working_day();
  Stage stage(script, {39, 24});
  CHECK(stage.shows("too small"));
  CHECK(stage.shows("q quits"));
  stage.size = {40, 10};
  stage.see();
  CHECK_FALSE(stage.shows("too small"));
}

TEST_CASE("model: playing follows the clock, faster and slower, and stops at the end") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("Space");
  stage.pass(2.15);
  CHECK(stage.shows("bin etc"));
  CHECK_FALSE(stage.shows("cannot remove"));
  stage.keys("} }");
  stage.pass(0.5);
  CHECK(stage.shows("cannot remove"));
  stage.keys("Space");
  const auto t = stage.model->playback().now();
  stage.pass(50);
  CHECK(stage.model->playback().now() == t);
  stage.keys("Backspace Space");
  stage.pass(500);
  CHECK(stage.model->playback().at_end());
  CHECK(stage.model->playback().state() == PlayState::paused);
}

TEST_CASE("model: silences are shortened on demand, and the clock says the true time") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("i Space");
  stage.pass(8);
  CHECK(stage.shows("sleep 3"));
  CHECK(stage.model->playback().now() >= EventScript::at(100));
  stage.keys("i g Space");
  stage.pass(8);
  CHECK(stage.model->playback().now() < EventScript::at(10));
}

TEST_CASE("model: commands one by one, there and back, with what is known of them") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("]");
  CHECK(stage.shows("cmd 1/3"));
  stage.keys("] ]");
  CHECK(stage.shows("cmd 3/3"));
  stage.keys("]");
  CHECK(stage.shows("no later command"));
  stage.keys("[ [");
  CHECK(stage.shows("cmd 1/3"));
  stage.keys("u");
  CHECK(stage.shows("cmd 2/3"));
  stage.keys("U");
  CHECK(stage.shows("cmd 1/3"));
}

TEST_CASE("model: trouble is found in both directions") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("e");
  CHECK(stage.shows("exit 1: rm x"));
  CHECK(stage.shows("cannot remove"));
  stage.keys("e");
  CHECK(stage.shows("no later trouble"));
  stage.keys("G E");
  CHECK(stage.shows("exit 1: rm x"));
}

TEST_CASE("model: searching while typing counts and highlights; Enter goes, n goes on") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("/").type("remov");
  CHECK(stage.shows("1 found"));
  const auto before = stage.model->replay().position();
  CHECK(before == stage.model->replay().position());
  stage.keys("Enter");
  CHECK(stage.shows("cannot remove"));
  CHECK(stage.shows("match 1/1"));
  stage.keys("g / l s Enter n n n");
  CHECK(stage.shows("match"));
  stage.keys("/").type("nothing like it").keys("Enter");
  CHECK(stage.shows("no match for nothing like it"));
  stage.keys("/").type("remove").keys("Escape n");
  CHECK(stage.shows("no match for nothing like it"));
}

TEST_CASE("model: the scope of a search is changed with Tab") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("/").type("ls");
  CHECK(stage.shows("in: all"));
  stage.keys("Tab");
  CHECK(stage.shows("in: screen"));
  stage.keys("Tab");
  CHECK(stage.shows("in: input"));
  CHECK(stage.shows("1 found"));
  stage.keys("Tab Tab Tab Tab");
  CHECK(stage.shows("in: raw"));
  CHECK(stage.shows("1 found"));
}

TEST_CASE("model: the word under the cursor is searched") {
  EventScript script;
  script.out(1, "one needle two\r\n").out(2, "nothing\r\n").out(3, "a needle again\x1b[3;4H");
  Stage stage(script);
  stage.keys("G *");
  CHECK(stage.shows("match 1/2"));
  stage.keys("n");
  CHECK(stage.shows("match 2/2"));
}

TEST_CASE("model: cells and lines are marked and copied to a new file") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("G V").type("kkkk").keys("y Enter");
  REQUIRE(stage.written.size() == 1);
  CHECK(stage.written.begin()->first.starts_with("web1-"));
  CHECK(stage.written.begin()->second.find("cannot remove 'x'\n$ sleep 3\n") != std::string::npos);
  stage.keys("V y Enter");
  CHECK(stage.shows("is there already"));
  stage.keys("Escape y");
  CHECK(stage.shows("sworn play web1.sworn --event"));
}

TEST_CASE("model: a clip has two ends and goes where it is told") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("] b ] B x Enter");
  REQUIRE(stage.clip);
  CHECK(stage.clip->path.ends_with(".cast"));
  CHECK(stage.clip->from < stage.clip->to);
  stage.clip.reset();
  stage.keys("g B").type(":w other.txt").keys("Enter");
  CHECK_FALSE(stage.clip);
  CHECK(stage.shows("ends before it begins"));
}

TEST_CASE("model: bookmarks, notes and their list") {
  const auto script = working_day();
  Stage stage(script, {200, 50});
  stage.keys("] m x ] a").type("look here").keys("Enter G M");
  CHECK(stage.shows("look here"));
  CHECK(stage.shows("(bookmark)"));
  stage.keys("Down Enter");
  CHECK(stage.shows("cmd 2/3"));
  stage.keys("G ' x");
  CHECK(stage.shows("cmd 1/3"));
  stage.keys("' y");
  CHECK(stage.shows("there is no bookmark y"));
}

LogBookPtr two_logs() {
  auto book = std::make_shared<LogBook>();
  const auto line = [&book](double t, std::string_view source, std::string_view text,
                            LogSeverity severity, LogRelation relation) {
    LogItem item;
    item.t = EventScript::at(t);
    item.until = item.t;
    item.source = source;
    item.text = text;
    item.severity = severity;
    item.relation = relation;
    book->items.push_back(item);
  };
  line(0.5, "auth", "session opened", LogSeverity::normal, LogRelation::this_session);
  line(3.25, "app", "failure in module", LogSeverity::error, LogRelation::host);
  line(50, "auth", "something else", LogSeverity::normal, LogRelation::host);
  book->title = "auth, app";
  return book;
}

TEST_CASE("model: log lines follow the playhead and lead it") {
  const auto script = working_day();
  Stage stage(script);
  CHECK_FALSE(stage.shows("session opened"));
  stage.logs = two_logs();
  stage.pass(0);
  CHECK(stage.shows("session opened"));
  stage.keys(") )");
  CHECK(stage.shows("follows 2/3"));
  stage.keys("Tab Tab Down Enter");
  CHECK(stage.model->playback().now() == EventScript::at(50));
  stage.keys("f").type("is:error").keys("Enter");
  CHECK_FALSE(stage.shows("session opened"));
  CHECK(stage.shows("failure in module"));
  stage.keys("f").type(std::string(1, 'x')).keys("Escape");
  stage.keys("f").keys("Ctrl+U").type("is:nonsense").keys("Enter");
  CHECK(stage.shows("is: takes"));
}

TEST_CASE("model: clocks") {
  const auto script = working_day();
  Stage stage(script);
  CHECK(stage.shows("14:02:11.000Z"));
  stage.keys("t");
  CHECK(stage.shows("15:02:11.000 CET"));
  stage.keys("t t");
  CHECK(stage.shows("+0:00:00.000"));
  stage.keys(":").type("set clock utc").keys("Enter");
  CHECK(stage.shows("14:02:11.000Z"));
}

TEST_CASE("model: the prompt takes places and settings, and says what it does not know") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys(":").type("cmd 2").keys("Enter");
  CHECK(stage.shows("cmd 2/3"));
  stage.keys(":").type("+90").keys("Enter");
  CHECK(stage.model->playback().now() > EventScript::at(90));
  stage.keys(":").type("set speed 4").keys("Enter");
  CHECK(stage.model->playback().speed() == 4);
  stage.keys(":").type("set speed 1000").keys("Enter");
  CHECK(stage.shows("from 0.25 to 64"));
  stage.keys(":").type("set nonsense").keys("Enter");
  CHECK(stage.shows("there is: set speed"));
  stage.keys(":").type("help").keys("Enter");
  CHECK(stage.shows("Playing"));
}

TEST_CASE("model: the history of a row leads to each of its states") {
  EventScript script;
  script.out(1, "first").out(2, "\r\x1b[Ksecond").out(3, "\r\x1b[Kthird");
  Stage stage(script);
  stage.keys("G S");
  CHECK(stage.shows("row 1 of the screen"));
  CHECK(stage.shows("first"));
  CHECK(stage.shows("second"));
  stage.keys("Down Enter");
  CHECK(stage.rows[1].starts_with("second"));
  CHECK_FALSE(stage.shows("row 1 of the screen"));
}

TEST_CASE(
    "model: concealed text, text of its ground's colour and shapeless characters are revealed") {
  EventScript script;
  script.out(1,
             "\x1b[8mhidden\x1b[m \x1b[31;41msame\x1b[m a\xE2\x80\xAE"
             "b");
  Stage stage(script);
  stage.keys("G");
  const auto look = [&stage](int col) { return stage.model->frame(stage.size).at(1, col); };
  CHECK((look(0).style.attributes & vt::k_dim) != 0);
  CHECK(look(7).style.fg == look(7).style.bg);
  stage.keys("R");
  CHECK((look(0).style.attributes & vt::k_inverse) != 0);
  CHECK(look(7).style.fg == vt::Color{});
  CHECK(stage.shows("REVEAL"));
  const auto frame = stage.model->frame(stage.size);
  CHECK(frame.row_text(1).find('?') != std::string::npos);
}

TEST_CASE("model: without the panes one cell stays the player's own") {
  const auto script = working_day();
  Stage stage(script, {80, 24});
  stage.keys("G z");
  CHECK(stage.rows[0].ends_with("z"));
  CHECK_FALSE(stage.shows("cmd 3/3"));
  stage.keys("z");
  CHECK(stage.shows("cmd 3/3"));
}

TEST_CASE("model: a screen larger than its pane is cropped, and says so") {
  EventScript script({132, 50});
  script.out(1, "\x1b[1;1Htop left\x1b[1;120Htop right\x1b[50;1Hbottom");
  Stage stage(script, {80, 24}, {132, 50});
  stage.keys("G");
  CHECK(stage.shows("bottom"));
  CHECK_FALSE(stage.shows("top left"));
  CHECK(stage.rows[0].find("rows") != std::string::npos);
  for (int i = 0; i < 20; ++i) {
    stage.keys("Alt+k");
  }
  CHECK(stage.shows("top left"));
  for (int i = 0; i < 20; ++i) {
    stage.keys("Alt+l");
  }
  CHECK(stage.shows("top right"));
  stage.keys("=");
  CHECK(stage.shows("bottom"));
}

TEST_CASE("model: the timeline shows a part of the time") {
  const auto script = working_day();
  Stage stage(script);
  stage.keys("Tab Tab + + +");
  CHECK(stage.shows("(8x)"));
  stage.keys("- - -");
  CHECK_FALSE(stage.shows("x) "));
}

TEST_CASE("model: a click on the timeline, on a list and on a cell") {
  const auto script = working_day();
  Stage stage(script);
  const auto click = [&stage](int row, int col) {
    Key key;
    key.code = KeyCode::click;
    key.row = row;
    key.col = col;
    stage.press(key);
  };
  int timeline = 0;
  for (std::size_t row = 0; row < stage.rows.size(); ++row) {
    if (stage.rows[row].find("^") != std::string::npos || stage.rows[row].find("c") == 0) {
      timeline = static_cast<int>(row);
    }
  }
  REQUIRE(timeline > 0);
  click(timeline - 1, 60);
  CHECK(stage.model->playback().now() > EventScript::at(40));
  click(timeline - 1, 0);
  CHECK(stage.model->playback().now() < EventScript::at(2));
  stage.keys("G");
  click(2, 0);
  stage.keys("c");
  CHECK(stage.shows("row 2, column 1"));
}

TEST_CASE("model: following a live session, rewinding while it runs") {
  EventScript script;
  script.set_live(true);
  script.out(1, "one ");
  Stage stage(script);
  stage.keys("F");
  CHECK(stage.model->playback().state() == PlayState::following);
  stage.keys("g");
  CHECK(stage.model->playback().state() != PlayState::following);
}

TEST_CASE("model: keys of a hostile mind") {
  const auto script = working_day();
  Stage stage(script, {60, 12});
  std::uint32_t state = 7;
  const auto next = [&state](std::uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int i = 0; i < 6'000; ++i) {
    Key key;
    if (next(3) == 0) {
      key.code = static_cast<KeyCode>(next(20));
      key.row = static_cast<int>(next(60));
      key.col = static_cast<int>(next(210));
      key.shift = next(2) == 0;
    } else {
      key.c = U' ' + next(95);
      key.ctrl = next(9) == 0;
      key.alt = next(9) == 0;
    }
    stage.model->handle(key);
    stage.clock.pass(0.01);
    stage.model->tick();
    if (next(10) == 0) {
      stage.size = {static_cast<std::uint16_t>(1 + next(220)),
                    static_cast<std::uint16_t>(1 + next(60))};
    }
    [[maybe_unused]] const auto frame = stage.model->frame(stage.size);
  }
}

}  // namespace
