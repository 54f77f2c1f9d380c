// SPDX-License-Identifier: Apache-2.0
#include "format/session_reader.hpp"
#include "tests/support/sample_session.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::format;
using test::must;
using test::SampleSession;

namespace {

std::vector<Event> read_all(SessionReader& reader) {
  std::vector<Event> out;
  while (auto view = reader.next().value()) {
    out.push_back({view->number, view->kind, view->t, view->at,
                   Bytes(view->data.begin(), view->data.end()), view->redacted});
  }
  return out;
}

void check_same(const std::vector<Event>& got, const std::vector<Event>& want) {
  REQUIRE(got.size() == want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].number == want[i].number);
    CHECK(got[i].kind == want[i].kind);
    CHECK(got[i].t == want[i].t);
    CHECK(got[i].at == want[i].at);
    CHECK(got[i].data == want[i].data);
  }
}

// Many chunks and groups: events of all sizes, small chunks.
std::unique_ptr<SampleSession> long_session(bool close) {
  auto made =
      std::make_unique<SampleSession>(7, WriterOptions{.zstd_level = 1, .chunk_bytes = 4096});
  SampleSession& s = *made;
  for (int i = 0; i < 3000; ++i) {
    s.output(std::string(static_cast<std::size_t>(i * 37 % 300), static_cast<char>('a' + i % 26)));
    if (i % 50 == 0) {
      s.seal();
    }
  }
  if (close) {
    must(s.writer->finish({}));
  } else {
    s.seal();
  }
  return made;
}

}  // namespace

TEST_CASE("format: a small session comes back as it was written") {
  const auto made = SampleSession::small();
  auto& s = *made;
  auto reader = SessionReader::open(s.file).value();
  CHECK(reader->state() == FileState::closed);
  CHECK(reader->event_count() == s.events.size());
  CHECK(reader->header().host_id == "00112233445566778899aabbccddeeff");
  check_same(read_all(*reader), s.events);
  CHECK(reader->damage().empty());
}

TEST_CASE("format: many chunks in groups come back with and without the index") {
  for (const bool close : {true, false}) {
    const auto made = long_session(close);
    auto& s = *made;
    auto reader = SessionReader::open(s.file).value();
    CHECK(reader->state() == (close ? FileState::closed : FileState::open));
    CHECK(reader->chunks().size() > 100);
    check_same(read_all(*reader), s.events);
  }
}

TEST_CASE("format: seek by event and time finds the same as reading to it") {
  const auto made = long_session(true);
  auto& s = *made;
  auto reader = SessionReader::open(s.file).value();
  for (std::uint64_t n = 0; n < s.events.size(); n += 97) {
    CAPTURE(n);
    must(reader->seek_event(n));
    const auto view = reader->next().value();
    REQUIRE(view);
    CHECK(view->number == n);
    CHECK(Bytes(view->data.begin(), view->data.end()) == s.events[n].data);
    must(reader->seek_time(s.events[n].t));
    CHECK(reader->next().value()->number == n);
    must(reader->seek_time({s.events[n].t.us + 1}));
    const auto after = reader->next().value();
    CHECK((n + 1 == s.events.size() ? !after : after->number == n + 1));
  }
  must(reader->seek_time({0}));
  CHECK(reader->next().value()->number == 0);
  must(reader->seek_event(s.events.size()));
  CHECK_FALSE(reader->next().value());
}

TEST_CASE("format: a live file grows under its reader") {
  SampleSession s;
  s.output("one");
  s.seal();
  auto reader = SessionReader::open(s.file).value();
  CHECK(read_all(*reader).size() == 1);
  s.output("two");
  s.output("three");
  s.seal();
  const auto whole = s.file.data();
  s.file.data().resize(whole.size() - 3);  // a record that is being written
  CHECK(reader->refresh().value() == 2);   // the chunk is whole, only the seal is torn
  CHECK(reader->trailing_bytes() > 0);
  CHECK(reader->damage().empty());
  s.file.data() = whole;
  CHECK(reader->refresh().value() == 0);
  CHECK(reader->trailing_bytes() == 0);
  const auto rest = read_all(*reader);
  REQUIRE(rest.size() == 2);
  CHECK(as_text(rest[1].data) == "three");
}

TEST_CASE("format: events out of order or too large are refused and the writer stays dead") {
  SampleSession s;
  const Event skipped{5, EventKind::output, s.clock.mono(), s.clock.mono(), {}, false};
  auto view = skipped.view();
  CHECK(s.writer->append({&view, 1}).error().code == Errc::bad_usage);
  CHECK_FALSE(s.writer->seal(SealReason::interval));
  SampleSession t;
  const Event large{
      0, EventKind::output, t.clock.mono(), t.clock.mono(), Bytes(k_max_event_bytes + 1), false};
  view = large.view();
  CHECK(t.writer->append({&view, 1}).error().code == Errc::bad_usage);
}

TEST_CASE("format: a full disk kills the writer and leaves a readable file") {
  SampleSession s;
  s.output("kept");
  s.seal();
  s.file.fail_after = s.file.data().size() + 10;
  const Event event{s.number,       EventKind::output, s.clock.mono(),
                    s.clock.mono(), to_bytes("lost"),  false};
  const auto view = event.view();
  must(s.writer->append({&view, 1}));
  const auto sealed = s.writer->seal(SealReason::interval);
  REQUIRE_FALSE(sealed);
  CHECK(sealed.error().sys == ENOSPC);
  CHECK_FALSE(s.writer->append({&view, 1}));
  auto reader = SessionReader::open(s.file).value();
  const auto events = read_all(*reader);
  REQUIRE(events.size() == 1);
  CHECK(as_text(events[0].data) == "kept");
}

TEST_CASE("format: wall times map through the seals and a clock step stays where it happened") {
  SampleSession s;
  for (int i = 0; i < 10; ++i) {
    s.output("x");
    s.clock.advance(1'000'000);
    if (i == 5) {
      s.clock.step_wall(-3'600'000'000);
    }
    s.seal();
  }
  auto reader = SessionReader::open(s.file).value();
  const auto map = reader->clock_map().value();
  CHECK(map.steps() == 1);
  const MonoTime early{s.events[3].t};
  const MonoTime late{s.events[9].t};
  CHECK(std::abs(map.to_wall(early).us - (1'795'224'237'000'000 + early.us - 1'000'000)) < 1000);
  CHECK(std::abs(map.to_wall(late).us -
                 (1'795'224'237'000'000 - 3'600'000'000 + late.us - 1'000'000)) < 1000);
  CHECK(std::abs(map.to_mono(map.to_wall(late)).us - late.us) < 1000);
  CHECK(std::abs(map.to_mono(map.to_wall(early)).us - early.us) < 1000);
}
