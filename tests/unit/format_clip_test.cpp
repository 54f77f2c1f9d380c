// SPDX-License-Identifier: Apache-2.0
// Clips: what they show and prove, and that every change of one is noticed.
#include "format/clip.hpp"
#include "format/tlog_proof.hpp"
#include "tests/support/ledgered_session.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::format;
using test::Host;
using test::MemFile;

namespace {

// Ten outputs, one a second, a seal behind each; closed.
class Filmed {
 public:
  Filmed() {
    host.begin();
    for (int i = 0; i < 9; ++i) {
      host.clock.advance(1'000'000);
      host.output("line " + std::to_string(i));
    }
    host.heartbeat();
    host.end();
    start = host.writer->header().started_mono.us;
    entries.data() = host.media.files[0].seen;
    checkpoint = host.open()->checkpoint().value();
  }
  Result<ClipTotals> make(double from, double to, MemFile& out, bool with_ledger = true) {
    const auto at = [&](double s) {
      return MonoTime{1'000'000 + static_cast<std::int64_t>(s * 1e6)};
    };
    const ClipLedger ledger{&entries, checkpoint};
    return make_clip(host.file, {at(from), at(to)}, with_ledger ? &ledger : nullptr,
                     host.clock.wall(), out);
  }
  Host host;
  std::int64_t start = 0;
  MemFile entries;
  std::string checkpoint;
};

ClipReport check(const Bytes& data, const TrustStore* trust = nullptr) {
  MemFile file;
  file.data() = data;
  return verify_clip(file, trust).value();
}

}  // namespace

TEST_CASE("clip: shows the range and the beginning, hides the rest, and is proven by the ledger") {
  Filmed f;
  MemFile out;
  const auto totals = f.make(2.5, 5.5, out);
  REQUIRE(totals);
  CHECK(totals->proofs == 3);
  CHECK(is_clip(out));
  CHECK_FALSE(is_clip(f.host.file));
  auto report = check(out.data());
  CHECK(report.standing == Standing::intact_ledgered);
  CHECK(report.covers_range);
  CHECK(report.closed);
  CHECK(report.opened == 2U);
  CHECK(report.marked);
  CHECK(report.trust == LedgerTrust::none);
  std::string shown;
  for (const auto& event : report.events) {
    shown += std::string(as_text(event.data)) + ";";
  }
  CHECK(shown == "one;line 2;line 3;line 4;");
  CHECK(as_text(out.data()).find("line 7") == std::string_view::npos);
  TrustStore trust;
  REQUIRE(remember_ledger(trust, f.host.ledger_report(), "db", f.host.clock.wall()));
  CHECK(check(out.data(), &trust).trust == LedgerTrust::first_use);
  // Without the ledger it proves what the file proves.
  MemFile alone;
  REQUIRE(f.make(2.5, 5.5, alone, false));
  CHECK(check(alone.data()).standing == Standing::self_consistent);
}

TEST_CASE("clip: another ledger, another genesis, a range without events") {
  Filmed f;
  MemFile out;
  REQUIRE(f.make(1, 3, out));
  TrustStore trust;
  REQUIRE(remember_ledger(trust, f.host.ledger_report(), "db", f.host.clock.wall()));
  auto pinned = trust.ledgers().front();
  pinned.genesis[0] ^= std::byte{1};
  pinned.seen.reset();
  REQUIRE(trust.put(pinned));
  CHECK(check(out.data(), &trust).standing == Standing::ledger_broken);
  MemFile none;
  CHECK(f.make(3.2, 3.3, none).value().events == 1);  // event 0 alone
  MemFile foreign;
  const ClipLedger wrong{&f.entries, "no checkpoint"};
  CHECK_FALSE(make_clip(f.host.file, {{0}, {1}}, &wrong, {}, foreign));
}

TEST_CASE("clip: every changed byte and every cut is noticed") {
  Filmed f;
  MemFile out;
  REQUIRE(f.make(2.5, 4.5, out));
  const Bytes whole = out.data();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes changed = whole;
    changed[at] ^= std::byte{0x40};
    MemFile file;
    file.data() = changed;
    const auto report = verify_clip(file, nullptr);
    const bool good = report && report->standing <= Standing::self_consistent;
    // Of the preamble the minor version and the compat bits are no claims.
    if (good && at != 9 && at != 11) {
      CAPTURE(at);
      CHECK_FALSE(good);
    }
  }
  for (std::size_t size = 0; size < whole.size(); ++size) {
    MemFile file;
    file.data().assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    const auto report = verify_clip(file, nullptr);
    // Cut at the end of a record what is left can be a clip that proves less, never as much.
    if (report && report->standing <= Standing::intact_ledgered) {
      CAPTURE(size);
      CHECK(false);
    }
  }
}

TEST_CASE("clip: records cannot be swapped, doubled or left out") {
  Filmed f;
  MemFile out;
  REQUIRE(f.make(2.5, 5.5, out, false));
  std::vector<std::pair<std::size_t, std::size_t>> records;
  RecordScanner scanner(out, f.host.writer->header().file_id, k_preamble_bytes);
  while (const auto record = scanner.next().value()) {
    records.emplace_back(record->offset, record->end());
  }
  REQUIRE(records.size() > 12);
  const auto join = [&](const std::vector<std::size_t>& order) {
    Bytes data(out.data().begin(), out.data().begin() + k_preamble_bytes);
    for (const auto i : order) {
      data.insert(data.end(), out.data().begin() + static_cast<std::ptrdiff_t>(records[i].first),
                  out.data().begin() + static_cast<std::ptrdiff_t>(records[i].second));
    }
    return data;
  };
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < records.size(); ++i) {
    all.push_back(i);
  }
  CHECK(check(join(all)).standing == Standing::self_consistent);
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    CAPTURE(i);
    auto swapped = all;
    std::swap(swapped[i], swapped[i + 1]);
    CHECK(check(join(swapped)).standing == Standing::tampered);
    auto doubled = all;
    doubled.insert(doubled.begin() + static_cast<std::ptrdiff_t>(i), all[i]);
    CHECK(check(join(doubled)).standing == Standing::tampered);
    auto without = all;
    without.erase(without.begin() + static_cast<std::ptrdiff_t>(i));
    const auto report = check(join(without));
    // Chunk 0 is context; a chunk at the edge of the range leaves a hole that is said.
    CHECK((report.standing == Standing::tampered || !report.covers_range ||
           report.events.front().number != 0));
  }
}

TEST_CASE("tlog-proof: written as it reads, and garbage is refused") {
  TlogProof proof;
  proof.entry = to_bytes("entry");
  proof.index = 3;
  proof.path = {Digest{}, Digest{}};
  Filmed f;
  proof.checkpoint = f.checkpoint;
  const auto text = encode(proof);
  CHECK(text.starts_with("c2sp.org/tlog-proof@v1\nextra ZW50cnk=\nindex 3\nAAAA"));
  const auto again = parse_tlog_proof(text);
  REQUIRE(again);
  CHECK(again->entry == proof.entry);
  CHECK(again->path == proof.path);
  CHECK(again->checkpoint == proof.checkpoint);
  CHECK_FALSE(parse_tlog_proof(""));
  CHECK_FALSE(parse_tlog_proof("c2sp.org/tlog-proof@v1\nindex 03\n\n" + f.checkpoint));
  CHECK_FALSE(parse_tlog_proof("c2sp.org/tlog-proof@v1\nindex 3\nxx\n\n" + f.checkpoint));
  CHECK_FALSE(parse_tlog_proof("c2sp.org/tlog-proof@v1\nindex 3\n\nno note"));
}
