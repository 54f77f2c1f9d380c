// SPDX-License-Identifier: Apache-2.0
// Attacks of docs/threat-model.md that a session file has to answer by itself or with its ledger:
// each with the verdict and the exit status that the table promises.
#include "format/redact.hpp"
#include "format/session_reader.hpp"
#include "format/verify_with_ledger.hpp"
#include "tests/support/evidence_fixture.hpp"
#include "tests/support/raw_session.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::must;
using test::must_have;
using test::RawSession;
using test::SampleSession;

namespace {

MemFile file_of(Bytes data) {
  MemFile file;
  file.data() = std::move(data);
  return file;
}

bool has(const std::vector<Finding>& findings, std::string_view code) {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const Finding& f) { return f.code == code; });
}

std::vector<RecordScanner::Record> records_of(const MemFile& file, const FileId& id,
                                              std::vector<Bytes>& bodies) {
  RecordScanner scanner(file, id, k_preamble_bytes);
  std::vector<RecordScanner::Record> out;
  while (auto record = scanner.next().value()) {
    bodies.emplace_back(record->body.begin(), record->body.end());
    out.push_back(*record);
  }
  return out;
}

// A seal over what `s` holds since its last one, signed with whatever key the attacker has.
void seal_with(RawSession& s, const SigningKey& key, std::uint32_t seal_no,
               const PublicKey& next_key) {
  Seal made;
  made.seal_no = seal_no;
  made.t = s.time;
  made.wall = {s.header.started.us};
  made.leaves = s.leaves;
  made.next_key = next_key;
  made.signature = key.sign(seal_message(s.id, made, s.tree.size(), s.tree.root())).value();
  Bytes body;
  append_seal(body, made);
  s.leaves.clear();
  s.append(RecordType::seal, body);
}

// The same recording up to its second seal, every time; what the honest host had written by then.
void two_seals(RawSession& s) {
  s.begin().output("rm -rf /var/log\r\n").seal().output("done\r\n").seal();
}

// Two recordings that differ in one event, and what is published about them.
struct Published {
  Bytes copy;
  Bytes ledger;
};
Published publish(std::string_view secret) {
  const auto key = test::fixture_redactor();
  test::MemLedgerMedia media;
  test::FakeClock clock;
  test::FakeEntropy entropy(9);
  auto ledger = must_have(Ledger::open(std::make_unique<test::MemLedgerDisk>(media), clock, entropy,
                                       test::sample_ledger_options()));
  SessionHeader header = test::sample_header(clock);
  header.redactors.assign(key.public_key().begin(), key.public_key().end());
  SampleSession s(13, {}, header);
  auto kept = must_have(LedgerSession::open(std::move(ledger), s.file, {"a", "alice", 1, 1}));
  s.output("before ");
  s.output(secret);
  s.output(" after");
  s.seal();
  must_have(kept.heartbeat(s.writer->last_seal().value()));
  s.output("more ");
  must(s.writer->finish({}));
  must_have(kept.close(s.writer->last_seal().value(), s.file, "exited 0"));
  MemFile copy;
  must_have(redact(s.file, {{1, to_bytes("[removed]")}}, key, "privacy", "pin", clock, copy));
  return {copy.data(), media.files[0].seen};
}

// Everything that a file says, with every hash and signature blanked.
std::string without_hashes(const Bytes& data) {
  const auto file = file_of(data);
  const auto id = decode_preamble(data).value().file_id;
  std::vector<Bytes> bodies;
  const auto records = records_of(file, id, bodies);
  Decompressor group;
  std::string out;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& body = bodies[i];
    out += fmt::format("{} {} ", records[i].frame.type, records[i].frame.seq);
    switch (records[i].frame.record_type()) {
      case RecordType::chunk: {
        const auto chunk = decode_chunk_body(body).value();
        if (chunk.begins_group) {
          group.begin_group();
        }
        Bytes columns(chunk.raw_bytes);
        must(group.decompress(chunk.stored, columns));
        std::vector<EventView> events;
        must(decode_columns(chunk.core, columns, events));
        out += to_hex(ByteView(body).first(32)) +
               to_hex(ByteView(body).subspan(k_chunk_core_bytes, 8));  // without leaf root, nodes
        for (const auto& event : events) {
          out += fmt::format(" {}:{}:{}:{}", event.number, event.t.us, event.redacted,
                             to_hex(event.data));
        }
        break;
      }
      case RecordType::seal:
        out += to_hex(ByteView(body).first(24)) + fmt::format(" {}", body.size());
        break;
      case RecordType::redaction: {
        const auto note = decode_redaction(id, body).value().note;
        out += fmt::format("{} {} {}", note.actor, note.reason, note.events);
        break;
      }
      case RecordType::index:
      case RecordType::footer:
        break;  // derived from the rest; where zstd put the commitment's bytes is no secret
      default:
        out += to_hex(body);
    }
    out += '\n';
  }
  return out;
}

std::string ledger_without_hashes(const Bytes& entries) {
  std::string out;
  LedgerVerifyOptions options;
  options.on_entry = [&](std::uint64_t index, ByteView stored, const LedgerEntry& /*entry*/) {
    auto json = nlohmann::json::parse(ledger_entry_json(stored).value());
    json.erase("file_digest");
    if (json.contains("mark")) {
      json["mark"] = json["mark"].get<std::string>().substr(0, 56);
    }
    if (json.contains("sessions")) {
      json["sessions"] = json["sessions"].get<std::string>().substr(0, 56);
    }
    out += fmt::format("{} {}\n", index, json.dump());
  };
  REQUIRE(verify_ledger(file_of(entries), options).value().state == LedgerState::intact);
  return out;
}

}  // namespace

TEST_CASE("threat 1: changed bytes of a sealed chunk name the chunk and the last good time") {
  SampleSession s;
  for (int i = 0; i < 6; ++i) {
    s.output("line " + std::to_string(i));
    s.seal();
  }
  must(s.writer->finish({}));
  std::vector<Bytes> bodies;
  const auto records = records_of(s.file, s.writer->header().file_id, bodies);
  const auto& victim = records[5];
  REQUIRE(victim.frame.record_type() == RecordType::chunk);
  Bytes body = bodies[5];
  body[k_chunk_fixed_bytes] ^= std::byte{1};  // in the seed: every event's salt is another
  auto data = s.file.data();
  Bytes record;
  append_record(record, s.writer->header().file_id, RecordType::chunk, victim.frame.seq, body);
  std::copy(record.begin(), record.end(),
            data.begin() + static_cast<std::ptrdiff_t>(victim.offset));
  const auto report = verify(file_of(data)).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(exit_status_of(report.verdict) == 3);
  CHECK(report.findings.front().code == "chunk_root_mismatch");
  CHECK(report.findings.front().offset == victim.offset);
  CHECK(report.seals == 7);  // what stands behind it is still proven
}

TEST_CASE("threat 3 (CVE-2023-31439): old entries sealed anew with the current key") {
  RawSession honest;
  two_seals(honest);
  RawSession forged;  // the same host, header and first key; the attacker has the key of seal 2
  forged.begin().output("ls\r\n");
  seal_with(forged, honest.live_key(), 0, honest.live_key().public_key());
  const auto report = verify(forged.file).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(exit_status_of(report.verdict) == 3);
  CHECK(report.seals == 0);
  CHECK(has(report.findings, "bad_signature"));
}

TEST_CASE(
    "threat 3: a new header with a key of the attacker's own is another session to the ledger") {
  const auto files = test::evidence_fixture();
  const auto trust = TrustStore::parse(as_text(files.at("trust"))).value();
  const auto honest = file_of(files.at("session.sworn"));
  RawSession forged;
  const auto preamble = decode_preamble(files.at("session.sworn")).value();
  forged.id = preamble.file_id;
  forged.header = *verify(honest).value().header;
  forged.header.first_key = forged.live_key().public_key();
  forged.time = forged.header.started_mono;
  forged.begin().output("ls\r\n").end().final_seal();
  const auto alone = verify(forged.file).value();
  CHECK(alone.verdict ==
        Verdict::self_consistent);  // a file alone cannot tell, and says NOT PINNED
  const auto held =
      verify_with_ledger(forged.file, alone, file_of(files.at("entries")), &trust).value();
  CHECK(held.verdict == LedgerVerdict::tampered);
  CHECK(exit_status_of(held.verdict) == 3);
  CHECK(has(held.findings, "header_mismatch"));
}

TEST_CASE("threat 4 (CVE-2023-31438): truncated to an earlier seal and continued") {
  RawSession honest;
  two_seals(honest);
  RawSession cut;
  cut.begin().output("rm -rf /var/log\r\n").seal().output("nothing\r\n");
  seal_with(cut, honest.live_key(), 1, honest.live_key().public_key());
  const auto report = verify(cut.file).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(exit_status_of(report.verdict) == 3);
  CHECK(report.seals == 1);
  CHECK(has(report.findings, "bad_signature"));
}

TEST_CASE("threat 4 (CVE-2023-31438): two seals under one key") {
  RawSession twin;  // in the state in which the key of seal 1 is alive
  twin.begin().output("rm -rf /var/log\r\n").seal();
  RawSession s;
  s.begin().output("rm -rf /var/log\r\n").seal().output("more\r\n");
  seal_with(s, twin.live_key(), 1, twin.live_key().public_key());
  CHECK(verify(s.file).value().seals == 2);
  s.output("and more\r\n");
  for (const std::uint32_t number : {1U, 2U}) {
    RawSession again;
    again.begin().output("rm -rf /var/log\r\n").seal().output("more\r\n");
    seal_with(again, twin.live_key(), 1,
              SigningKey::from_seed(std::array<std::byte, 32>{}).value().public_key());
    again.output("and more\r\n");
    seal_with(again, twin.live_key(), number, twin.live_key().public_key());
    const auto report = verify(again.file).value();
    CHECK(report.verdict == Verdict::tampered);
    CHECK(report.seals == 2);
  }
}

TEST_CASE("threat 12: a killed recorder leaves INCOMPLETE, never more") {
  const auto files = test::evidence_fixture();
  for (const auto* name : {"open.sworn.part", "crashed.sworn.part", "salvaged.sworn"}) {
    CAPTURE(name);
    const auto report = verify(file_of(files.at(name))).value();
    CHECK(report.verdict == Verdict::incomplete);
    CHECK(exit_status_of(report.verdict) == 2);
    CHECK_FALSE(report.closed);
  }
}

TEST_CASE("threat 15: a session that is made up later is not in the ledger") {
  const auto files = test::evidence_fixture();
  const auto trust = TrustStore::parse(as_text(files.at("trust"))).value();
  const auto ledger = file_of(files.at("entries"));
  const auto honest = verify(file_of(files.at("session.sworn"))).value();
  for (const bool claims : {true, false}) {
    RawSession made_up(44);
    made_up.header.host_id = honest.header->host_id;
    made_up.header.started.us -= 30LL * 86'400 * 1'000'000;
    if (claims) {
      made_up.header.ledger = honest.header->ledger;
    }
    made_up.begin().output("it was bob\r\n").end().final_seal();
    const auto report = verify(made_up.file).value();
    CHECK(report.verdict == Verdict::self_consistent);
    const auto held = verify_with_ledger(made_up.file, report, ledger, &trust).value();
    CHECK(held.verdict == LedgerVerdict::not_in_ledger);
    CHECK(exit_status_of(held.verdict) == 3);
    CHECK(missing_ledger_claim(report, trust).has_value() != claims);
  }
}

TEST_CASE("threat 15: an entry that is dated back is told") {
  test::SampleLedger s;
  s.clock.step_wall(-30LL * 86'400 * 1'000'000);
  s.add(test::sample_open(9));
  const auto report = verify_ledger(file_of(s.entries())).value();
  CHECK(report.state == LedgerState::intact);
  CHECK(has(report.findings, "clock_went_back"));
}

TEST_CASE("threat 16: the wall clock that is set back is told and orders nothing") {
  RawSession s;
  s.begin().output("one ").seal().output("two ");
  s.seal({.wall_step_us = -3'600'000'000});
  s.end().final_seal();
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::self_consistent);
  CHECK(has(report.findings, "clock_step"));
}

TEST_CASE("threat 17: the body of one session under the header of another") {
  SampleSession a(1);
  a.output("mine\r\n");
  must(a.writer->finish({}));
  SampleSession b(2);
  b.output("yours\r\n");
  must(b.writer->finish({}));
  std::vector<Bytes> of_a;
  std::vector<Bytes> of_b;
  const auto records_a = records_of(a.file, a.writer->header().file_id, of_a);
  const auto records_b = records_of(b.file, b.writer->header().file_id, of_b);
  // With crcs that fit: the attacker knows the file id.
  Bytes mixed(a.file.data().begin(),
              a.file.data().begin() + static_cast<std::ptrdiff_t>(records_a[0].end()));
  for (std::size_t i = 1; i < records_b.size(); ++i) {
    append_record(mixed, a.writer->header().file_id, records_b[i].frame.record_type(),
                  records_b[i].frame.seq, of_b[i]);
  }
  const auto report = verify(file_of(mixed)).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(exit_status_of(report.verdict) == 3);
}

TEST_CASE("threat 18: a file whose seals were stripped") {
  RawSession s;
  s.begin().output("rm -rf /var/log\r\n").end();
  const auto report = verify(s.file).value();
  CHECK(report.verdict == Verdict::unsealed);
  CHECK(exit_status_of(report.verdict) == 4);
}

TEST_CASE("threat 22: a redaction by somebody who is not named") {
  const auto files = test::evidence_fixture();
  std::array<std::byte, 32> seed{};
  const auto stranger = SigningKey::from_seed(seed).value();
  test::FakeClock clock;
  MemFile copy;
  REQUIRE(redact(file_of(files.at("session.sworn")), {{4, {}}}, stranger, "bob", "why not", clock,
                 copy));
  const auto report = verify(copy).value();
  CHECK(report.verdict == Verdict::redaction_refused);
  CHECK(exit_status_of(report.verdict) == 5);
  const auto named = verify(file_of(files.at("redacted.sworn"))).value();
  CHECK(named.verdict == Verdict::self_consistent);
  CHECK(named.redacted_events == 1);
  CHECK(has(named.findings, "redacted"));
}

TEST_CASE("threat 23: what is published says nothing of a removed text, not even its length") {
  const auto one = publish("4711");
  const auto other = publish(std::string(3'000, 'x') + "a secret of another length");
  CHECK(one.copy != other.copy);
  CHECK(without_hashes(one.copy) == without_hashes(other.copy));
  CHECK(ledger_without_hashes(one.ledger) == ledger_without_hashes(other.ledger));
}

// A program that reads the id of its own recording can print a frame whose crc holds.
TEST_CASE("threat: forged frames in output are sealed neither whole nor damaged") {
  SampleSession s;
  const FileId id = s.writer->header().file_id;
  RawSession liar;
  Bytes forged;
  Bytes end(k_end_bytes);
  append_record(forged, id, RecordType::chunk, 1,
                liar.chunk_body({liar.event(0, EventKind::output, "FORGED")}, {}));
  append_record(forged, id, RecordType::end, 2, end);
  test::FakeEntropy noise(77);
  Bytes padding(60'000);  // incompressible, so that the frames stand in the file as they are
  must(noise.fill(padding));
  append(padding, forged);
  s.output("before ");
  s.put(EventKind::output, padding);
  s.seal();
  s.output("after");
  must(s.writer->finish({}));
  const auto& data = s.file.data();
  const auto place = std::search(data.begin(), data.end(), forged.begin(), forged.end());
  REQUIRE(place != data.end());  // else the attack is no attack
  CHECK(verify(s.file).value().verdict == Verdict::self_consistent);

  std::vector<Bytes> bodies;
  const auto records = records_of(s.file, id, bodies);
  REQUIRE(records[1].frame.record_type() == RecordType::chunk);
  auto damaged = data;
  damaged[records[1].offset] ^= std::byte{1};  // now a search finds the forged ones
  const auto file = file_of(damaged);
  const auto report = verify(file).value();
  CHECK(report.verdict == Verdict::tampered);
  CHECK(exit_status_of(report.verdict) == 3);
  auto reader = SessionReader::open(file).value();
  while (const auto event = reader->next().value()) {
    CHECK(as_text(event->data) != "FORGED");
  }
  CHECK_FALSE(reader->damage().empty());
}

TEST_CASE("threat: torn ledger entry") {
  test::SampleLedger s;
  const Bytes whole = s.entries();
  const auto last = s.ledger->head().last_offset;
  for (std::size_t cut = last + 1; cut < whole.size(); ++cut) {
    const auto report =
        verify_ledger(
            file_of(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(cut))))
            .value();
    CHECK(report.state == LedgerState::torn);
    CHECK(report.head.size == 6);
  }
  // The writer that comes next puts the very same entry there.
  s.media.die_at = s.media.operations + 2;  // the intent and its sync; the entry itself is lost
  CHECK_FALSE(s.ledger->append(LedgerView{test::sample_file_id(2), "bob", "play"}));
  s.media.killed();
  append(s.entries(), to_bytes("half an en"));
  auto next = s.open();
  s.clock.advance(1'000'000);
  must_have(next->append(LedgerView{test::sample_file_id(2), "eve", "play"}));
  const auto report = verify_ledger(file_of(s.entries())).value();
  CHECK(report.state == LedgerState::intact);
  CHECK(report.head.size == 9);  // bob's, then eve's
}
