// SPDX-License-Identifier: Apache-2.0
// The ledger before a witness that was written from the specification alone, and before wrong ones.
#include "format/witness.hpp"
#include "tests/support/sample_ledger.hpp"
#include "tests/support/source_dir.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::SampleLedger;

namespace {

NoteKey witness_key() {
  std::array<std::byte, 32> seed{};
  seed.fill(std::byte{7});
  return {"witness.example/w7", NoteKeyType::cosignature_v1,
          SigningKey::from_seed(seed).value().public_key()};
}

std::vector<Digest> leaves_of(const Bytes& entries) {
  MemFile file;
  file.data() = entries;
  std::vector<Digest> out;
  LedgerVerifyOptions options;
  options.on_entry = [&out](std::uint64_t, ByteView stored, const LedgerEntry&) {
    out.push_back(ledger_leaf(stored));
  };
  REQUIRE(verify_ledger(file, options));
  return out;
}

// tests/support/witness.py as a process per call.
class PythonWitness final : public WitnessTransport {
 public:
  explicit PythonWitness(std::string vkey) : vkey_(std::move(vkey)) {}
  Result<HttpAnswer> add_checkpoint(std::string_view body) override {
    ++calls;
    std::ofstream(dir_ / "request", std::ios::binary) << body;
    const std::string command = "timeout 60 /usr/bin/python3 " SWORN_SOURCE_DIR
                                "/tests/support/witness.py " +
                                (dir_ / "state") + " '" + vkey_ + "' witness.example/w7 <" +
                                (dir_ / "request") + " >" + (dir_ / "answer");
    if (std::system(command.c_str()) != 0) {
      return fail(Errc::io, "the witness died");
    }
    std::ifstream in(dir_ / "answer", std::ios::binary);
    HttpAnswer out;
    std::string status;
    std::getline(in, status);
    out.status = std::stoi(status);
    std::getline(in, out.content_type);
    out.body.assign(std::istreambuf_iterator<char>(in), {});
    return out;
  }
  int calls = 0;

 private:
  std::string vkey_;
  test::TempDir dir_;
};

class FixedWitness final : public WitnessTransport {
 public:
  explicit FixedWitness(HttpAnswer answer) : answer_(std::move(answer)) {}
  Result<HttpAnswer> add_checkpoint(std::string_view body) override {
    last = body;
    return answer_;
  }
  std::string last;

 private:
  HttpAnswer answer_;
};

}  // namespace

TEST_CASE("witness: the request of the specification") {
  const Digest hash{};
  CHECK(witness_request(0, {}, "x\n") == "old 0\n\nx\n");
  CHECK(witness_request(7, {&hash, 1}, "x\n") ==
        "old 7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\nx\n");
}

TEST_CASE("witness: an independent witness cosigns what grows and refuses what does not") {
  if (std::system("/usr/bin/python3 -c 'import cryptography' >/dev/null 2>&1") != 0) {
    MESSAGE("SKIPPED: no python3-cryptography");
    return;
  }
  SampleLedger s;
  const std::vector<NoteKey> keys{witness_key()};
  PythonWitness witness(s.ledger->head().checkpoint_key);
  const Bytes early = s.entries();
  const std::string first = s.ledger->checkpoint().value();
  auto shown = show_to_witness(witness, first, leaves_of(s.entries()), 0, keys);
  REQUIRE(shown);
  CHECK(witness.calls == 1);
  CHECK(shown->cosignatures[0].when.us == 1'795'224'300'000'000);
  // The note as it comes back is a checkpoint with a cosignature.
  const auto log = NoteKey::parse(s.ledger->head().checkpoint_key).value();
  CHECK(open_checkpoint(shown->note, log, s.ledger->head().origin, keys)
            .value()
            .cosignatures.size() == 1);
  // It grows, and we have forgotten how far the witness saw it.
  for (std::uint8_t i = 10; i < 23; ++i) {
    s.add(test::sample_open(i));
  }
  const std::string second = s.ledger->checkpoint().value();
  CHECK(show_to_witness(witness, second, leaves_of(s.entries()), 0, keys));
  CHECK(witness.calls == 3);
  CHECK(show_to_witness(witness, second, leaves_of(s.entries()), 20, keys));
  // An older copy of the whole directory.
  const auto rolled_back = show_to_witness(witness, first, leaves_of(early), 7, keys);
  REQUIRE_FALSE(rolled_back);
  CHECK(rolled_back.error().code == Errc::bad_seal);
  // A fork: the older copy goes on, beyond what the witness saw.
  SampleLedger fork;
  fork.entropy = test::FakeEntropy(31);  // the same beginning, other keys from here on
  for (std::uint8_t i = 0; i < 40; ++i) {
    fork.add(LedgerView{test::sample_file_id(i), "mallory", "x"});
  }
  REQUIRE(fork.ledger->head().checkpoint_key == s.ledger->head().checkpoint_key);
  const auto forked = show_to_witness(witness, fork.ledger->checkpoint().value(),
                                      leaves_of(fork.entries()), 0, keys);
  REQUIRE_FALSE(forked);
  CHECK(forked.error().code == Errc::bad_seal);
}

TEST_CASE("witness: answers that are wrong are refused for what they are") {
  SampleLedger s;
  const std::string note = s.ledger->checkpoint().value();
  const auto leaves = leaves_of(s.entries());
  const std::vector<NoteKey> keys{witness_key()};
  const auto code_for = [&](HttpAnswer answer) {
    FixedWitness witness(std::move(answer));
    return show_to_witness(witness, note, leaves, 0, keys).error().code;
  };
  CHECK(code_for({404, "", ""}) == Errc::bad_usage);
  CHECK(code_for({403, "", ""}) == Errc::bad_usage);
  CHECK(code_for({422, "", ""}) == Errc::bad_seal);
  CHECK(code_for({409, "text/plain", "7\n"}) == Errc::bad_seal);
  CHECK(code_for({409, "text/x.tlog.size", "8\n"}) == Errc::bad_seal);
  CHECK(code_for({409, "text/x.tlog.size", "3\n"}) == Errc::bad_seal);  // asked again, the same
  CHECK(code_for({409, "text/x.tlog.size", "-3\n"}) == Errc::bad_seal);
  CHECK(code_for({500, "", ""}) == Errc::io);
  CHECK(code_for({200, "", ""}) == Errc::corrupt);
  CHECK(code_for({200, "", "hello\n"}) == Errc::corrupt);
  CHECK(code_for({200, "", std::string(1U << 20U, 'x')}) == Errc::corrupt);
  // Somebody else's cosignature, and a wrong one under the right name.
  std::array<std::byte, 32> seed{};
  const auto stranger = SigningKey::from_seed(seed).value();
  const auto text = parse_note(note).value().text;
  CHECK(code_for({200, "", signature_line(cosign(text, "w.example", stranger, {}).value())}) ==
        Errc::corrupt);
  auto forged = cosign(text, "witness.example/w7", stranger, {}).value();
  forged.key_id = keys[0].id();
  CHECK(code_for({200, "", signature_line(forged)}) == Errc::corrupt);
  FixedWitness unused({200, "", ""});
  CHECK(show_to_witness(unused, note, std::span(leaves).first(3), 0, keys).error().code ==
        Errc::bad_usage);
  CHECK(unused.last.empty());
}
