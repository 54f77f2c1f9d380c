// SPDX-License-Identifier: Apache-2.0
// Signed notes and checkpoints against notes that other implementations made.
#include "format/base64.hpp"
#include "format/checkpoint.hpp"
#include "format/digest.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sworn;
using namespace sworn::format;

namespace {

SigningKey key_of(std::uint8_t seed) {
  std::array<std::byte, 32> bytes{};
  bytes.fill(static_cast<std::byte>(seed));
  return SigningKey::from_seed(bytes).value();
}

// Made with python3-cryptography from the seeds 01.., 02.. and 03..
const std::string k_log_vkey =
    "ledger.example/db-07+2a369925+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
const std::string k_witness_1 =
    "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
const std::string k_witness_2 =
    "witness.example/w2+bfff2874+BO1JKMYo0cLG6ukDOJBZlWEpWSc6XGP5NjbBRhSshzfR";
const std::string k_text =
    "ledger.example/db-07\n48380\nSBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n";
const std::string k_log_line =
    "\u2014 ledger.example/db-07 "
    "KjaZJclrkfFvRRw+dleVFWVnoNDOTr7JjKpNVuDsQZIjgzNfwZa0lH8e7HPy3g/bcJSnDnAQZZOyHPGIyxKK/"
    "UdQxA4=\n";
const std::string k_line_1 =
    "\u2014 witness.example/w1 "
    "3xwKNQAAAABrAPKtJ4bg3MX0xmKEoW6k8ENWV1/"
    "Qv2p4qe7a0OzCmMJ8PPl3BZVfG7ZbprwHTqcFXzTnDYxc2ptROBgbor87CUyaBA==\n";
const std::string k_line_2 =
    "\u2014 witness.example/w2 "
    "v/8odAAAAABrAPLsLmmG+hW4xBozCX8iAV+NyjBMVyJ6PGgQInuHTC9XZUktm/0P9Qw/"
    "cgKqO8xIZEVr7K8Bj5JXOhYL6eO6L2wRBg==\n";
const std::string k_note = k_text + "\n" + k_log_line + k_line_1 + k_line_2;

std::vector<NoteKey> witnesses() {
  return {NoteKey::parse(k_witness_1).value(), NoteKey::parse(k_witness_2).value()};
}

}  // namespace

TEST_CASE("note: the example of the Go checksum database is read and made") {
  const std::string text =
      "If you think cryptography is the answer to your problem,\n"
      "then you don't know what your problem is.\n";
  const std::string line =
      "\u2014 PeterNeumann "
      "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
      "\n";
  const auto key =
      NoteKey::parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW").value();
  const auto note = parse_note(text + "\n" + line).value();
  CHECK(note.text == text);
  CHECK(verify_note(note, {&key, 1}).value().size() == 1);
  CHECK(encode(note) == text + "\n" + line);
  const auto seed = from_base64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz").value();
  std::array<std::byte, 32> secret{};
  std::copy(seed.begin() + 1, seed.end(), secret.begin());
  CHECK(signature_line(
            sign_note(text, "PeterNeumann", SigningKey::from_seed(secret).value()).value()) ==
        line);
}

TEST_CASE("note: verifier keys in use elsewhere are read and written back") {
  for (const std::string vkey :
       {"sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", k_log_vkey.c_str(),
        k_witness_1.c_str()}) {
    CHECK(NoteKey::parse(vkey).value().vkey() == vkey);
  }
  const auto note =
      parse_note(
          "This is an example message.\n\n\u2014 example.com/foo "
          "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKu"
          "wHjG1Yu72IneyaQM=\n")
          .value();
  const auto key =
      NoteKey::parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
          .value();
  CHECK(verify_note(note, {&key, 1}));
  for (const auto* bad : {"", "a", "a+b", "a+033de0ae+", "a b+033de0ae+Ac4z", "+033de0ae+Ac4z",
                          "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
                          "sum.golang.com+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
                          "sum.golang.org+033DE0AE+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"}) {
    CAPTURE(bad);
    CHECK_FALSE(NoteKey::parse(bad));
  }
}

TEST_CASE("checkpoint: one that another implementation signed and cosigned") {
  const auto log = NoteKey::parse(k_log_vkey).value();
  const auto opened = open_checkpoint(k_note, log, "ledger.example/db-07", witnesses()).value();
  CHECK(opened.checkpoint.size == 48'380);
  CHECK(opened.checkpoint.root == sha256(as_bytes("root")));
  REQUIRE(opened.cosignatures.size() == 2);
  CHECK(opened.cosignatures[0].witness == "witness.example/w1");
  CHECK(opened.cosignatures[0].when.us == 1'795'224'237'000'000);
  CHECK(opened.cosignatures[1].when.us == 1'795'224'300'000'000);
  // Ours are the same bytes.
  const auto note = sign_checkpoint(opened.checkpoint, "ledger.example/db-07", key_of(1)).value();
  CHECK(encode(note) == k_text + "\n" + k_log_line);
  CHECK(signature_line(
            cosign(k_text, "witness.example/w1", key_of(2), {1'795'224'237'000'000}).value()) ==
        k_line_1);
}

TEST_CASE("checkpoint: the example of the specification parses and keeps its parts") {
  const auto note =
      parse_note(
          "example.com/behind-the-sofa\n20852163\n"
          "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
          "\u2014 example.com/behind-the-sofa "
          "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
          "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
          "\u2014 witness.example.com/w1 "
          "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZ"
          "qhf5nNo0xUe+mbIUBkBIfZ+qnA==\n")
          .value();
  CHECK(note.signatures.size() == 2);
  CHECK(note.signatures[0].key_id == 0x033de0ae);
  CHECK(note.signatures[1].key_id == 0x8d66cf3f);
  CHECK(note.signatures[1].signature.size() == 72);
  CHECK(parse_checkpoint_text(note.text).value().size == 20'852'163);
}

TEST_CASE("checkpoint: unknown signatures are ignored and a wrong one of a known key is not") {
  const auto log = NoteKey::parse(k_log_vkey).value();
  const std::string origin = "ledger.example/db-07";
  CHECK(open_checkpoint(k_note, log, origin).value().cosignatures.empty());
  CHECK(open_checkpoint(k_text + "\n" + k_line_1, log, origin, witnesses()).error().code ==
        Errc::bad_seal);
  CHECK(open_checkpoint(k_note, log, "ledger.example/db-08").error().code == Errc::corrupt);
  auto stranger = log;
  stranger.key = key_of(9).public_key();
  CHECK_FALSE(open_checkpoint(k_note, stranger, origin));
  // Every flipped bit of a signature that is checked.
  for (std::size_t which = 0; which < 3; ++which) {
    const auto note = parse_note(k_note).value();
    for (std::size_t bit = 0; bit < note.signatures[which].signature.size() * 8; bit += 3) {
      auto changed = note;
      changed.signatures[which].signature[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      CHECK_FALSE(open_checkpoint(encode(changed), log, origin, witnesses()));
    }
  }
  // And of the text.
  for (std::size_t i = 0; i < k_text.size(); ++i) {
    std::string changed = k_note;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(open_checkpoint(changed, log, origin, witnesses()));
  }
}

TEST_CASE("note: malformed ones are refused") {
  const std::string line = k_log_line;
  for (const std::string& bad :
       {std::string(), std::string("\n"), std::string("\n\n"), k_text, k_text + "\n", k_text + line,
        k_text + "\n" + line + "x", k_text + "\n" + line.substr(0, line.size() - 1),
        k_text + "\n" + line + "\n", k_text + "\n- a b\n", k_text + "\n\u2014 a\n",
        k_text + "\n\u2014 a AAAA\n", k_text + "\n\u2014 a+b AAAAAAAA\n",
        k_text + "\n\u2014 \u00a0a AAAAAAAA\n", "a\tb\n\n" + line, "a\rb\n\n" + line,
        "a\xff\n\n" + line, std::string("a\0b\n\n", 5) + line}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_note(bad));
  }
  std::string many = k_text + "\n";
  for (std::size_t i = 0; i < k_max_note_signatures; ++i) {
    many += line;
  }
  CHECK(parse_note(many));
  CHECK_FALSE(parse_note(many + line));
  CHECK_FALSE(parse_note(std::string(k_max_note_bytes, 'a') + "\n\n" + line));
}

TEST_CASE("checkpoint: malformed texts are refused") {
  const std::string root = "SBNJTRN+FjG7owHVrKtue7eqdM4RhdRWVl71HXN2d7I=\n";
  CHECK(parse_checkpoint_text("o\n0\n" + root));
  CHECK(parse_checkpoint_text("o\n18446744073709551615\n" + root + "extension\n"));
  for (const std::string& bad :
       {std::string("o\n1\n"), "o\n01\n" + root, "o\n-1\n" + root, "o\n+1\n" + root,
        "o\n1 \n" + root, "o\n\n" + root, "\n1\n" + root, "o\n18446744073709551616\n" + root,
        "o\n0x1\n" + root, std::string("o\n1\nAAAA\n"), "o\n1\n" + root + "\n",
        "o\n1\n" + root.substr(0, root.size() - 1), std::string("o\n1\n\n")}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_checkpoint_text(bad));
  }
}

TEST_CASE("checkpoint: what would not read back is not signed") {
  Checkpoint checkpoint{"a\nb", 1, {}, {}};
  CHECK_FALSE(sign_checkpoint(checkpoint, "name", key_of(1)));
  checkpoint.origin = "a";
  CHECK(sign_checkpoint(checkpoint, "name", key_of(1)));
  CHECK_FALSE(sign_checkpoint(checkpoint, "na me", key_of(1)));
  checkpoint.extensions = {""};
  CHECK_FALSE(sign_checkpoint(checkpoint, "name", key_of(1)));
}
