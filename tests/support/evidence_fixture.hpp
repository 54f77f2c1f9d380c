// SPDX-License-Identifier: Apache-2.0
// A host with its ledger, one session that is kept in it, and what can become of that session: an
// open part, a salvaged and a redacted copy, the trust store that knows the ledger. The same bytes
// every time.
#pragma once

#include "format/ledger_session.hpp"
#include "format/redact.hpp"
#include "format/salvage.hpp"
#include "format/trust.hpp"
#include "tests/support/encrypted_session.hpp"
#include "tests/support/sample_ledger.hpp"
#include "tests/support/sample_session.hpp"

#include <map>
#include <string>

namespace sworn::test {

template <typename T>
T must_have(Result<T> result) {
  if (!result) {
    throw std::runtime_error(describe(result.error()));
  }
  return std::move(*result);
}

inline format::SigningKey fixture_redactor() {
  std::array<std::byte, 32> seed{};
  seed.fill(std::byte{0x52});
  return must_have(format::SigningKey::from_seed(seed));
}

// The same for a session that is encrypted to identity 100, and redacted for 101 or in clear.
inline void add_encrypted(std::map<std::string, Bytes>& out) {
  using namespace format;
  FakeClock clock;
  FakeEntropy entropy(9);
  const auto redactor_key = fixture_redactor();
  SessionHeader header = sample_header(clock);
  header.redactors.assign(redactor_key.public_key().begin(), redactor_key.public_key().end());
  SampleSession s(4, encrypted(), header);
  fill_small(s);
  const Bytes sealed = s.file.data();
  must(s.writer->finish({0}));
  out["encrypted.sworn"] = s.file.data();
  MemFile crashed;
  crashed.data() = sealed;
  append(crashed.data(), ByteView(s.file.data()).subspan(sealed.size(), 300));
  MemFile salvaged;
  must_have(salvage(crashed, "", salvaged, clock, entropy, "test"));
  out["encrypted-salvaged.sworn"] = salvaged.data();

  const Replacements replacements{{2, to_bytes("[removed]")}};
  const auto keys = ring_of({100});
  const auto others = groups_of({{101}});
  RedactRequest request;
  request.replacements = &replacements;
  request.redactor = &redactor_key;
  request.actor = "privacy@example";
  request.reason = "a fox";
  request.keys = &keys;
  for (const bool clear : {false, true}) {
    request.recipients = clear ? nullptr : &others;
    MemFile copy;
    must_have(redact(s.file, request, clock, entropy, copy));
    out[clear ? "encrypted-redacted-clear.sworn" : "encrypted-redacted.sworn"] = copy.data();
  }
}

// name -> bytes
inline std::map<std::string, Bytes> evidence_fixture() {
  using namespace format;
  std::map<std::string, Bytes> out;
  MemLedgerMedia media;
  FakeClock clock;
  FakeEntropy entropy(7);
  const auto open_ledger = [&] {
    return must_have(Ledger::open(std::make_unique<MemLedgerDisk>(media), clock, entropy,
                                  sample_ledger_options()));
  };
  auto ledger = open_ledger();

  SessionHeader header = sample_header(clock);
  header.ledger = encode(make_ledger_reference(*ledger));
  const auto redactor_key = fixture_redactor();
  header.redactors.assign(redactor_key.public_key().begin(), redactor_key.public_key().end());
  SampleSession s(3, {}, header);
  auto kept = must_have(
      LedgerSession::open(std::move(ledger), s.file, {"db-07-1.sworn", "alice", 1001, 42}));
  const auto heartbeat = [&] {
    clock.advance(60'000'000);
    must_have(kept.heartbeat(s.writer->last_seal().value()));
  };
  SessionStart start;
  start.user = "alice";
  start.argv = {"bash"};
  s.put(EventKind::session_start, encode(start));
  s.seal();
  s.output("$ ");
  s.put(EventKind::input, as_bytes("cat pin\r"));
  s.put(EventKind::command_begin,
        encode(CommandBegin{1, 42, "cat pin", "hook", "/root", "bash", 0, {}}), 700);
  s.seal(SealReason::critical);
  heartbeat();
  s.output("the pin is ");
  s.output("4711");
  s.output("\r\n");
  out["open.sworn.part"] = s.file.data();
  s.seal();
  s.put(EventKind::command_end, encode(CommandEnd{1, 42, 0, "0", "/root", {}}));
  s.seal();
  s.output("bye\r\n");
  const Bytes sealed = s.file.data();
  heartbeat();
  s.put(EventKind::gap, encode(Gap{"test", 1, 2, "x"}));
  s.put(EventKind::exit, encode(Exit{}));
  must(s.writer->finish({7}));
  must_have(kept.close(s.writer->last_seal().value(), s.file, "exited 0"));
  out["session.sworn"] = s.file.data();

  // A crash in the middle of a later record: the last bytes are torn.
  MemFile crashed;
  crashed.data() = sealed;
  append(crashed.data(), ByteView(s.file.data()).subspan(sealed.size(), 120));
  MemFile salvaged;
  must_have(salvage(crashed, "", salvaged, clock, entropy, "test"));
  out["crashed.sworn.part"] = crashed.data();
  out["salvaged.sworn"] = salvaged.data();

  MemFile redacted;
  must_have(redact(s.file, {{5, to_bytes("[removed]")}}, redactor_key, "privacy@example", "a pin",
                   clock, redacted));
  out["redacted.sworn"] = redacted.data();

  clock.advance(1'000'000);
  auto more = open_ledger();
  must_have(more->append(LedgerView{s.writer->header().file_id, "bob", "play"}));
  out["entries"] = media.files[0].seen;

  const auto& head = more->head();
  TrustedLedger trusted;
  trusted.id = head.id;
  trusted.name = "db-07";
  trusted.host_id = header.host_id;
  trusted.genesis = head.genesis;
  trusted.checkpoint_key = must_have(NoteKey::parse(head.checkpoint_key));
  trusted.pinned_by = PinnedBy::administrator;
  trusted.pinned_at = clock.wall();
  trusted.sealed_since = WallTime{1'700'000'000'000'000};
  trusted.seen = SeenTree{head.size, head.tree.root(), clock.wall()};
  TrustStore trust;
  must(trust.put(trusted));
  out["trust"] = to_bytes(trust.text());
  add_encrypted(out);
  return out;
}

}  // namespace sworn::test
