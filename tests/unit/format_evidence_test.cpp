// SPDX-License-Identifier: Apache-2.0
// The standing of a session: what file, ledger, anchors and trust store say together.
#include "format/checkpoint.hpp"
#include "format/evidence.hpp"
#include "tests/support/ledgered_session.hpp"

#include <doctest/doctest.h>

using namespace sworn;
using namespace sworn::format;
using test::Host;
using test::MemFile;

namespace {

SigningKey witness_key() {
  std::array<std::byte, 32> seed{};
  seed.fill(std::byte{7});
  return SigningKey::from_seed(seed).value();
}
NoteKey witness_vkey() {
  return {"w.example", NoteKeyType::cosignature_v1, witness_key().public_key()};
}

// A host with somebody who looks at it from outside.
class Case {
 public:
  TrustStore trusting(PinnedBy by = PinnedBy::administrator) {
    TrustStore out;
    auto report = host.ledger_report();
    REQUIRE(remember_ledger(out, report, "db-07", host.clock.wall()));
    TrustedLedger ledger = out.ledgers().front();
    ledger.pinned_by = by;
    ledger.witnesses = {witness_vkey()};
    ledger.quorum = 1;
    REQUIRE(out.put(ledger));
    return out;
  }
  // The checkpoint of now, cosigned at `when`.
  std::string cosigned(WallTime when) {
    auto note = parse_note(host.open()->checkpoint().value()).value();
    note.signatures.push_back(cosign(note.text, "w.example", witness_key(), when).value());
    return encode(note);
  }
  void enter_anchor(const std::string& note) {
    const auto checkpoint = parse_checkpoint_text(parse_note(note).value().text).value();
    REQUIRE(host.open()->append(
        LedgerAnchor{"cosignature", checkpoint.size, checkpoint.root, to_bytes(note)}));
  }
  Evidence look(const TrustStore* trust, const EvidencePolicy& policy = {},
                std::span<const Anchor> found = {}) {
    MemFile entries;
    entries.data() = host.media.files[0].seen;
    EvidenceSources sources;
    sources.ledger = &entries;
    sources.trust = trust;
    sources.found = found;
    return gather_evidence(host.file, sources, policy).value();
  }
  Host host;
};

bool has(const Evidence& evidence, std::string_view code) {
  return std::any_of(evidence.findings.begin(), evidence.findings.end(),
                     [&](const Finding& f) { return f.code == code; });
}

}  // namespace

TEST_CASE("evidence: a whole session with its ledger, and without") {
  Case c;
  Host::whole(c.host);
  auto evidence = c.look(nullptr);
  CHECK(evidence.standing == Standing::intact_ledgered);
  CHECK(evidence.verdict() == "INTACT+LEDGERED");
  CHECK(evidence.exit_status() == 0);
  evidence = gather_evidence(c.host.file, {}).value();
  CHECK(evidence.standing == Standing::self_consistent);
  CHECK(has(evidence, "ledger_not_checked"));
  EvidencePolicy policy;
  policy.require_ledger = true;
  CHECK(gather_evidence(c.host.file, {}, policy).value().exit_status() == 4);
  policy.require_anchor = true;
  CHECK(c.look(nullptr, policy).standing == Standing::unpinned);
}

TEST_CASE("evidence: anchored by a witness that is trusted, and only by such a one") {
  Case c;
  Host::whole(c.host);
  const WallTime when{c.host.clock.wall().us + 1'000'000};
  c.enter_anchor(c.cosigned(when));
  const auto trust = c.trusting();
  auto evidence = c.look(&trust);
  CHECK(evidence.standing == Standing::intact_anchored);
  REQUIRE(evidence.anchors.size() == 1);
  CHECK(evidence.anchors[0].state == AnchorState::holds);
  CHECK(evidence.anchors[0].by == std::vector<std::string>{"w.example"});
  REQUIRE(evidence.not_after);
  CHECK(evidence.not_after->us == when.us / 1'000'000 * 1'000'000);
  // Nobody trusts it: what the ledger says remains.
  evidence = c.look(nullptr);
  CHECK(evidence.standing == Standing::intact_ledgered);
  CHECK(evidence.anchors[0].state == AnchorState::not_trusted);
  // A quorum that is not met.
  auto strict = trust;
  auto ledger = strict.ledgers().front();
  auto other = witness_vkey();
  other.name = "w2.example";
  ledger.witnesses.push_back(other);
  ledger.quorum = 2;
  REQUIRE(strict.put(ledger));
  CHECK(c.look(&strict).anchors[0].state == AnchorState::not_trusted);
}

TEST_CASE("evidence: an anchor that covers the opening only does not make it anchored") {
  Case c;
  c.host.begin();
  c.enter_anchor(c.cosigned(c.host.clock.wall()));
  c.host.output("two");
  c.host.end();
  const auto trust = c.trusting();
  const auto evidence = c.look(&trust);
  CHECK(evidence.standing == Standing::intact_ledgered);
  CHECK(evidence.anchors[0].state == AnchorState::holds);
  CHECK_FALSE(evidence.not_after);
}

TEST_CASE("evidence: a checkpoint kept elsewhere finds an older copy of the ledger") {
  Case c;
  c.host.begin();
  const auto early = c.host.media;
  c.host.output("two");
  c.host.end();
  const auto note = c.host.open()->checkpoint().value();
  const auto line =
      "Nov 21 02:40:42 db-07 sworn[77]: " + checkpoint_line(note).value() + "\nnext\n";
  const auto found = anchors_in("first\n" + line, "loghost.log");
  REQUIRE(found.size() == 1);
  CHECK(found[0].source == "loghost.log:2");
  CHECK(found[0].size == 4);
  CHECK(c.look(nullptr, {}, found).standing == Standing::intact_anchored);
  CHECK(c.look(nullptr, {}, anchors_in(note, "note")).standing == Standing::intact_anchored);
  // The directory as it was before the session ended, keys and all.
  c.host.media = early;
  auto evidence = c.look(nullptr, {}, found);
  CHECK(evidence.standing == Standing::rollback);
  CHECK(has(evidence, "anchor_contradicts"));
  CHECK(evidence.exit_status() == 3);
  // A checkpoint that somebody else made says nothing.
  std::string forged = note;
  forged[forged.find('\n') + 1] = '9';
  evidence = c.look(nullptr, {}, anchors_in(forged, "forged"));
  CHECK(evidence.standing != Standing::rollback);
  REQUIRE(evidence.anchors.size() == 1);
  CHECK(evidence.anchors[0].state == AnchorState::wrong);
}

TEST_CASE("evidence: garbage in an anchor entry proves nothing and breaks nothing") {
  Case c;
  Host::whole(c.host);
  for (const char* type : {"cosignature", "rfc3161", "syslog", "collector", "what"}) {
    REQUIRE(c.host.open()->append(LedgerAnchor{type, 4, {}, to_bytes("garbage")}));
  }
  auto trust = c.trusting();
  trust.authorities.push_back(to_bytes("no certificate"));
  const auto evidence = c.look(&trust);
  CHECK(evidence.standing == Standing::intact_ledgered);
  REQUIRE(evidence.anchors.size() == 5);
  CHECK(std::none_of(evidence.anchors.begin(), evidence.anchors.end(),
                     [](const AnchorReport& a) { return a.state == AnchorState::holds; }));
}

TEST_CASE("evidence: threat 16: a clock that was set back is CLOCK-ANOMALY") {
  Case c;
  c.host.begin();
  c.host.clock.step_wall(-3'600'000'000);
  c.host.output("two");
  c.host.end();
  const auto evidence = c.look(nullptr);
  CHECK(evidence.standing == Standing::clock_anomaly);
  CHECK(has(evidence, "clock_set_back"));
  CHECK(evidence.exit_status() == 2);
}

TEST_CASE("evidence: threat 15: times that an anchor contradicts") {
  Case c;
  Host::whole(c.host);
  // A witness saw the closing entry an hour before the host says that it wrote it.
  c.enter_anchor(c.cosigned({c.host.clock.wall().us - 3'600'000'000}));
  const auto trust = c.trusting();
  const auto evidence = c.look(&trust);
  CHECK(evidence.standing == Standing::clock_anomaly);
  CHECK(has(evidence, "closed_after_it_was_seen"));
  // Backdated: an anchor in front of its opening is younger than the session says it is.
  Case backdated;
  backdated.enter_anchor(backdated.cosigned({backdated.host.clock.wall().us + 86'400'000'000}));
  Host::whole(backdated.host);
  const auto its_trust = backdated.trusting();
  const auto found = backdated.look(&its_trust);
  CHECK(found.standing == Standing::clock_anomaly);
  CHECK(has(found, "opened_before_it_could_be"));
}

TEST_CASE("evidence: what the file says is never made better by a ledger") {
  Case c;
  Host::whole(c.host);
  c.host.file.data()[c.host.seal_ends[0] / 2] ^= std::byte{1};
  const auto evidence = c.look(nullptr);
  CHECK(evidence.standing >= Standing::truncated);
  CHECK(evidence.exit_status() == 3);
}

TEST_CASE("evidence: checkpoint lines") {
  CHECK_FALSE(note_of_line("nothing of the kind"));
  CHECK_FALSE(note_of_line("sworn-checkpoint origin 5"));
  CHECK_FALSE(note_of_line("sworn-checkpoint origin 5 root "));
  CHECK(note_of_line("x sworn-checkpoint o 5 R S\"").value() == "o\n5\nR\n\n\u2014 o S\n");
  CHECK_FALSE(checkpoint_line("no note"));
  CHECK(anchors_in("", "empty").empty());
}

TEST_CASE("ledger: the checkpoint key is replaced, and anchors under the old one still hold") {
  Case c;
  Host::whole(c.host);
  const auto before = c.host.ledger_report().head.checkpoint_key;
  const auto note = c.cosigned(c.host.clock.wall());
  REQUIRE(c.host.open()->rotate_checkpoint_key("root", "stolen disk"));
  const auto after = c.host.ledger_report();
  CHECK(after.state == LedgerState::intact);
  CHECK(after.head.checkpoint_key != before);
  CHECK(after.checkpoint_keys == std::vector<std::string>{after.head.checkpoint_key, before});
  c.enter_anchor(note);
  const auto trust = c.trusting();
  CHECK(c.look(&trust).standing == Standing::intact_anchored);
  const auto key = NoteKey::parse(after.head.checkpoint_key).value();
  CHECK(open_checkpoint(c.host.open()->checkpoint().value(), key, key.name));
  // Of the old key nothing is left.
  const auto& file = c.host.media.files[3].seen;
  CHECK(std::all_of(file.begin() + 32, file.end(), [](std::byte b) { return b == std::byte{0}; }));
}
