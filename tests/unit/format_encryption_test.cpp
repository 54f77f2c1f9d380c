// SPDX-License-Identifier: Apache-2.0
// Encrypted sessions: nothing readable on disk, integrity without the key, every kind of wrong key
// and damage, two persons, detached boxes, keys that go forward only.
#include "format/chunk.hpp"
#include "format/record.hpp"
#include "format/session_reader.hpp"
#include "format/verify.hpp"
#include "tests/support/encrypted_session.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

using namespace sworn;
using namespace sworn::format;
using test::encrypted;
using test::groups_of;
using test::MemFile;
using test::must;
using test::ring_of;
using test::SampleSession;

namespace {

bool contains(ByteView where, std::string_view what) {
  const auto bytes = as_bytes(what);
  return std::search(where.begin(), where.end(), bytes.begin(), bytes.end()) != where.end();
}

std::unique_ptr<SampleSession> closed(const RecipientGroups& groups, bool detached = false) {
  auto s = std::make_unique<SampleSession>(7, encrypted(groups, detached));
  test::fill_small(*s);
  must(s->writer->finish({}));
  return s;
}
std::unique_ptr<SampleSession> closed() {
  return closed(test::one_reader());
}

VerifyReport check(const ReadFile& file, const KeyRing& ring) {
  VerifyOptions options;
  options.keys = &ring;
  return verify(file, {}, options).value();
}

struct Place {
  std::uint64_t offset = 0;
  std::uint64_t end = 0;
  std::uint32_t seq = 0;
  Bytes body;
};
std::vector<Place> records_of(const MemFile& file, const FileId& id, RecordType type) {
  std::vector<Place> out;
  RecordScanner scanner(file, id, k_preamble_bytes);
  while (const auto record = scanner.next().value()) {
    if (record->frame.record_type() == type) {
      out.push_back({record->offset, record->end(), record->frame.seq,
                     Bytes(record->body.begin(), record->body.end())});
    }
  }
  return out;
}

// The file with one record's body replaced, its frame made to fit.
MemFile with_body(const MemFile& file, const FileId& id, RecordType type, const Place& place,
                  const Bytes& body) {
  auto& from = const_cast<MemFile&>(file).data();
  MemFile out;
  out.data().assign(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(place.offset));
  append_record(out.data(), id, type, place.seq, body);
  out.data().insert(out.data().end(), from.begin() + static_cast<std::ptrdiff_t>(place.end),
                    from.end());
  return out;
}

}  // namespace

TEST_CASE("encryption: reads back with the key, says why without it, and shows nothing on disk") {
  const auto s = closed();
  CHECK_FALSE(contains(s->file.data(), test::k_plain_text));
  CHECK_FALSE(contains(s->file.data(), "alice"));
  auto reader = SessionReader::open(s->file, ring_of({5, 100})).value();
  CHECK(reader->encrypted());
  CHECK_FALSE(reader->locked());
  for (const auto& event : s->events) {
    const auto view = reader->next().value();
    REQUIRE(view);
    CHECK(view->number == event.number);
    CHECK(view->kind == event.kind);
    CHECK(std::equal(view->data.begin(), view->data.end(), event.data.begin(), event.data.end()));
  }
  must(reader->seek_event(2));
  CHECK(as_text(reader->next().value()->data) == test::k_plain_text);

  auto without = SessionReader::open(s->file, KeyRing{}).value();
  REQUIRE(without->locked());
  CHECK(without->locked()->code == Errc::locked);
  CHECK(without->locked()->context.find(test::identity_of(100).recipient().text()) !=
        std::string::npos);
  CHECK(without->event_count() == s->events.size());
  CHECK(without->next().error().code == Errc::locked);
  CHECK(without->seek_time({}).error().code == Errc::locked);
  CHECK(without->damage().empty());
  auto wrong = SessionReader::open(s->file, ring_of({5, 6})).value();
  REQUIRE(wrong->locked());
  CHECK(wrong->locked()->context.find("none of the identities") != std::string::npos);
}

TEST_CASE("encryption: integrity holds without the key, and events are then said to be unopened") {
  const auto s = closed();
  const auto without = check(s->file, KeyRing{});
  CHECK(without.verdict == Verdict::self_consistent);
  CHECK(without.access == EventAccess::locked);
  CHECK(without.gaps == 0);  // not counted
  CHECK(without.recipients.size() == 1);
  const auto with = check(s->file, ring_of({100}));
  CHECK(with.verdict == Verdict::self_consistent);
  CHECK(with.access == EventAccess::opened);
  CHECK(with.gaps == 1);
  CHECK(with.root == without.root);
}

TEST_CASE(
    "encryption: every byte of ciphertext, key box and chunk frame is sealed, with and without the "
    "key") {
  const auto s = closed();
  const auto id = s->writer->header().file_id;
  const auto ring = ring_of({100});
  for (const auto type : {RecordType::chunk, RecordType::key_box}) {
    for (const auto& place : records_of(s->file, id, type)) {
      for (std::size_t at = 0; at < place.body.size(); ++at) {
        Bytes body = place.body;
        body[at] ^= std::byte{0x10};
        const auto changed = with_body(s->file, id, type, place, body);
        const auto report = check(changed, KeyRing{});
        // A changed bit may also be a form that this build does not know.
        const bool noticed =
            report.verdict == Verdict::tampered || report.verdict == Verdict::unsupported;
        CHECK_MESSAGE(noticed, "byte " << at << " of record " << place.seq);
        if (at % 7 == 0) {
          const auto opened = check(changed, ring).verdict;
          CHECK((opened == Verdict::tampered || opened == Verdict::unsupported));
        }
      }
    }
  }
}

TEST_CASE(
    "encryption: chunks of one session that change places are refused by seals and by the cipher") {
  const auto s = closed();
  const auto id = s->writer->header().file_id;
  const auto chunks = records_of(s->file, id, RecordType::chunk);
  REQUIRE(chunks.size() >= 3);
  // The body of chunk 2 in the place of chunk 1, and the other way round.
  auto swapped = with_body(s->file, id, RecordType::chunk, chunks[1], chunks[2].body);
  CHECK(check(swapped, KeyRing{}).verdict == Verdict::tampered);
  // Ciphertext of one under the core of the other: the cipher binds it.
  auto body = decode_chunk_body(chunks[1].body).value();
  const auto other = decode_chunk_body(chunks[2].body).value();
  body.stored = other.stored;
  KeyBox box = read_key_box(s->file, id).value().value();
  const auto descriptor = decode_encryption_descriptor(s->writer->header().encryption).value();
  auto opener = PayloadOpener::create(id, ring_of({100}).open(id, box, descriptor).value()).value();
  Bytes plain;
  CHECK(open_chunk(id, &opener, body, plain).error().code == Errc::bad_seal);
  CHECK(plain.empty());
  auto right = decode_chunk_body(chunks[1].body).value();
  CHECK(open_chunk(id, &opener, right, plain));
  CHECK(open_chunk(FileId{}, &opener, body, plain).error().code == Errc::bad_seal);
}

TEST_CASE("encryption: a chunk in clear among encrypted ones, or the other way round, is refused") {
  const auto plain = SampleSession::small();
  const auto s = closed();
  const auto id = s->writer->header().file_id;
  const auto chunk = records_of(plain->file, plain->writer->header().file_id, RecordType::chunk)[0];
  const auto mine = records_of(s->file, id, RecordType::chunk);
  CHECK(check(with_body(s->file, id, RecordType::chunk, mine[0], chunk.body), ring_of({100}))
            .verdict == Verdict::tampered);
  const auto plain_id = plain->writer->header().file_id;
  CHECK(check(with_body(plain->file, plain_id, RecordType::chunk,
                        records_of(plain->file, plain_id, RecordType::chunk)[0], mine[0].body),
              ring_of({100}))
            .verdict == Verdict::tampered);
}

TEST_CASE(
    "encryption: a key box that is cut, empty, of another session or of another key opens "
    "nothing") {
  const auto s = closed();
  const auto id = s->writer->header().file_id;
  const auto ring = ring_of({100});
  const auto place = records_of(s->file, id, RecordType::key_box).at(0);
  KeyBox box = decode_key_box(place.body).value();
  for (std::size_t length = 0; length < place.body.size(); ++length) {
    const Bytes body(place.body.begin(), place.body.begin() + static_cast<std::ptrdiff_t>(length));
    const auto cut = with_body(s->file, id, RecordType::key_box, place, body);
    CHECK(check(cut, ring).verdict == Verdict::tampered);
    CHECK(SessionReader::open(cut, ring).value()->locked());
  }
  test::FakeEntropy entropy(50);
  Key other;
  must(entropy.fill(other.span()));
  KeyBox false_box = box;
  false_box.boxes = close_boxes(id, other, test::one_reader(), entropy).value();
  auto reader = SessionReader::open(
                    with_body(s->file, id, RecordType::key_box, place, encode(false_box)), ring)
                    .value();
  REQUIRE(reader->locked());
  CHECK(reader->locked()->context.find("not the key of this session") != std::string::npos);
  false_box.boxes = close_boxes(FileId{}, other, test::one_reader(), entropy).value();
  reader = SessionReader::open(
               with_body(s->file, id, RecordType::key_box, place, encode(false_box)), ring)
               .value();
  REQUIRE(reader->locked());
  CHECK(reader->locked()->context.find("another session") != std::string::npos);
}

TEST_CASE("encryption: the key box can be taken out or made anew, and every seal still holds") {
  const auto s = closed();
  const auto id = s->writer->header().file_id;
  const auto place = records_of(s->file, id, RecordType::key_box).at(0);
  KeyBox box = decode_key_box(place.body).value();
  const auto descriptor = decode_encryption_descriptor(s->writer->header().encryption).value();
  const auto key = ring_of({100}).open(id, box, descriptor).value();
  test::FakeEntropy entropy(51);
  KeyBox anew = box;
  anew.form = KeyBoxForm::renewed;
  anew.boxes = close_boxes(id, key, groups_of({{200}}), entropy).value();
  // The index behind the final seal names offsets; what is hinted must fit, so it goes.
  const auto end = records_of(s->file, id, RecordType::index).at(0).offset;
  s->file.data().resize(end);
  const auto renewed = with_body(s->file, id, RecordType::key_box, place, encode(anew));
  CHECK(check(renewed, ring_of({200})).verdict == Verdict::self_consistent);
  CHECK(check(renewed, ring_of({200})).access == EventAccess::opened);
  CHECK(check(renewed, ring_of({100})).access == EventAccess::locked);
  KeyBox none = box;
  none.form = KeyBoxForm::absent;
  none.boxes.clear();
  const auto shredded = with_body(s->file, id, RecordType::key_box, place, encode(none));
  const auto report = check(shredded, ring_of({100}));
  CHECK(report.verdict == Verdict::self_consistent);
  CHECK(report.access == EventAccess::locked);
  CHECK(std::any_of(report.findings.begin(), report.findings.end(),
                    [](const Finding& f) { return f.code == "key_box_removed"; }));
  CHECK(SessionReader::open(shredded, ring_of({100})).value()->locked());
  // Somebody else's commitment is not accepted: it is signed.
  KeyBox swapped = anew;
  swapped.commitment[0] ^= std::byte{1};
  CHECK(check(with_body(s->file, id, RecordType::key_box, place, encode(swapped)), ring_of({200}))
            .verdict == Verdict::tampered);
  // A key of its own is the privilege of a redaction that says so.
  KeyBox claimed = anew;
  claimed.form = KeyBoxForm::other_key;
  CHECK(check(with_body(s->file, id, RecordType::key_box, place, encode(claimed)), ring_of({200}))
            .verdict == Verdict::tampered);
}

TEST_CASE(
    "encryption: two persons are needed where two were named; a share from age -d counts for one") {
  const auto groups = groups_of({{1, 2}, {3}});
  const auto s = closed(groups);
  CHECK(SessionReader::open(s->file, ring_of({1})).value()->locked());
  CHECK(SessionReader::open(s->file, ring_of({1, 2})).value()->locked());
  CHECK(SessionReader::open(s->file, ring_of({3})).value()->locked());
  CHECK_FALSE(SessionReader::open(s->file, ring_of({2, 3})).value()->locked());
  const auto id = s->writer->header().file_id;
  const auto box = read_key_box(s->file, id).value().value();
  REQUIRE(box.boxes.size() == 2);
  const test::TempDir dir;
  const std::vector<AgeIdentity> third = [] {
    std::vector<AgeIdentity> one;
    one.push_back(test::identity_of(3));
    return one;
  }();
  const auto share = age_decrypt(box.boxes[1], third).value();
  CHECK(share.size() == k_key_share_bytes);
  std::ofstream(dir / "share", std::ios::binary) << as_text(share);
  auto ring = ring_of({1});
  must(ring.add_file(dir / "share"));
  CHECK_FALSE(SessionReader::open(s->file, ring).value()->locked());
}

TEST_CASE("encryption: detached boxes are found where they are kept") {
  const auto s = closed(groups_of({{1}, {3}}), true);
  const auto id = s->writer->header().file_id;
  const test::TempDir dir;
  const auto& boxes = s->writer->key_boxes();
  REQUIRE(boxes.size() == 2);
  CHECK_FALSE(contains(s->file.data(), "age-encryption.org"));
  CHECK(check(s->file, KeyRing{}).verdict == Verdict::self_consistent);
  auto ring = ring_of({1, 3});
  CHECK(SessionReader::open(s->file, ring).value()->locked());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    std::ofstream(dir / box_name(id, i, 2), std::ios::binary) << as_text(boxes[i]);
  }
  ring.add_box_place(dir.path());
  CHECK_FALSE(SessionReader::open(s->file, ring).value()->locked());
}

TEST_CASE(
    "encryption: the writer's keys go forward only and no pair of key and nonce seals twice") {
  test::FakeEntropy entropy(3);
  Key key;
  must(entropy.fill(key.span()));
  const FileId id{std::byte{1}};
  auto sealer = PayloadSealer::create(id, Key::copy_of(key.view())).value();
  auto opener = PayloadOpener::create(id, Key::copy_of(key.view())).value();
  std::vector<Bytes> sealed;
  std::set<Bytes> seen;
  for (std::uint32_t chunk = 0; chunk < 3 * k_segment_chunks; ++chunk) {
    must(sealer.seal(chunk, as_bytes("aad"), as_bytes("same text"), sealed.emplace_back()));
    CHECK(seen.insert(sealed.back()).second);  // equal ciphertext would mean an equal pair
  }
  Bytes again;
  CHECK(sealer.seal(3 * k_segment_chunks - 1, {}, {}, again).error().code == Errc::bad_usage);
  CHECK(again.empty());
  // Any order; far beyond; and what is not there.
  for (const std::uint32_t chunk : {190U, 0U, 64U, 63U, 191U, 1U}) {
    Bytes plain;
    must(opener.open(chunk, as_bytes("aad"), sealed[chunk], plain));
    CHECK(as_text(plain) == "same text");
    CHECK(opener.open(chunk + 1, as_bytes("aad"), sealed[chunk], plain).error().code ==
          Errc::bad_seal);
    CHECK(opener.open(chunk, as_bytes("aaD"), sealed[chunk], plain).error().code == Errc::bad_seal);
  }
  must(sealer.seal(1'000'000, {}, as_bytes("far"), again));
  Bytes plain;
  must(opener.open(1'000'000, {}, again, plain));
  CHECK(as_text(plain) == "far");
  CHECK(opener.open(0xFFFFFFFF, {}, again, plain).error().code == Errc::corrupt);
}

TEST_CASE("encryption: the recorder's state of a later segment opens nothing of an earlier one") {
  test::FakeEntropy entropy(4);
  Key key;
  must(entropy.fill(key.span()));
  const FileId id{std::byte{2}};
  // What stands in memory while segment 1 is written: its key, one step behind the first.
  const auto second = hkdf_sha256(key.view(), id, k_info_ratchet).value();
  auto sealer = PayloadSealer::create(id, Key::copy_of(key.view())).value();
  Bytes first;
  must(sealer.seal(3, {}, as_bytes("early"), first));
  auto thief = PayloadOpener::create(id, Key::copy_of(second.view())).value();
  for (std::uint32_t chunk = 0; chunk < 4 * k_segment_chunks; ++chunk) {
    Bytes plain;
    CHECK_FALSE(thief.open(chunk, {}, first, plain));
  }
}

TEST_CASE("encryption: groups with nobody, too many boxes and unknown schemes are refused") {
  test::FakeEntropy entropy(5);
  const Key key;
  CHECK(close_boxes({}, key, {}, entropy).error().code == Errc::bad_usage);
  CHECK(close_boxes({}, key, {{}}, entropy).error().code == Errc::bad_usage);
  CHECK(close_boxes({}, key, RecipientGroups(9, test::one_reader()[0]), entropy).error().code ==
        Errc::bad_usage);
  EncryptionDescriptor descriptor;
  CHECK(decode_encryption_descriptor(encode(descriptor)).error().code == Errc::corrupt);
  descriptor.groups = {{"age1x"}};
  CHECK(decode_encryption_descriptor(encode(descriptor)).value().groups == descriptor.groups);
  descriptor.scheme = 2;
  CHECK(decode_encryption_descriptor(encode(descriptor)).error().code == Errc::unsupported);
}

TEST_CASE("encryption: age opens the key box of a session, and it holds the share") {
  if (std::system("command -v age >/dev/null") != 0) {
    MESSAGE("SKIPPED: the age command is not installed");
    return;
  }
  const auto s = closed();
  const auto id = s->writer->header().file_id;
  const auto box = read_key_box(s->file, id).value().value();
  const test::TempDir dir;
  std::ofstream(dir / "box.age", std::ios::binary) << as_text(box.boxes.at(0));
  std::ofstream(dir / "id") << test::identity_of(100).text() << "\n";
  const std::string command =
      "age -d -i '" + (dir / "id") + "' -o '" + (dir / "share") + "' '" + (dir / "box.age") + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  KeyRing ring;
  must(ring.add_file(dir / "share"));
  CHECK_FALSE(SessionReader::open(s->file, ring).value()->locked());
}
