// SPDX-License-Identifier: Apache-2.0
// The tail of an encrypted session, and what is salvaged of one.
#include "format/record.hpp"
#include "format/salvage.hpp"
#include "format/session_reader.hpp"
#include "format/tail.hpp"
#include "format/tail_layout.hpp"
#include "format/verify.hpp"
#include "tests/support/encrypted_session.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::must;
using test::ring_of;
using test::SampleSession;

namespace {

constexpr FileId k_id{std::byte{7}, std::byte{8}};

Key some_key(std::uint64_t seed) {
  test::FakeEntropy entropy(seed);
  Key key;
  must(entropy.fill(key.span()));
  return key;
}
std::unique_ptr<TailKey> tail_key(std::uint64_t seed) {
  return std::make_unique<TailKey>(TailKey::create(k_id, some_key(seed)).value());
}
std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void put(TailWriter& tail, std::string_view text, std::int64_t t = 5) {
  const auto view = tail.put(EventKind::output, {t}, {t - 2}, as_bytes(text)).value();
  CHECK(as_text(view.data) == text);
}

}  // namespace

TEST_CASE(
    "encrypted tail: events come back with the key only, and nothing readable is in the file") {
  const test::TempDir dir;
  auto tail = TailWriter::create(dir / "t", k_id, 8192, tail_key(1)).value();
  put(*tail, "SECRET-one");
  put(*tail, "");
  const auto room = tail->reserve(4096);
  REQUIRE(room.size() == 4096);
  const std::string_view text = "SECRET-two";
  std::copy_n(reinterpret_cast<const std::byte*>(text.data()), text.size(), room.begin());
  const auto view = tail->commit(EventKind::input, {9}, {9}, text.size());
  CHECK(as_text(view.data) == text);
  CHECK(slurp(dir / "t").find("SECRET") == std::string::npos);
  CHECK(read_tail(dir / "t", k_id, 0).error().code == Errc::locked);
  auto key = tail_key(1);
  const auto found = read_tail(dir / "t", k_id, 0, &*key).value();
  REQUIRE(found.events.size() == 3);
  CHECK_FALSE(found.hole);
  CHECK(as_text(found.events[0].data) == "SECRET-one");
  CHECK(found.events[0].t.us == 5);
  CHECK(found.events[0].at.us == 3);
  CHECK(found.events[1].data.empty());
  CHECK(found.events[2].kind == EventKind::input);
  CHECK(as_text(found.events[2].data) == text);
  CHECK(tail->pending(1).size() == 2);
  auto wrong = tail_key(2);
  const auto nothing = read_tail(dir / "t", k_id, 0, &*wrong).value();
  CHECK(nothing.events.empty());
  CHECK(nothing.hole);
}

TEST_CASE(
    "encrypted tail: thousands of events through both halves, each sealed under its own pair") {
  const test::TempDir dir;
  auto tail = TailWriter::create(dir / "t", k_id, 8192, tail_key(1)).value();
  auto key = tail_key(1);
  std::set<std::pair<std::uint64_t, std::uint64_t>> pairs;
  std::uint64_t released = 0;
  for (std::uint64_t n = 0; n < 3000; ++n) {
    const std::string text = std::to_string(n) + std::string(n % 200, 'x');
    auto done = tail->put(EventKind::output, {5}, {5}, as_bytes(text));
    if (!done) {
      REQUIRE(done.error().code == Errc::exhausted);
      const auto found = read_tail(dir / "t", k_id, released, &*key).value();
      REQUIRE(found.events.size() == n - released);
      CHECK(as_text(found.events.back().data).starts_with(std::to_string(n - 1)));
      const auto sealed = read_sealed_tail(dir / "t", k_id, released).value();
      for (const auto& entry : sealed.entries) {
        CHECK(pairs.emplace(entry.generation, entry.number).second);
      }
      released = n;
      tail->release(n);
      done = tail->put(EventKind::output, {5}, {5}, as_bytes(text));
    }
    REQUIRE(done);
    CHECK(as_text(done->data) == text);
  }
  CHECK(pairs.size() > 2000);
}

TEST_CASE("encrypted tail: the key goes forward only") {
  auto key = TailKey::create(k_id, some_key(1)).value();
  Bytes sealed(8 + k_aead_tag_bytes);
  must(key.seal(4, as_bytes("01234567"), sealed));
  CHECK(key.seal(4, as_bytes("01234568"), sealed).error().code == Errc::bad_usage);
  auto early = key.copy();
  must(key.advance(3));
  CHECK(key.advance(2).error().code == Errc::bad_usage);
  Bytes plain;
  CHECK_FALSE(key.open(4, sealed, plain));
  must(early.open(4, sealed, plain));
  CHECK(as_text(plain) == "01234567");
  CHECK(key.advance(std::uint64_t{1} << 60).error().code == Errc::corrupt);
}

TEST_CASE("encrypted tail: a flipped byte ends what is read there") {
  const test::TempDir dir;
  auto tail = TailWriter::create(dir / "t", k_id, 8192, tail_key(1)).value();
  for (int i = 0; i < 5; ++i) {
    put(*tail, "event " + std::to_string(i));
  }
  const std::string whole = slurp(dir / "t");
  for (std::size_t at = k_tail_page_bytes; at < k_tail_page_bytes + 400; at += 3) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    std::ofstream(dir / "c", std::ios::binary) << changed;
    auto key = tail_key(1);
    const auto found = read_tail(dir / "c", k_id, 0, &*key).value();
    CHECK(found.events.size() <= 5);
    for (std::size_t i = 0; i < found.events.size(); ++i) {
      CHECK(as_text(found.events[i].data) == "event " + std::to_string(i));
    }
  }
}

namespace {

// A crashed encrypted session: three sealed events, two in chunks without a seal, two in the tail.
struct Crashed {
  test::TempDir dir;
  SampleSession s{11, [] {
                    auto options = test::encrypted();
                    options.chunk_bytes = 1024;
                    return options;
                  }()};
  std::string tail_path = dir / "tail";
  Crashed() {
    auto key = s.writer->take_tail_key();
    auto tail =
        TailWriter::create(tail_path, s.writer->header().file_id, 16384, std::move(key)).value();
    const auto both = [&](const std::string& text, bool file) {
      tail->put(EventKind::output, s.clock.mono(), s.clock.mono(), as_bytes(text)).value();
      if (file) {
        s.output(text);
      } else {
        s.clock.advance(1000);
      }
    };
    both("one ", true);
    both("two ", true);
    both("three ", true);
    s.seal();
    both(std::string(1100, 'x'), true);
    both(std::string(1200, 'y'), true);
    both("tail six ", false);
    both("tail seven", false);
  }
};

std::string text_of(const MemFile& file, const KeyRing& ring) {
  auto reader = SessionReader::open(file, ring).value();
  std::string all;
  while (const auto view = reader->next().value()) {
    all += as_text(view->data);
  }
  return all;
}

}  // namespace

TEST_CASE("encrypted salvage: needs no key; with the key everything that was on record is read") {
  Crashed c;
  MemFile out;
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  const auto report = salvage(c.s.file, c.tail_path, out, clock, entropy, "crash").value();
  CHECK(report.sealed_events == 3);
  CHECK(report.recovered_events == 4);
  CHECK(report.tail_used);
  const auto all = as_text(ByteView(out.data()));
  CHECK(all.find("tail six") == std::string::npos);
  CHECK(all.find("xxxxxx") == std::string::npos);
  const KeyRing nobody;
  VerifyOptions options;
  options.keys = &nobody;
  const auto checked = verify(out, {}, options).value();
  CHECK(checked.verdict == Verdict::incomplete);
  CHECK(checked.recovered);
  CHECK(checked.events == 3);
  const auto ring = ring_of({100});
  CHECK(text_of(out, ring) ==
        "one two three " + std::string(1100, 'x') + std::string(1200, 'y') + "tail six tail seven");
  auto reader = SessionReader::open(out, ring).value();
  CHECK(reader->first_unsealed_extra() == 3);
  CHECK(SessionReader::open(out, nobody).value()->locked());
  // The same from the crashed file itself and its tail, as a player reads it.
  auto live = SessionReader::open(c.s.file, ring).value();
  live->set_tail(
      read_tail(c.tail_path, c.s.writer->header().file_id, live->event_count(), live->tail_key())
          .value()
          .events);
  std::string text;
  while (const auto view = live->next().value()) {
    text += as_text(view->data);
  }
  CHECK(text == text_of(out, ring));
}

TEST_CASE(
    "encrypted salvage: every flipped byte of what it carries is noticed by the salvager's "
    "signature") {
  Crashed c;
  MemFile out;
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  must(salvage(c.s.file, c.tail_path, out, clock, entropy, "crash").map([](auto) {}));
  const auto id = c.s.writer->header().file_id;
  RecordScanner scanner(out, id, k_preamble_bytes);
  while (const auto record = scanner.next().value()) {
    if (record->frame.record_type() != RecordType::recovered) {
      continue;
    }
    for (std::size_t at = 0; at < record->body.size(); at += 17) {
      Bytes body(record->body.begin(), record->body.end());
      body[at] ^= std::byte{1};
      MemFile changed;
      changed.data().assign(out.data().begin(),
                            out.data().begin() + static_cast<std::ptrdiff_t>(record->offset));
      append_record(changed.data(), id, RecordType::recovered, record->frame.seq, body);
      CHECK(verify(changed).value().verdict == Verdict::tampered);
    }
  }
}

TEST_CASE("encrypted salvage: every truncation gives a copy that says what it is") {
  Crashed c;
  const Bytes whole = c.s.file.data();
  test::FakeClock clock;
  for (std::size_t length = 600; length <= whole.size(); length += 41) {
    MemFile cut;
    cut.data().assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length));
    MemFile out;
    test::FakeEntropy entropy(9);
    const auto report = salvage(cut, c.tail_path, out, clock, entropy, "cut");
    if (!report) {
      continue;  // not even a header
    }
    const auto checked = verify(out).value();
    CHECK((checked.verdict == Verdict::incomplete || checked.verdict == Verdict::unsealed));
    CHECK(text_of(out, ring_of({100})).ends_with("tail six tail seven"));
  }
}
