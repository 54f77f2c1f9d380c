// SPDX-License-Identifier: Apache-2.0
#include "player/indexer.hpp"
#include "player/raw_text.hpp"
#include "player/search.hpp"
#include "tests/support/event_script.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

namespace {

using namespace sworn;
using namespace sworn::player;
using sworn::test::EventScript;

std::shared_ptr<IndexState> indexed(const EventScript& script, TermSize size = {80, 24}) {
  auto state = std::make_shared<IndexState>(std::make_shared<BlobStore>());
  Indexer indexer(script.source(), {.size = size, .terminal = true}, state);
  REQUIRE(indexer.run_to_end());
  return state;
}

std::vector<TextHit> find(const TextIndex& index, std::string_view text,
                          PatternKind kind = PatternKind::text) {
  const auto matcher = Matcher::compile(text, kind, CaseRule::exact);
  REQUIRE(matcher);
  std::vector<TextHit> found;
  const auto use = [&found](std::vector<TextHit>&& hits) {
    found.insert(found.end(), hits.begin(), hits.end());
    return true;
  };
  REQUIRE(index.search(**matcher, {.from = 0, .backward = false, .threads = 2}, use,
                       [] { return false; }));
  return found;
}

// A session in which lines are typed, wrapped, overwritten, scrolled, cleared and come back.
EventScript wild_session(unsigned seed, std::size_t events, TermSize size) {
  EventScript script(size);
  std::mt19937 random(seed);
  const auto pick = [&random](unsigned n) { return static_cast<unsigned>(random()) % n; };
  const auto words = [&](unsigned n) {
    std::string text;
    for (unsigned i = 0; i < n; ++i) {
      text += static_cast<char>('a' + pick(26));
      if (pick(7) == 0) {
        text += ' ';
      }
    }
    return text;
  };
  double t = 1;
  for (std::size_t i = 0; i < events; ++i) {
    t += 0.01;
    switch (pick(16)) {
      case 0:
        script.out(t, "\x1b[2J\x1b[H");
        break;
      case 1:
        script.out(t, pick(2) == 0 ? "\x1b[?1049h" : "\x1b[?1049l");
        break;
      case 2:
        script.out(t, "\x1b[" + std::to_string(1 + pick(size.rows)) + ";" +
                          std::to_string(1 + pick(size.cols)) + "H" + words(1 + pick(9)));
        break;
      case 3:
        script.out(
            t, "\x1b[3;" + std::to_string(size.rows - 1) + "r\x1b[4H\x1b[2M" + words(5) + "\x1b[r");
        break;
      case 4:
        script.resize(t, {static_cast<std::uint16_t>(20 + pick(40)),
                          static_cast<std::uint16_t>(5 + pick(10))});
        break;
      case 5:
        script.out(t, "\r" + words(12) + "\x1b[K");
        break;
      case 6:
        script.out(t, words(size.cols * 2U + pick(60)));  // wraps
        break;
      case 7: {
        std::string many;
        for (unsigned n = pick(30); n > 0; --n) {
          many += words(pick(90)) + "\r\n";
        }
        script.out(t, many);
        break;
      }
      case 8:
        script.out(t, "\xE6\xBC\xA2\xE5\xAD\x97" + words(4));
        break;
      default:
        script.out(t, words(1 + pick(6)) + (pick(3) == 0 ? "\r\n" : ""));
    }
  }
  return script;
}

TEST_CASE("text index: what stood on the screen at any event is found, at that event") {
  for (const unsigned seed : {1U, 2U, 3U, 4U, 5U, 6U}) {
    const TermSize size{40, 10};
    const auto script = wild_session(seed, 500, size);
    const auto index = indexed(script, size);
    ScreenState screen({.size = size, .terminal = true});
    std::mt19937 random(seed + 100);
    std::size_t probes = 0;
    for (const auto& event : script.events()) {
      screen.apply(event.view());
      if (random() % 4 != 0) {
        continue;
      }
      const auto& terminal = screen.terminal();
      const auto row = terminal.row_text(static_cast<int>(random() % terminal.size().rows));
      if (row.size() < 4) {
        continue;
      }
      const auto length = std::min<std::size_t>(row.size(), 4 + random() % 14);
      const auto probe = row.substr(random() % (row.size() - length + 1), length);
      if (probe.find_first_not_of(' ') == std::string::npos || probe.back() == ' ' ||
          probe.front() == ' ') {
        continue;
      }
      const auto position = event.number + 1;
      const auto hits = find(*index->text(), probe);
      const bool covered = std::any_of(hits.begin(), hits.end(), [&](const TextHit& hit) {
        return hit.since <= position && position <= hit.to;
      });
      CAPTURE(seed);
      CAPTURE(probe);
      CAPTURE(position);
      REQUIRE(covered);
      ++probes;
    }
    CHECK(probes > 40);
  }
}

TEST_CASE("text index: lines that wrap are one, also while they leave at the top") {
  EventScript script({20, 4});
  script.out(1, "first\r\n").out(2, std::string("start-") + std::string(50, 'x') + "-end\r\n");
  for (int i = 0; i < 6; ++i) {
    script.out(3 + i, "line " + std::to_string(i) + "\r\n");
  }
  const auto index = indexed(script, {20, 4});
  const auto hits = find(*index->text(), "start-x+-end", PatternKind::regex);
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].from == 4);
  // The last of its three rows left with "line 2": until then the end of it was seen.
  CHECK(hits[0].to >= 6);
}

TEST_CASE("text index: typing is one entry, complete when it was complete") {
  EventScript script;
  script.out(1, "$ ").out(2, "l").out(3, "s").out(4, " -la");
  const auto index = indexed(script);
  const auto hits = find(*index->text(), "$ ls -la");
  REQUIRE(hits.size() == 1);
  CHECK(hits[0].since == 3);
  CHECK(hits[0].from == 6);
  CHECK(find(*index->text(), "$ l").size() == 1);
}

TEST_CASE("text index: text that was overwritten has its end") {
  EventScript script;
  script.out(1, "progress 10 %").out(2, "\rprogress 20 %").out(3, "\rdone         ");
  const auto index = indexed(script);
  const auto ten = find(*index->text(), "progress 10 %");
  REQUIRE(ten.size() == 1);
  CHECK(ten[0].from == 3);
  CHECK(ten[0].to == 4);
  CHECK(find(*index->text(), "done").size() == 1);
}

TEST_CASE("text index: segments go through the store and come back") {
  EventScript script;
  std::string bulk;
  for (int i = 0; i < 60'000; ++i) {
    bulk += "row number " + std::to_string(i) + " of many rows that fill segments\r\n";
    if (i % 100 == 99) {
      script.out(1 + i * 0.001, bulk);
      bulk.clear();
    }
  }
  const auto index = indexed(script);
  CHECK(index->text()->segments().size() >= 2);
  for (const int i : {0, 17, 23'456, 59'999}) {
    CHECK(find(*index->text(), "row number " + std::to_string(i) + " of").size() == 1);
  }
  CHECK(find(*index->text(), "row number 60000 of").empty());
  CHECK(find(*index->text(), "number \\d+7777 of", PatternKind::regex).size() == 5);
}

TEST_CASE("text segment: damaged parts are refused") {
  TextSegment segment;
  segment.add({1, 2, 3, EventScript::at(1), EventScript::at(2), "some text"});
  segment.add({2, 2, 9, EventScript::at(1), EventScript::at(4), "more text"});
  const auto text = segment.pack_text();
  const auto rows = segment.pack_rows();
  REQUIRE(text);
  REQUIRE(rows);
  const auto plain = TextSegment::unpack_text(*text);
  REQUIRE(plain);
  const auto good = TextSegment::unpack(*plain, *rows);
  REQUIRE(good);
  CHECK(good->at(1).text == "more text");
  CHECK(good->at(1).since == 2);
  CHECK(good->at(1).to == 9);
  CHECK_FALSE(TextSegment::unpack(plain->substr(1), *rows));
  for (std::size_t size = 0; size < rows->size(); ++size) {
    CHECK_FALSE(TextSegment::unpack(*plain, ByteView(*rows).first(size)));
  }
}

TEST_CASE("input index: lines as typed and as corrected") {
  EventScript script;
  for (const char c : std::string("sudp\x7Fo rm\r")) {
    script.in(1, std::string(1, c));
  }
  script.in(2, "passwd").hidden(3);
  const auto index = indexed(script);
  CHECK(find(*index->input(), "sudo rm").size() == 1);
  CHECK(find(*index->input(), "sudp<BS>o rm").size() == 1);
  CHECK(find(*index->input(), "passwd").size() == 1);  // not ended yet
}

TEST_CASE("raw text: what was written and erased in one go is found there only") {
  EventScript script;
  script.out(1, "\x1b[31msec\x1b[1mret\x1b[0m\x1b[2K\rharmless\r\n")
      .out(2, "split wo")
      .out(3, "rd\n");
  script.out(4,
             "\x1b]0;a title\x07"
             "after\x1bPq123\x1b\\image\n");
  const auto index = indexed(script);
  CHECK(find(*index->text(), "secret").empty());
  std::vector<std::string> lines;
  RawText raw([&lines](const RawText::Line& line) {
    lines.emplace_back(line.text);
    return true;
  });
  for (const auto& event : script.events()) {
    REQUIRE(raw.add(event.view()));
  }
  raw.finish();
  CHECK(lines == std::vector<std::string>{"secret", "harmless", "split word", "afterimage"});
}

TEST_CASE("search: scopes, order, limits") {
  EventScript script;
  script.begin(1, 1, "cat secret.txt").out(1.1, "secret one\r\n").end(2, 1, 0);
  script.in(3, "secret\r").out(3.1, "\x1b[2Jsecret two\r\n").out(4, "secr").out(4, "\rxxxxxxxxx");
  const auto index = indexed(script);
  const auto run = [&](SearchScope scope, std::size_t most = 100) {
    SearchQuery query;
    query.matcher = *Matcher::compile("secret", PatternKind::text);
    query.scope = scope;
    query.text = index->text();
    query.input = index->input();
    query.facts = index->facts();
    query.notes.push_back({
        "",
        EventScript::at(2),
        5,
        "kim",
        {},
        "the secret",
    });
    query.open_source = [&script]() -> Result<std::unique_ptr<EventSource>> {
      return script.source();
    };
    query.max_hits = most;
    SearchRun search(std::move(query));
    search.work();
    CHECK(search.finished());
    return search.take();
  };
  CHECK(run(SearchScope::screen).hits.size() == 2);
  CHECK(run(SearchScope::commands).hits.size() == 1);
  CHECK(run(SearchScope::input).hits.size() == 1);
  CHECK(run(SearchScope::notes).hits.size() == 1);
  CHECK(run(SearchScope::raw).hits.size() == 2);
  const auto all = run(SearchScope::all);
  CHECK(all.hits.size() == 5);
  CHECK(std::is_sorted(all.hits.begin(), all.hits.end(),
                       [](const auto& a, const auto& b) { return a.place.t < b.place.t; }));
  const auto few = run(SearchScope::all, 2);
  CHECK(few.hits.size() == 2);
  CHECK(few.truncated);
}

}  // namespace
