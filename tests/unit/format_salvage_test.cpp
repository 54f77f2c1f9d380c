// SPDX-License-Identifier: Apache-2.0
#include "format/record.hpp"
#include "format/recovered.hpp"
#include "format/salvage.hpp"
#include "format/session_reader.hpp"
#include "format/tail.hpp"
#include "format/verify.hpp"
#include "tests/support/sample_session.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::must;
using test::SampleSession;

TEST_CASE("salvage: a crashed session gives back its sealed part and the events of its tail") {
  const test::TempDir dir;
  SampleSession s;
  s.output("sealed one ");
  s.output("sealed two ");
  s.seal();
  auto tail = TailWriter::create(dir / "tail", s.writer->header().file_id, 8192).value();
  for (int i = 0; i < 4; ++i) {  // the tail still holds what is already sealed
    tail->put(EventKind::output, {s.clock.mono().us}, {s.clock.mono().us},
              as_bytes("tail " + std::to_string(i)))
        .value();
  }
  const Bytes sealed = s.file.data();
  MemFile out;
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  const auto report = salvage(s.file, dir / "tail", out, clock, entropy, "crash").value();
  CHECK(report.sealed_events == 2);
  CHECK(report.recovered_events == 2);  // numbers 2 and 3; 0 and 1 stand in the file
  CHECK(report.tail_used);
  REQUIRE(out.data().size() > sealed.size());
  CHECK(Bytes(out.data().begin(),
              out.data().begin() + static_cast<std::ptrdiff_t>(sealed.size())) == sealed);
  CHECK(s.file.data() == sealed);

  const auto checked = verify(out).value();
  CHECK(checked.verdict == Verdict::incomplete);
  CHECK(checked.recovered);
  CHECK(checked.events == 2);
  auto reader = SessionReader::open(out).value();
  CHECK(reader->first_unsealed_extra() == 2);
  std::string all;
  while (const auto view = reader->next().value()) {
    all += as_text(view->data);
  }
  CHECK(all == "sealed one sealed two tail 2tail 3");
  CHECK(salvage(out, "", out, clock, entropy, "again").error().code == Errc::bad_usage);
}

TEST_CASE("salvage: chunks behind the last seal are recovered and a closed file is refused") {
  SampleSession s(1, {.zstd_level = 1, .chunk_bytes = 1024});
  s.output("first");
  s.seal();
  for (int i = 0; i < 10; ++i) {
    s.output(std::string(600, 'x'));
  }
  MemFile out;
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  const auto report = salvage(s.file, "", out, clock, entropy, "test").value();
  CHECK(report.sealed_events == 1);
  CHECK(report.recovered_events == 10);
  CHECK(report.recovered_bytes == 6000);
  const auto closed = SampleSession::small();
  MemFile never;
  CHECK(salvage(closed->file, "", never, clock, entropy, "x").error().code == Errc::bad_usage);
  CHECK(never.data().empty());
}

TEST_CASE("salvage: every truncation of a session can be salvaged once its header is whole") {
  const auto s = SampleSession::small();
  const Bytes whole = s->file.data();
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  std::uint64_t last_events = 0;
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    MemFile source;
    source.data() = Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut));
    MemFile out;
    const auto report = salvage(source, "", out, clock, entropy, "cut");
    if (!report) {
      continue;
    }
    const auto checked = verify(out).value();
    CHECK(checked.verdict != Verdict::tampered);
    CHECK(checked.verdict != Verdict::self_consistent);
    CHECK(checked.events == report->sealed_events);
    const auto events = report->sealed_events + report->recovered_events;
    CHECK(events >= last_events);
    last_events = events;
  }
  CHECK(last_events == s->events.size());
}

TEST_CASE("salvage: a changed recovery record does not pass") {
  SampleSession s;
  s.output("first");
  s.seal();
  s.output("second");
  MemFile out;
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  // Unsealed and not even a chunk yet: nothing to recover, so make one by a tail-less crash after a
  // chunk.
  SampleSession t(1, {.zstd_level = 1, .chunk_bytes = 1024});
  t.output("first");
  t.seal();
  t.output(std::string(3000, 'y'));
  const auto report = salvage(t.file, "", out, clock, entropy, "test").value();
  CHECK(report.recovered_events == 1);
  const auto id = t.writer->header().file_id;
  RecordScanner scanner(out, id, report.sealed_bytes);
  const auto record = scanner.next().value();
  REQUIRE(record);
  CHECK(record->frame.record_type() == RecordType::recovered);
  const Bytes body(record->body.begin(), record->body.end());
  CHECK(decode_recovered(id, body)->signature_holds);
  for (std::size_t i = 0; i < body.size(); ++i) {
    CAPTURE(i);
    Bytes changed = body;
    changed[i] ^= std::byte{0x10};
    const auto decoded = decode_recovered(id, changed);
    CHECK((!decoded || !decoded->signature_holds));
  }
}
