// SPDX-License-Identifier: Apache-2.0
// What changes a session file is found, and found for what it is.
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "format/record.hpp"
#include "format/seal.hpp"
#include "format/session_reader.hpp"
#include "format/verify.hpp"
#include "tests/support/sample_session.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::must;
using test::SampleSession;

namespace {

MemFile file_of(Bytes data) {
  MemFile file;
  file.data() = std::move(data);
  return file;
}

struct Span {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Frame frame;
};

std::vector<Span> records_of(MemFile& file) {
  const auto preamble = decode_preamble(file.data()).value();
  RecordScanner scanner(file, preamble.file_id, k_preamble_bytes);
  std::vector<Span> out;
  while (const auto record = scanner.next().value()) {
    out.push_back({record->offset, record->end(), record->frame});
  }
  return out;
}

// Writes the crc anew after a change inside a record: the attacker can do that too.
void mend_crc(Bytes& data, const Span& span) {
  const auto id = decode_preamble(data).value().file_id;
  const auto frame = ByteView(data).subspan(span.begin, k_frame_bytes);
  const auto body =
      ByteView(data).subspan(span.begin + k_frame_bytes, span.end - span.begin - k_frame_bytes);
  const auto crc = crc32c(body, crc32c(frame.subspan(4, 12), crc32c(id)));
  std::memcpy(data.data() + span.begin + 16, &crc, 4);
}

bool has(const VerifyReport& report, std::string_view code) {
  return std::any_of(report.findings.begin(), report.findings.end(),
                     [&](const Finding& f) { return f.code == code; });
}

}  // namespace

TEST_CASE("verify: the undamaged sample is self-consistent and nothing more") {
  const auto s = SampleSession::small();
  const auto report = verify(s->file).value();
  CHECK(report.verdict == Verdict::self_consistent);
  CHECK(report.closed);
  CHECK(report.events == s->events.size());
  CHECK(report.seals == 4);
  CHECK(report.gaps == 1);
  CHECK(report.hidden_inputs == 1);
  CHECK(report.late_bytes == 7);
  CHECK(report.unsealed_bytes == 0);
}

TEST_CASE("verify: every flipped byte is found whether or not its crc is mended") {
  const auto s = SampleSession::small();
  const Bytes whole = s->file.data();
  const auto records = records_of(s->file);
  const auto hints_begin = std::find_if(records.begin(), records.end(), [](const Span& r) {
                             return r.frame.record_type() == RecordType::index;
                           })->begin;
  std::size_t harmless = 0;
  for (const bool mend : {false, true}) {
    for (std::size_t i = 0; i < whole.size(); ++i) {
      for (const auto bit : {std::byte{0x01}, std::byte{0x80}}) {
        CAPTURE(mend);
        CAPTURE(i);
        auto bytes = whole;
        bytes[i] ^= bit;
        if (mend) {
          const auto span = std::find_if(records.begin(), records.end(),
                                         [i](const Span& r) { return i >= r.begin && i < r.end; });
          // The preamble's crc is checked in the other pass; a mended crc undoes a flip of the crc.
          if (span == records.end() || (i - span->begin >= 16 && i - span->begin < 20)) {
            continue;
          }
          mend_crc(bytes, *span);
        }
        const auto file = file_of(std::move(bytes));
        const auto report = verify(file);
        if (i < k_magic.size()) {
          REQUIRE_FALSE(report);
          CHECK(report.error().code == Errc::bad_usage);
          continue;
        }
        REQUIRE(report);
        if (i >= hints_begin) {
          // A hint may be damaged; one that reads well and says something else is a forgery.
          if (has(*report, "hint_damaged")) {
            CHECK(report->verdict == Verdict::self_consistent);
          } else {
            CHECK(mend);
            CHECK(report->verdict == Verdict::tampered);
            CHECK((has(*report, "hint_mismatch") || has(*report, "record_behind_final_seal")));
          }
          continue;
        }
        if (mend && report->verdict == Verdict::self_consistent) {
          // Unsigned bytes of a chunk's frame that do not change its events: only zstd's own slack.
          ++harmless;
          auto reader = SessionReader::open(file).value();
          std::size_t n = 0;
          while (const auto view = reader->next().value()) {
            REQUIRE(Bytes(view->data.begin(), view->data.end()) == s->events[n].data);
            ++n;
          }
          REQUIRE(n == s->events.size());
          continue;
        }
        CHECK(report->verdict != Verdict::self_consistent);
        CHECK(exit_status_of(report->verdict) >= 2);
      }
    }
  }
  MESSAGE("flips with a mended crc that leave every event as it was: ", harmless);
  CHECK(harmless < 20);
}

TEST_CASE("verify: every truncation gives exactly the last seal before it") {
  const auto s = SampleSession::small();
  const Bytes whole = s->file.data();
  const auto records = records_of(s->file);
  std::vector<std::uint64_t> seal_ends;
  for (const auto& r : records) {
    if (r.frame.record_type() == RecordType::seal) {
      seal_ends.push_back(r.end);
    }
  }
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    CAPTURE(cut);
    const auto file =
        file_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut)));
    const auto report = verify(file);
    if (cut < k_magic.size()) {
      REQUIRE_FALSE(report);
      continue;
    }
    REQUIRE(report);
    const auto sealed = static_cast<std::uint64_t>(std::count_if(
        seal_ends.begin(), seal_ends.end(), [cut](std::uint64_t end) { return end <= cut; }));
    CHECK(report->seals == sealed);
    CHECK(report->sealed_bytes == (sealed == 0 ? 0 : seal_ends[sealed - 1]));
    const auto want = sealed == 0                  ? Verdict::unsealed
                      : sealed == seal_ends.size() ? Verdict::self_consistent
                                                   : Verdict::incomplete;
    CHECK(report->verdict == want);
    if (want == Verdict::self_consistent) {
      continue;  // only hints are missing
    }
    CHECK(report->sealed_bytes + report->unsealed_bytes == cut);
  }
}

TEST_CASE("verify: swapped and doubled and deleted records are found") {
  const auto s = SampleSession::small();
  const Bytes whole = s->file.data();
  const auto records = records_of(s->file);
  const auto signed_records =
      static_cast<std::size_t>(std::count_if(records.begin(), records.end(), [](const Span& r) {
        return r.frame.record_type() != RecordType::index &&
               r.frame.record_type() != RecordType::footer;
      }));
  const auto build = [&](const std::vector<std::size_t>& order) {
    Bytes out(whole.begin(), whole.begin() + k_preamble_bytes);
    for (const auto k : order) {
      out.insert(out.end(), whole.begin() + static_cast<std::ptrdiff_t>(records[k].begin),
                 whole.begin() + static_cast<std::ptrdiff_t>(records[k].end));
    }
    return file_of(std::move(out));
  };
  std::vector<std::size_t> straight(records.size());
  for (std::size_t k = 0; k < straight.size(); ++k) {
    straight[k] = k;
  }
  CHECK(verify(build(straight)).value().verdict == Verdict::self_consistent);
  for (std::size_t a = 0; a < signed_records; ++a) {
    for (std::size_t b = a + 1; b < signed_records; ++b) {
      CAPTURE(a);
      CAPTURE(b);
      auto order = straight;
      std::swap(order[a], order[b]);
      CHECK(verify(build(order)).value().verdict == Verdict::tampered);
    }
    CAPTURE(a);
    auto doubled = straight;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(a), a);
    CHECK(verify(build(doubled)).value().verdict == Verdict::tampered);
    auto deleted = straight;
    deleted.erase(deleted.begin() + static_cast<std::ptrdiff_t>(a));
    CHECK(verify(build(deleted)).value().verdict == Verdict::tampered);
  }
}

TEST_CASE(
    "verify: a changed event behind a mended crc names its chunk and later seals still hold") {
  SampleSession s;
  for (int i = 0; i < 5; ++i) {
    s.output("output number " + std::to_string(i));
    s.seal();
  }
  must(s.writer->finish({}));
  const auto records = records_of(s.file);
  auto bytes = s.file.data();
  const auto& chunk = records[3];  // header, chunk, seal, chunk
  REQUIRE(chunk.frame.record_type() == RecordType::chunk);
  bytes[chunk.begin + k_frame_bytes + k_chunk_fixed_bytes + 3] ^= std::byte{1};  // in the seed
  mend_crc(bytes, chunk);
  const auto report = verify(file_of(std::move(bytes))).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(report.seals == 6);  // the chain goes on
  REQUIRE(has(report, "chunk_root_mismatch"));
  CHECK(report.findings.front().offset == chunk.begin);
}

TEST_CASE("verify: old data sealed anew with a later key does not pass") {
  // An attacker who holds the key of seal k (here: has recorded his own chain) cannot put
  // it under seal 0.
  SampleSession honest(1);
  honest.output("rm -rf /var/log\r\n");
  honest.seal();
  honest.output("done\r\n");
  must(honest.writer->finish({}));
  SampleSession forged(2);
  forged.output("ls\r\n");
  forged.seal();
  forged.output("done\r\n");
  must(forged.writer->finish({}));
  // The honest header, everything else from the forged file with the crc mended for the
  // honest file id.
  const auto good = records_of(honest.file);
  const auto bad = records_of(forged.file);
  Bytes mixed(honest.file.data().begin(),
              honest.file.data().begin() + static_cast<std::ptrdiff_t>(good[0].end));
  for (std::size_t k = 1; k < bad.size(); ++k) {
    const Span span{mixed.size(), mixed.size() + bad[k].end - bad[k].begin, bad[k].frame};
    mixed.insert(mixed.end(),
                 forged.file.data().begin() + static_cast<std::ptrdiff_t>(bad[k].begin),
                 forged.file.data().begin() + static_cast<std::ptrdiff_t>(bad[k].end));
    mend_crc(mixed, span);
  }
  const auto report = verify(file_of(std::move(mixed))).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(report.seals == 0);
  CHECK(has(report, "bad_signature"));
}

TEST_CASE("verify: a forged frame inside recorded output is never taken for a record") {
  SampleSession s;
  // The output carries a frame that would be valid for another file id.
  Bytes trap;
  append_record(trap, FileId{}, RecordType::end, 1, Bytes(k_end_bytes));
  s.put(EventKind::output, trap);
  s.seal();
  must(s.writer->finish({}));
  auto bytes = s.file.data();
  bytes[k_preamble_bytes + 40] ^= std::byte{1};  // damage in the header: the reader must search on
  const auto report = verify(file_of(bytes)).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK_FALSE(report.closed);
}

TEST_CASE("verify: a wrong version and an unknown critical record are refused") {
  const auto s = SampleSession::small();
  auto bytes = s->file.data();
  auto preamble = decode_preamble(bytes).value();
  preamble.major = 9;
  const auto changed = encode_preamble(preamble);
  std::copy(changed.begin(), changed.end(), bytes.begin());
  const auto report = verify(file_of(bytes)).value();
  CHECK(report.verdict == Verdict::unsupported);
  CHECK(exit_status_of(report.verdict) == 6);
  CHECK(SessionReader::open(file_of(bytes)).error().code == Errc::unsupported);

  SampleSession t;
  t.output("x");
  t.seal();
  Bytes extra;
  append_record(extra, t.writer->header().file_id, static_cast<RecordType>(0x41), 3, to_bytes("?"));
  append(t.file.data(), extra);
  CHECK(verify(t.file).value().verdict == Verdict::unsupported);
}

TEST_CASE("reader: damage in the middle is reported and what lies behind it is still read") {
  SampleSession s(3, {.zstd_level = 1, .chunk_bytes = 2048});
  for (int i = 0; i < 200; ++i) {
    s.output(std::string(100, static_cast<char>('a' + i % 26)));
    if (i % 10 == 9) {
      s.seal();
    }
  }
  must(s.writer->finish({}));
  const auto records = records_of(s.file);
  for (const bool cut_index : {false, true}) {
    auto bytes = s.file.data();
    const auto victim = *std::find_if(records.begin() + 20, records.end(), [](const Span& r) {
      return r.frame.record_type() == RecordType::chunk;
    });
    bytes[victim.begin + 60] ^= std::byte{0xFF};
    if (cut_index) {
      bytes.resize(records[records.size() - 2].begin);
    }
    const auto file = file_of(std::move(bytes));
    auto reader = SessionReader::open(file).value();
    std::set<std::uint64_t> seen;
    while (const auto view = reader->next().value()) {
      REQUIRE(Bytes(view->data.begin(), view->data.end()) == s.events[view->number].data);
      seen.insert(view->number);
    }
    CHECK_FALSE(reader->damage().empty());
    CHECK(seen.size() < 200);
    CHECK(seen.size() > 150);
    CHECK(seen.count(199) == 1);
  }
}
