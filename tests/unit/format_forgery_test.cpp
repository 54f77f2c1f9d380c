// SPDX-License-Identifier: Apache-2.0
// Files that are well-formed as far as frames go, and lie.
#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"
#include "format/index.hpp"
#include "format/salvage.hpp"
#include "format/session_reader.hpp"
#include "format/verify.hpp"
#include "tests/support/raw_session.hpp"
#include "tests/support/sample_session.hpp"

#include <doctest/doctest.h>
#include <zstd.h>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::must;
using test::RawSession;
using test::SampleSession;

namespace {

bool has(const VerifyReport& report, std::string_view code) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [&](const Finding& f) { return f.code == code; });
}

MemFile file_of(Bytes data) {
  MemFile file;
  file.data() = std::move(data);
  return file;
}

Bytes slice(const Bytes& data, std::uint64_t begin, std::uint64_t end) {
  return {data.begin() + static_cast<std::ptrdiff_t>(begin),
          data.begin() + static_cast<std::ptrdiff_t>(end)};
}

std::string text_of(const ReadFile& file) {
  auto reader = SessionReader::open(file).value();
  std::string out;
  while (const auto view = reader->next().value()) {
    out += as_text(view->data);
  }
  return out;
}

// Three sealed outputs in chunks of their own, closed, without index and footer.
RawSession& closed(RawSession& s) {
  return s.begin()
      .output("one ")
      .seal()
      .output("two ")
      .seal()
      .output("three ")
      .seal()
      .end()
      .final_seal();
}

Bytes zstd_of(ByteView raw) {
  Bytes out(::ZSTD_compressBound(raw.size()));
  out.resize(::ZSTD_compress(out.data(), out.size(), raw.data(), raw.size(), 1));
  return out;
}

Bytes skippable_frame(ByteView content) {
  Bytes out;
  ByteWriter(out).u32(0x184D2A50).u32(static_cast<std::uint32_t>(content.size())).bytes(content);
  return out;
}

}  // namespace

TEST_CASE("forgery: the raw builder makes what the writer makes") {
  RawSession s;
  closed(s);
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::self_consistent);
  CHECK(report.findings.empty());
  CHECK(text_of(s.file) == "one two three ");
}

// A reader finds chunks through the index. Whoever appends another chunk inside of a hint record,
// and an index that names it, would show what was never recorded while every seal holds.
TEST_CASE("forgery: an index that names another chunk is tampering") {
  RawSession s;
  s.begin().output("one ").seal().end().final_seal();
  RawSession liar;  // the same file id, the same places
  liar.begin().output("ONE ");
  const Bytes false_chunk = slice(liar.data(), liar.offsets.back(), liar.data().size());
  const auto core = decode_chunk_body(ByteView(false_chunk).subspan(k_frame_bytes)).value();
  // The chunk hides in an index record of its own; another index names it.
  const std::uint64_t at = s.data().size() + k_frame_bytes;
  s.append(RecordType::index, false_chunk);
  IndexBuilder index;
  index.add(at, core.core, true, core.raw_bytes);
  append(s.data(), index.encode(s.id, s.seq, s.data().size(), s.offsets[3], s.offsets[4]));
  // Such a file is shown: the reader checks structure. What it shows must not pass.
  CHECK(text_of(s.file) == "ONE ");
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(has(report, "hint_mismatch"));
}

TEST_CASE("forgery: hints that are exactly those of the file pass and doubled ones do not") {
  const auto s = SampleSession::small();
  const auto report = verify(s->file).value();
  CHECK(report.verdict == Verdict::self_consistent);
  RecordScanner scanner(s->file, s->writer->header().file_id, k_preamble_bytes);
  Bytes footer;
  Bytes index;
  while (const auto record = scanner.next().value()) {
    auto bytes = slice(s->file.data(), record->offset, record->end());
    if (record->frame.record_type() == RecordType::footer) {
      footer = std::move(bytes);
    } else if (record->frame.record_type() == RecordType::index) {
      index = std::move(bytes);
    }
  }
  for (const auto* extra : {&footer, &index}) {
    auto data = s->file.data();
    append(data, *extra);
    CHECK(has(verify(file_of(data)).value(), "hint_mismatch"));
  }
}

TEST_CASE("forgery: records between END and the final seal are tampering") {
  RawSession s;
  s.begin().output("one ").seal().end().output("more ").final_seal();
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(has(report, "record_behind_end"));
  RawSession t;
  t.begin().output("one ").end().end().final_seal();
  CHECK(has(verify(t.file).value(), "record_behind_end"));
}

TEST_CASE("forgery: a final seal without END and END without a final seal") {
  RawSession s;
  s.begin().output("one ").final_seal();
  CHECK(has(verify(s.file).value(), "bad_final_seal"));
  CHECK(verify(s.file).value().verdict == Verdict::tampered);
  RawSession t;
  t.begin().output("one ").end().seal();
  CHECK(has(verify(t.file).value(), "end_not_final"));
  CHECK(verify(t.file).value().verdict == Verdict::tampered);
  // END that no seal covers is a crash in the last moment.
  RawSession u;
  u.begin().output("one ").seal().end();
  CHECK(verify(u.file).value().verdict == Verdict::incomplete);
  CHECK(SessionReader::open(u.file).value()->state() == FileState::open);
}

TEST_CASE("forgery: keys that anybody could sign for are refused") {
  RawSession s;
  s.header.first_key = PublicKey{};
  s.begin().output("one ").seal();
  CHECK(has(verify(s.file).value(), "bad_header"));
  RawSession t;
  t.begin().output("one ").seal({.flags = 0, .announce = false});
  CHECK(verify(t.file).value().verdict == Verdict::tampered);
  RawSession u;
  u.begin().output("one ").end().seal({.flags = k_seal_final, .announce = true});
  CHECK(has(verify(u.file).value(), "bad_seal"));
}

TEST_CASE("forgery: recovery records stand at the end or are tampering") {
  // Just before the final seal every number still fits.
  RawSession s;
  s.begin().output("one ").seal().end();
  s.recovered({s.event(1, EventKind::output, "planted ")});
  s.final_seal();
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(has(report, "record_behind_recovery"));
  RawSession t;
  t.begin().output("one ").seal().recovered({t.event(0, EventKind::output, "instead ")});
  CHECK(has(verify(t.file).value(), "bad_recovery"));
  CHECK(text_of(t.file) == "one ");
  RawSession u;
  u.begin().output("one ").seal();
  u.recovered({u.event(1, EventKind::output, "two ")});
  u.recovered({u.event(4, EventKind::output, "five ")});
  const auto good = verify(u.file).value();
  CHECK(good.verdict == Verdict::incomplete);
  CHECK(has(good, "events_missing"));
  CHECK(text_of(u.file) == "one two five ");
  auto reader = SessionReader::open(u.file).value();
  CHECK(reader->first_unsealed_extra() == 1);
  CHECK(reader->sealed_events() == 1);
  CHECK(reader->event_count() == 5);
  must(reader->seek_event(3));
  CHECK(reader->next().value()->number == 4);
  must(reader->seek_time({0}));
  CHECK(reader->next().value()->number == 0);
}

TEST_CASE("forgery: a seal that was put in between spoils nothing behind it") {
  RawSession s;
  s.begin().output("one ").seal();
  const auto cut = s.data().size();
  s.output("two ").seal().end().final_seal();
  for (const std::uint32_t number : {1U, 7U}) {
    Seal fake;
    fake.seal_no = number;
    Bytes body;
    append_seal(body, fake);
    Bytes data = slice(s.data(), 0, cut);
    append_record(data, s.id, RecordType::seal, 3, body);
    append(data, slice(s.data(), cut, s.data().size()));
    const auto report = verify(file_of(data)).value();
    CHECK(report.verdict == Verdict::tampered);
    CHECK(report.seals == 3);
    CHECK(report.closed);
  }
}

TEST_CASE("forgery: chunks behind the final seal are not shown") {
  RawSession s;
  closed(s);
  s.output("four ");
  CHECK(text_of(s.file) == "one two three ");
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(has(report, "record_behind_final_seal"));
}

TEST_CASE("forgery: broken bytes behind the last seal are a crash and before it tampering") {
  RawSession s;
  s.begin().output("one ").seal();
  const auto sealed = s.data().size();
  s.output("two ").output("three ");
  const Bytes before_seal = s.data();
  s.seal();
  const Bytes with_seal = s.data();
  for (std::size_t i = sealed; i < before_seal.size(); ++i) {
    CAPTURE(i);
    auto torn = before_seal;
    torn[i] = torn[i] == std::byte{0} ? std::byte{1} : std::byte{0};
    const auto crash = verify(file_of(torn)).value();
    CHECK(crash.verdict == Verdict::incomplete);
    CHECK(crash.seals == 1);
    CHECK(crash.sealed_bytes == sealed);
    auto changed = with_seal;
    changed[i] = torn[i];
    const auto broken = verify(file_of(changed)).value();
    CHECK(broken.verdict == Verdict::tampered);
    CHECK(broken.seals == 2);  // and names what is missing
  }
}

TEST_CASE("forgery: an unknown critical record does not hide tampering before it") {
  RawSession s;
  s.begin().output("one ").seal().output("two ").seal();
  auto data = s.data();
  data[s.offsets[1] + k_frame_bytes + 60] ^= std::byte{1};  // leaf root of the first chunk
  append_record(data, s.id, static_cast<RecordType>(0x41), s.seq, to_bytes("?"));
  CHECK(verify(file_of(data)).value().verdict == Verdict::tampered);
  data = s.data();
  append_record(data, s.id, static_cast<RecordType>(0x41), s.seq, to_bytes("?"));
  CHECK(verify(file_of(data)).value().verdict == Verdict::unsupported);
}

TEST_CASE("forgery: an ancillary record is sealed like any other and skipped") {
  RawSession s;
  s.begin().record(static_cast<RecordType>(0x90), to_bytes("private")).output("one ").seal().end();
  s.final_seal();
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::self_consistent);
  CHECK(has(report, "ancillary_record"));
  CHECK(text_of(s.file) == "one ");
  auto data = s.data();
  const auto at = s.offsets[1];
  Bytes other;
  append_record(other, s.id, static_cast<RecordType>(0x90), 1, to_bytes("PRIVATE"));
  std::copy(other.begin(), other.end(), data.begin() + static_cast<std::ptrdiff_t>(at));
  CHECK(has(verify(file_of(data)).value(), "record_changed"));
}

TEST_CASE("zstd: a group is one plain frame and nothing else") {
  RawSession plain;
  const std::vector<Event> events{plain.event(0, EventKind::output, "one ")};
  ChunkBuilder builder;
  builder.add(events[0].view());
  Bytes columns;
  builder.append_columns(columns);
  const Bytes frame = zstd_of(columns);
  const auto verdict_of = [&](const Bytes& stored) {
    RawSession s;
    s.begin().chunk(events, {.chunk_no = {}, .raw_bytes = {}, .stored = stored}).seal().end();
    s.final_seal();
    return verify(s.file).value().verdict;
  };
  CHECK(verdict_of(frame) == Verdict::self_consistent);
  const Bytes skippable = skippable_frame(as_bytes("anything could hide here"));
  Bytes both = skippable;
  append(both, frame);
  CHECK(verdict_of(both) == Verdict::tampered);
  both = frame;
  append(both, skippable);
  CHECK(verdict_of(both) == Verdict::tampered);
  both = frame;
  append(both, zstd_of({}));
  CHECK(verdict_of(both) == Verdict::tampered);
  // Magic numbers of the library's own past formats.
  for (const unsigned magic : {0x22U, 0x23U, 0x24U, 0x25U, 0x26U, 0x27U}) {
    auto old = frame;
    old[0] = static_cast<std::byte>(magic);
    old[1] = std::byte{0xB5};
    CHECK(verdict_of(old) == Verdict::tampered);
  }
  CHECK(verdict_of({}) == Verdict::tampered);
  CHECK(verdict_of(Bytes(3)) == Verdict::tampered);
}

TEST_CASE("zstd: a bomb stops at what the chunk announces and at the limit") {
  RawSession s;
  const std::vector<Event> events{s.event(0, EventKind::output, "one ")};
  const Bytes bomb = zstd_of(Bytes(200U << 20U));  // about 20 KiB stored
  s.begin().chunk(events, {.chunk_no = {}, .raw_bytes = {}, .stored = bomb}).seal();
  CHECK(verify(s.file).value().verdict == Verdict::tampered);
  CHECK(text_of(s.file).empty());
  RawSession t;
  t.begin()
      .chunk(events, {.chunk_no = {}, .raw_bytes = k_max_chunk_raw_bytes + 1, .stored = bomb})
      .seal();
  CHECK(has(verify(t.file).value(), "bad_chunk"));
  CHECK(text_of(t.file).empty());
}

TEST_CASE("groups: one that exceeds its limit is refused by verifier and reader") {
  RawSession s;
  s.begin();
  const std::string text(60'000, 'x');
  for (std::uint64_t i = 0; i < 20; ++i) {
    s.chunk({s.event(i, EventKind::output, text)},
            {.begins_group = i == 0, .chunk_no = {}, .raw_bytes = {}, .stored = {}});
  }
  s.seal().end().final_seal();
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(has(report, "chunk_unreadable"));
  auto reader = SessionReader::open(s.file).value();
  std::uint64_t n = 0;
  while (reader->next().value()) {
    ++n;
  }
  CHECK(n == k_max_group_raw_bytes / 60'000);
}

TEST_CASE("findings: many warnings do not push out the failure") {
  RawSession s;
  s.begin();
  std::vector<Event> gaps;
  for (std::uint64_t i = 0; i < 5'000; ++i) {
    gaps.push_back(s.event(i, EventKind::gap, "x"));
  }
  s.chunk(gaps).seal().output("victim").seal();
  auto data = s.data();
  data[s.offsets[3] + 30] ^= std::byte{1};
  const auto report = verify(file_of(data)).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(report.gaps == 5'000);
  CHECK(report.findings.size() <= 1000);
  CHECK(report.findings_left_out > 4'000);
  CHECK(report.findings.front().severity == Severity::failure);
}

TEST_CASE("clocks: silence and late seals and steps of the wall clock are told") {
  RawSession s;
  s.begin().output("one ").seal();
  CHECK(verify(s.file).value().findings.empty());
  s.seal({.flags = k_seal_heartbeat, .later_us = 70'000'000});
  s.output("two ").seal({.later_us = 10'000'000});
  s.output("three ").seal({.wall_step_us = -3'600'000'000});
  s.output("four ").seal();
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::incomplete);
  const auto count = [&](std::string_view code) {
    return std::count_if(report.findings.begin(), report.findings.end(),
                         [&](const Finding& f) { return f.code == code; });
  };
  CHECK(count("silence") == 1);
  CHECK(count("late_seal") == 1);
  CHECK(count("clock_step") == 1);
  CHECK(report.max_silence.us == 70'000'000);
}

TEST_CASE("verify: a file that grows meanwhile is checked as it was") {
  class Growing final : public ReadFile {
   public:
    explicit Growing(const Bytes& all) : all_(file_of(all)), now_(all.size() / 2) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> out) const override {
      now_ = std::min<std::uint64_t>(now_ + 100, all_.size().value());
      const auto left = offset < now_ ? now_ - offset : 0;
      return all_.read_at(offset, out.first(std::min<std::uint64_t>(out.size(), left)));
    }
    [[nodiscard]] Result<std::uint64_t> size() const override { return now_; }

   private:
    MemFile all_;
    mutable std::uint64_t now_;
  };
  SampleSession s;
  for (int i = 0; i < 50; ++i) {
    s.output("line " + std::to_string(i));
    s.seal();
  }
  const Growing file(s.file.data());
  const auto before = file.size().value();
  const auto report = verify(file).value();
  CHECK(report.verdict == Verdict::incomplete);
  CHECK(report.file_bytes == before);
  CHECK(report.sealed_bytes + report.unsealed_bytes == before);
}

TEST_CASE("reader: one flipped bit never costs more than its chunk") {
  RawSession s;
  s.begin();
  for (std::uint64_t i = 0; i < 6; ++i) {
    s.output(std::string(1, static_cast<char>('a' + i))).seal();
  }
  s.end().final_seal();
  const Bytes whole = s.data();
  // The third chunk: header, then chunk and seal in turns.
  const auto begin = s.offsets[5];
  const auto end = s.offsets[6];
  for (auto i = begin; i < end; ++i) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      CAPTURE(i - begin);
      CAPTURE(bit);
      auto data = whole;
      data[i] ^= static_cast<std::byte>(1U << bit);
      const auto file = file_of(std::move(data));
      auto reader = SessionReader::open(file);
      REQUIRE(reader);
      std::string text;
      while (const auto view = (*reader)->next().value()) {
        text += as_text(view->data);
      }
      CHECK(text == "abdef");
      CHECK_FALSE((*reader)->damage().empty());
      CHECK((*reader)->state() == FileState::closed);
    }
  }
}

TEST_CASE("reader: a damaged header costs the header and not the session") {
  RawSession s;
  closed(s);
  auto data = s.data();
  data[s.offsets[0] + k_frame_bytes + 9] ^= std::byte{1};
  const auto file = file_of(data);
  auto reader = SessionReader::open(file).value();
  CHECK(text_of(file) == "one two three ");
  CHECK(reader->header().host_id.empty());
  CHECK(reader->header().file_id == s.id);
  CHECK_FALSE(reader->damage().empty());
  CHECK(verify(file).value().verdict == Verdict::tampered);
  // Where nothing is behind it either, there is nothing to open.
  data.resize(s.offsets[1]);
  CHECK(SessionReader::open(file_of(data)).error().code == Errc::corrupt);
}

TEST_CASE("salvage: damage before the last seal is kept as it is and so is what it proves") {
  RawSession s;
  s.begin();
  for (int i = 0; i < 5; ++i) {
    s.output("sealed " + std::to_string(i) + " ").seal();
  }
  const auto sealed = s.data().size();
  s.output("unsealed ");
  auto data = s.data();
  data[s.offsets[3] + 40] ^= std::byte{1};  // the second chunk
  MemFile out;
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  const auto report = salvage(file_of(data), "", out, clock, entropy, "crash").value();
  CHECK(report.sealed_bytes == sealed);
  CHECK(report.recovered_events == 1);
  REQUIRE(out.data().size() > sealed);
  CHECK(slice(out.data(), 0, sealed) == slice(data, 0, sealed));
  CHECK(text_of(out) == "sealed 0 sealed 2 sealed 3 sealed 4 unsealed ");
  const auto checked = verify(out).value();
  CHECK(checked.verdict == Verdict::tampered);
  CHECK(checked.seals == 5);
  CHECK(checked.recovered);
}

TEST_CASE("salvage: a copy says that it is one even where nothing lay behind the last seal") {
  RawSession s;
  s.begin().output("one ").seal();
  MemFile out;
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  const auto report = salvage(s.file, "", out, clock, entropy, "crash").value();
  CHECK(report.recovered_events == 0);
  const auto checked = verify(out).value();
  CHECK(checked.recovered);
  CHECK(checked.verdict == Verdict::incomplete);
  CHECK(text_of(out) == "one ");
}

TEST_CASE("record: sync words that announce much cost no more than the search may spend") {
  SampleSession s;
  s.output("x");
  s.seal();
  auto data = s.file.data();
  for (int i = 0; i < 100'000; ++i) {
    Bytes trap;
    ByteWriter(trap).u32(k_sync).u8(3).u8(0).u16(0).u32(9).u32(k_max_body_bytes).u32(0);
    append(data, trap);
  }
  data.resize(data.size() + k_max_body_bytes);
  const auto report = verify(file_of(std::move(data))).value();
  CHECK(report.verdict == Verdict::incomplete);
  CHECK(report.seals == 1);
}
