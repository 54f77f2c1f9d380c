// SPDX-License-Identifier: Apache-2.0
#include "format/chunk_loader.hpp"
#include "format/compress.hpp"
#include "format/digest.hpp"
#include "format/redact.hpp"
#include "format/session_reader.hpp"
#include "format/verify.hpp"
#include "tests/support/encrypted_session.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::must;
using test::SampleSession;

namespace {

SigningKey key_of(std::uint8_t n) {
  std::array<std::byte, 32> seed{};
  seed.fill(static_cast<std::byte>(n));
  return SigningKey::from_seed(seed).value();
}

// Many small chunks that share groups; every tenth event holds the secret.
std::unique_ptr<SampleSession> with_secrets() {
  auto s = std::make_unique<SampleSession>(5);
  for (int i = 0; i < 200; ++i) {
    s->output(i % 10 == 3 ? "PIN=4711 " : "harmless " + std::to_string(i) + " ");
    if (i % 7 == 0) {
      s->seal();
    }
  }
  must(s->writer->finish({}));
  return s;
}

Replacements secrets_of(const SampleSession& s) {
  Replacements out;
  for (const auto& event : s.events) {
    if (as_text(event.data).find("4711") != std::string_view::npos) {
      out[event.number] = to_bytes("[redacted]");
    }
  }
  return out;
}

bool contains(ByteView hay, ByteView needle) {
  return std::search(hay.begin(), hay.end(), needle.begin(), needle.end()) != hay.end();
}

// Everything a copy holds, decompressed: stored bytes and all columns.
Bytes all_bytes(const MemFile& file) {
  Bytes out;
  const auto size = file.size().value();
  out.resize(size);
  CHECK(file.read_at(0, out).value() == size);
  auto reader = SessionReader::open(file).value();
  while (const auto view = reader->next().value()) {
    append(out, view->commitment);
    append(out, view->data);
  }
  return out;
}

}  // namespace

TEST_CASE("redact: every seal still holds and the removed text is in no byte of the copy") {
  const auto s = with_secrets();
  const auto removed = secrets_of(*s);
  REQUIRE(removed.size() == 20);
  MemFile copy;
  test::FakeClock clock;
  const auto key = key_of(1);
  const auto report =
      redact(s->file, removed, key, "privacy@corp", "leaked PIN", clock, copy).value();
  CHECK(report.removed_now == 20);
  CHECK_FALSE(contains(all_bytes(copy), as_bytes("4711")));
  CHECK(contains(all_bytes(s->file), as_bytes("4711")));

  const auto refused = verify(copy).value();
  CHECK(refused.verdict == Verdict::redaction_refused);
  CHECK(exit_status_of(refused.verdict) == 5);
  VerifyOptions options;
  options.trusted_redactors = {key.public_key()};
  const auto checked = verify(copy, {}, options).value();
  CHECK(checked.verdict == Verdict::self_consistent);
  CHECK(checked.seals == verify(s->file).value().seals);
  CHECK(checked.root == verify(s->file).value().root);
  CHECK(checked.redacted_events == 20);
  REQUIRE(checked.redactions.size() == 1);
  CHECK(checked.redactions[0].actor == "privacy@corp");
  CHECK(checked.redactions[0].named);

  auto reader = SessionReader::open(copy).value();
  std::uint64_t seen = 0;
  while (const auto view = reader->next().value()) {
    const bool gone = removed.count(view->number) != 0;
    CHECK(view->redacted == gone);
    CHECK(as_text(view->data) == (gone ? "[redacted]" : as_text(s->events[view->number].data)));
    ++seen;
  }
  CHECK(seen == s->events.size());
}

TEST_CASE("redact: a copy can be redacted again and what is gone stays gone") {
  const auto s = with_secrets();
  MemFile first;
  MemFile second;
  test::FakeClock clock;
  const auto key = key_of(1);
  REQUIRE(redact(s->file, secrets_of(*s), key, "a", "one", clock, first));
  const auto report =
      redact(first, {{0, Bytes{}}, {50, to_bytes("x")}}, key_of(2), "b", "two", clock, second)
          .value();
  CHECK(report.removed_now == 2);
  CHECK(report.removed_before == 20);
  VerifyOptions options;
  options.trusted_redactors = {key.public_key()};
  CHECK(verify(second, {}, options).value().verdict == Verdict::redaction_refused);
  options.trusted_redactors.push_back(key_of(2).public_key());
  const auto checked = verify(second, {}, options).value();
  CHECK(checked.verdict == Verdict::self_consistent);
  CHECK(checked.redacted_events == 22);
  CHECK(checked.redactions.size() == 2);
  CHECK_FALSE(contains(all_bytes(second), as_bytes("4711")));
}

TEST_CASE("redact: ten thousand candidate PINs and every salt of the copy give no match") {
  SampleSession s(11);
  s.output("before ");
  s.output("PIN=4711");
  s.output("after ");
  s.output("more ");
  must(s.writer->finish({}));
  MemFile copy;
  test::FakeClock clock;
  REQUIRE(redact(s.file, {{1, {}}}, key_of(1), "a", "b", clock, copy));
  auto reader = SessionReader::open(copy).value();
  must(reader->seek_event(1));
  const auto view = reader->next().value();
  REQUIRE(view->redacted);
  const Bytes commitment(view->commitment.begin(), view->commitment.end());
  // What an attacker has: every node that the copy hands out and all salts below them.
  std::vector<Digest> salts{Digest{}};
  Bytes record(4096);
  ChunkLoader loader(copy, reader->header().file_id);
  must(loader.load(reader->chunks(), 0));
  Bytes head(k_frame_bytes);
  CHECK(copy.read_at(reader->chunks()[0].offset, head).value() == head.size());
  record.resize(decode_frame(head).value().body_bytes);
  CHECK(copy.read_at(reader->chunks()[0].offset + k_frame_bytes, record).value() == record.size());
  const auto body = decode_chunk_body(record).value();
  CHECK(body.salt_form == k_salt_punctured);
  CHECK(body.salt_nodes.size() == 2);  // leaf 0; leaves 2 and 3
  for (const auto& node : body.salt_nodes) {
    for (std::uint32_t width = 1; width <= 4; width *= 2) {
      std::vector<Digest> below;
      derive_salts(node, width, below);
      salts.insert(salts.end(), below.begin(), below.end());
    }
  }
  std::size_t hits = 0;
  for (int pin = 0; pin < 10'000; ++pin) {
    const auto candidate = to_bytes("PIN=" + std::to_string(10'000 + pin).substr(1));
    for (const auto& salt : salts) {
      const auto c = event_commitment(salt, candidate);
      hits += std::equal(c.begin(), c.end(), commitment.begin()) ? 1U : 0U;
    }
  }
  CHECK(hits == 0);
  // The right salt would have told: the attack itself works.
  CHECK(event_commitment(Digest{}, to_bytes("x")) == event_commitment(Digest{}, to_bytes("x")));
}

TEST_CASE("redact: changed replacements and missing or forged notes are tampering") {
  const auto s = with_secrets();
  MemFile copy;
  test::FakeClock clock;
  const auto key = key_of(1);
  REQUIRE(redact(s->file, secrets_of(*s), key, "a", "b", clock, copy));
  VerifyOptions options;
  options.trusted_redactors = {key.public_key()};
  const auto id = s->writer->header().file_id;
  RecordScanner scanner(copy, id, k_preamble_bytes);
  std::uint64_t note_at = 0;
  std::uint64_t note_end = 0;
  while (const auto record = scanner.next().value()) {
    if (record->frame.record_type() == RecordType::redaction) {
      note_at = record->offset;
      note_end = record->end();
    }
  }
  REQUIRE(note_at != 0);
  MemFile without;
  without.data().assign(copy.data().begin(),
                        copy.data().begin() + static_cast<std::ptrdiff_t>(note_at));
  CHECK(verify(without, {}, options).value().verdict == Verdict::tampered);
  // Somebody else's note over another set of events.
  RedactionNote note;
  note.events = 1;
  MemFile forged = without;
  append_record(forged.data(), id, RecordType::redaction, 99,
                encode_redaction(id, note, key).value());
  CHECK(verify(forged, {}, options).value().verdict == Verdict::tampered);
  for (std::uint64_t at = note_at + k_frame_bytes; at < note_end; at += 5) {
    MemFile flipped = copy;
    flipped.data()[at] ^= std::byte{1};
    CHECK(verify(flipped, {}, options).value().verdict == Verdict::tampered);
  }
}

TEST_CASE("redact: only closed sessions and only events that exist") {
  SampleSession open;
  open.output("x");
  open.seal();
  MemFile copy;
  test::FakeClock clock;
  CHECK(redact(open.file, {{0, {}}}, key_of(1), "a", "b", clock, copy).error().code ==
        Errc::bad_usage);
  const auto closed = SampleSession::small();
  CHECK(redact(closed->file, {{999, {}}}, key_of(1), "a", "b", clock, copy).error().code ==
        Errc::bad_usage);
  CHECK(redact(closed->file, {}, key_of(1), "a", "b", clock, copy).error().code == Errc::bad_usage);
  CHECK(copy.data().empty());
}

TEST_CASE("redact: removed salts cannot be derived and kept ones are the same for every pattern") {
  const Seed seed = sha256(as_bytes("seed"));
  for (std::uint32_t n = 1; n <= 17; ++n) {
    std::vector<Digest> all;
    derive_salts(seed, n, all);
    for (std::uint32_t pattern = 1; pattern < (1U << std::min(n, 10U)); pattern += 3) {
      std::vector<bool> none(n);
      std::vector<bool> gone(n);
      for (std::uint32_t j = 0; j < n; ++j) {
        gone[j] = (pattern >> (j % 10) & 1U) != 0;
      }
      const auto nodes = puncture({&seed, 1}, none, gone).value();
      std::vector<Digest> salts;
      REQUIRE(derive_punctured_salts(nodes, gone, salts));
      for (std::uint32_t j = 0; j < n; ++j) {
        CHECK(salts[j] == (gone[j] ? Digest{} : all[j]));
      }
      // One more on top.
      auto more = gone;
      more[pattern % n] = true;
      const auto second = puncture(nodes, gone, more).value();
      REQUIRE(derive_punctured_salts(second, more, salts));
      if (!nodes.empty()) {
        CHECK_FALSE(derive_punctured_salts(std::span(nodes).first(nodes.size() - 1), gone, salts));
      }
    }
  }
}

namespace {

VerifyReport check_with(const ReadFile& file, const KeyRing& ring, const SigningKey& redactor) {
  VerifyOptions options;
  options.keys = &ring;
  options.trusted_redactors = {redactor.public_key()};
  return verify(file, {}, options).value();
}

struct EncryptedCase {
  SampleSession s{21, test::encrypted()};
  SigningKey key = key_of(1);
  KeyRing reader = test::ring_of({100});
  Replacements what;
  EncryptedCase() {
    test::fill_small(s);
    must(s.writer->finish({}));
    what[2] = to_bytes("[gone]");
  }
  Result<RedactReport> redact_to(const ReadFile& from, MemFile& out, const KeyRing* keys,
                                 const RecipientGroups* recipients, std::uint64_t seed = 60) {
    RedactRequest request;
    request.replacements = &what;
    request.redactor = &key;
    request.actor = "privacy";
    request.reason = "name";
    request.keys = keys;
    request.recipients = recipients;
    test::FakeClock clock;
    test::FakeEntropy entropy(seed);
    return redact(from, request, clock, entropy, out);
  }
};

std::string all_text(const ReadFile& file, const KeyRing& ring) {
  auto reader = SessionReader::open(file, ring).value();
  std::string all;
  while (const auto view = reader->next().value()) {
    all += as_text(view->data);
  }
  return all;
}

}  // namespace

TEST_CASE(
    "redact: an encrypted session is encrypted anew, for others, and every seal still holds") {
  EncryptedCase c;
  MemFile copy;
  const auto recipients = test::groups_of({{200}});
  CHECK(c.redact_to(c.s.file, copy, nullptr, &recipients).error().code == Errc::locked);
  CHECK(copy.data().empty());
  REQUIRE(c.redact_to(c.s.file, copy, &c.reader, &recipients));
  const auto theirs = test::ring_of({200});
  const auto checked = check_with(copy, theirs, c.key);
  CHECK(checked.verdict == Verdict::self_consistent);
  CHECK(checked.access == EventAccess::opened);
  CHECK(checked.redacted_events == 1);
  CHECK(all_text(copy, theirs).find("[gone]") != std::string::npos);
  CHECK(SessionReader::open(copy, c.reader).value()->locked());  // the old key opens nothing of it
  // Without the key nothing says that it holds what was sealed: that is a verdict of its own.
  const auto unopened = check_with(copy, KeyRing{}, c.key);
  CHECK(unopened.verdict == Verdict::locked);
  CHECK(exit_status_of(unopened.verdict) == 4);
  CHECK(check_with(copy, theirs, key_of(2)).verdict == Verdict::redaction_refused);
  // Not one chunk of ciphertext is the same: no nonce was used for two texts.
  const auto id = c.s.writer->header().file_id;
  const auto stored = [&](const MemFile& file) {
    std::vector<Bytes> out;
    RecordScanner scanner(file, id, k_preamble_bytes);
    while (const auto record = scanner.next().value()) {
      if (record->frame.record_type() == RecordType::chunk) {
        const auto payload = decode_chunk_body(record->body).value().payload;
        out.emplace_back(payload.begin(), payload.end());
      }
    }
    return out;
  };
  const auto before = stored(c.s.file);
  const auto after = stored(copy);
  REQUIRE(before.size() == after.size());
  for (std::size_t k = 0; k < before.size(); ++k) {
    CHECK(before[k] != after[k]);
  }
}

TEST_CASE(
    "redact: the ciphertext of a redacted copy is the redactor's word, also without the key") {
  EncryptedCase c;
  MemFile copy;
  const auto recipients = test::groups_of({{200}});
  REQUIRE(c.redact_to(c.s.file, copy, &c.reader, &recipients));
  const auto id = c.s.writer->header().file_id;
  RecordScanner scanner(copy, id, k_preamble_bytes);
  while (const auto record = scanner.next().value()) {
    const auto type = record->frame.record_type();
    if (type != RecordType::chunk && type != RecordType::key_box) {
      continue;
    }
    for (std::size_t at = 0; at < record->body.size(); at += 5) {
      Bytes body(record->body.begin(), record->body.end());
      body[at] ^= std::byte{1};
      MemFile changed;
      changed.data().assign(copy.data().begin(),
                            copy.data().begin() + static_cast<std::ptrdiff_t>(record->offset));
      append_record(changed.data(), id, type, record->frame.seq, body);
      changed.data().insert(changed.data().end(),
                            copy.data().begin() + static_cast<std::ptrdiff_t>(record->end()),
                            copy.data().end());
      const auto verdict = check_with(changed, KeyRing{}, c.key).verdict;
      CHECK((verdict == Verdict::tampered || verdict == Verdict::unsupported));
    }
  }
}

TEST_CASE("redact: a copy in clear of an encrypted session verifies for everybody") {
  EncryptedCase c;
  MemFile copy;
  REQUIRE(c.redact_to(c.s.file, copy, &c.reader, nullptr));
  const auto checked = check_with(copy, KeyRing{}, c.key);
  CHECK(checked.verdict == Verdict::self_consistent);
  CHECK(checked.access == EventAccess::opened);
  CHECK(all_text(copy, KeyRing{}).find("[gone]") != std::string::npos);
  // Once more on top of it, and encrypted again.
  c.what.clear();
  c.what[4] = {};
  MemFile second;
  const auto recipients = test::groups_of({{200}, {201}});
  REQUIRE(c.redact_to(copy, second, nullptr, &recipients, 61));
  CHECK(SessionReader::open(second, test::ring_of({200})).value()->locked());
  const auto both = check_with(second, test::ring_of({200, 201}), c.key);
  CHECK(both.verdict == Verdict::self_consistent);
  CHECK(both.redacted_events == 2);
  CHECK(both.redactions.size() == 2);
  CHECK_FALSE(contains(as_bytes(all_text(second, test::ring_of({200, 201}))),
                       as_bytes(std::string(300, 'a'))));
}

TEST_CASE("redact: who holds the old key and the sealed hashes cannot try out what was removed") {
  // The leaf of an encrypted chunk covers a hash of its ciphertext, and the copy keeps that hash.
  // With the key, the nonce and all other bytes known, only the seed of the salts hides the text.
  SampleSession s(22, test::encrypted());
  s.output("PIN=4711");
  must(s.writer->finish({}));
  const auto id = s.writer->header().file_id;
  const auto ring = test::ring_of({100});
  const auto box = read_key_box(s.file, id).value().value();
  const auto key =
      ring.open(id, box, decode_encryption_descriptor(s.writer->header().encryption).value())
          .value();
  MemFile copy;
  EncryptedCase c;
  c.what.clear();
  c.what[0] = {};
  const auto recipients = test::groups_of({{200}});
  REQUIRE(c.redact_to(s.file, copy, &ring, &recipients));
  RecordScanner scanner(copy, id, k_preamble_bytes);
  std::optional<ChunkBody> chunk;
  Bytes kept;
  while (const auto record = scanner.next().value()) {
    if (record->frame.record_type() == RecordType::chunk) {
      kept.assign(record->body.begin(), record->body.end());
      chunk = decode_chunk_body(kept).value();
    }
  }
  REQUIRE(chunk);
  REQUIRE(chunk->stored_hash);
  const auto hash_with = [&](const std::string& text, const Seed& seed) {
    ChunkBuilder builder;
    const auto data = to_bytes(text);
    builder.add({0, EventKind::output, chunk->core.t_first, chunk->core.t_first, data, false});
    Bytes columns;
    builder.append_columns(columns);
    Bytes plain(seed.begin(), seed.end());
    must(Compressor(1).compress(columns, GroupPart::opens, plain));
    auto sealer = PayloadSealer::create(id, Key::copy_of(key.view())).value();
    ChunkSeal how;
    how.raw_bytes = static_cast<std::uint32_t>(builder.raw_bytes());
    how.begins_group = true;
    Bytes body;
    return append_sealed(id, chunk->core, how, &sealer, plain, body).value();
  };
  // The attack works where the seed is known: it is the one of the original.
  auto original = SessionReader::open(s.file, ring).value();
  auto opener = PayloadOpener::create(id, Key::copy_of(key.view())).value();
  RecordScanner source(s.file, id, k_preamble_bytes);
  Seed seed{};
  while (const auto record = source.next().value()) {
    if (record->frame.record_type() == RecordType::chunk) {
      auto body = decode_chunk_body(record->body).value();
      Bytes plain;
      must(open_chunk(id, &opener, body, plain));
      seed = body.salt_nodes.at(0);
    }
  }
  CHECK(hash_with("PIN=4711", seed) == *chunk->stored_hash);
  CHECK(chunk->salt_nodes.empty());
  std::size_t hits = 0;
  for (int pin = 0; pin < 10'000; ++pin) {
    const auto text = "PIN=" + std::to_string(10'000 + pin).substr(1);
    hits += hash_with(text, Seed{}) == *chunk->stored_hash ? 1U : 0U;
  }
  CHECK(hits == 0);
}
