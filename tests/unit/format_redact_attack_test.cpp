// SPDX-License-Identifier: Apache-2.0
// An attacker holds a redacted copy and knows what kind of secret was removed: every PIN of four
// digits, five thousand passwords. Nothing in any byte of the copy may tell a right guess from a
// wrong one.
#include "base/byte_writer.hpp"
#include "base/crc32c.hpp"
#include "format/chunk.hpp"
#include "format/compress.hpp"
#include "format/digest.hpp"
#include "format/record.hpp"
#include "format/redact.hpp"
#include "tests/support/sample_session.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace sworn;
using namespace sworn::format;
using test::MemFile;
using test::must;
using test::SampleSession;

namespace {

std::vector<std::string> pins() {
  std::vector<std::string> out;
  for (int pin = 0; pin < 10'000; ++pin) {
    out.push_back(std::to_string(10'000 + pin).substr(1));
  }
  return out;
}
std::vector<std::string> passwords() {
  static constexpr std::string_view words[] = {"dragon", "sunshine", "letmein", "hunter", "monkey"};
  static constexpr std::string_view ends[] = {"",   "!",  "1", "2026", "#",
                                              "_x", "99", "A", "?",    "77"};
  std::vector<std::string> out;
  for (int n = 0; n < 100; ++n) {
    for (const auto word : words) {
      for (const auto end : ends) {
        out.push_back(std::string(word) + std::to_string(n) + std::string(end));
      }
    }
  }
  return out;
}

// Everything in the copy that an attacker can compare with: its records, and what they decompress
// to.
struct Loot {
  Bytes all;
  std::vector<Digest> salts{Digest{}};        // all that can be derived from the nodes handed out
  std::set<std::array<std::byte, 32>> words;  // every 32 bytes in a row
};

void derive_all(const Digest& node, int depth, std::vector<Digest>& out) {
  out.push_back(node);
  for (int d = 1; d <= depth; ++d) {
    std::vector<Digest> below;
    derive_salts(node, 1U << static_cast<unsigned>(d), below);
    out.insert(out.end(), below.begin(), below.end());
  }
}

Loot plunder(const MemFile& copy, const FileId& id) {
  Loot loot;
  RecordScanner scanner(copy, id, k_preamble_bytes);
  Decompressor decompressor;
  while (const auto record = scanner.next().value()) {
    append(loot.all, record->body);
    if (record->frame.record_type() != RecordType::chunk) {
      continue;
    }
    const auto chunk = decode_chunk_body(record->body).value();
    if (chunk.begins_group) {
      decompressor.begin_group();
    }
    Bytes columns(chunk.raw_bytes);
    must(decompressor.decompress(chunk.stored, columns));
    append(loot.all, columns);
    for (const auto& node : chunk.salt_nodes) {
      derive_all(node, 3, loot.salts);
    }
  }
  for (std::size_t at = 0; at + 32 <= loot.all.size(); ++at) {
    std::array<std::byte, 32> word;
    std::copy_n(loot.all.begin() + static_cast<std::ptrdiff_t>(at), 32, word.begin());
    loot.words.insert(word);
  }
  return loot;
}

bool holds(const Loot& loot, ByteView what) {
  return std::search(loot.all.begin(), loot.all.end(), what.begin(), what.end()) != loot.all.end();
}

// The secret stands alone in an event, or in the middle of a line that is known but for it.
MemFile redacted(const std::string& text, FileId& id) {
  SampleSession s(31);
  s.output("login: alice\r\n");
  s.output(text);
  s.output("\r\nwelcome\r\n");
  s.seal();
  s.output("more\r\n");
  must(s.writer->finish({}));
  id = s.writer->header().file_id;
  MemFile copy;
  test::FakeClock clock;
  const auto key = SigningKey::from_seed(Digest{std::byte{3}}).value();
  REQUIRE(redact(s.file, {{1, to_bytes("[removed]")}}, key, "dpo", "test", clock, copy));
  return copy;
}

// The candidates that something in the copy speaks for. Four digits stand in many a header by
// chance: what counts is whether it is the same for every secret.
std::set<std::string> hits(const Loot& loot, const std::string& before,
                           const std::vector<std::string>& all) {
  std::set<std::string> out;
  for (const auto& candidate : all) {
    const Bytes text = to_bytes(before + candidate);
    bool hit = holds(loot, as_bytes(candidate)) || loot.words.contains(sha256(text)) ||
               loot.words.contains(sha256(as_bytes(candidate)));
    for (const auto& salt : loot.salts) {
      hit = hit || loot.words.contains(event_commitment(salt, text));
    }
    if (hit) {
      out.insert(candidate);
    }
  }
  return out;
}

}  // namespace

TEST_CASE(
    "redaction attack: ten thousand PINs and five thousand passwords find nothing in the copy") {
  FileId id{};
  const auto attack = [&](const std::string& before, const std::string& secret,
                          const std::vector<std::string>& candidates) {
    return hits(plunder(redacted(before + secret, id), id), before, candidates);
  };
  const auto found = attack("PIN: ", "4711", pins());
  CHECK_FALSE(found.contains("4711"));
  CHECK(found == attack("PIN: ", "9356", pins()));
  CHECK(passwords().size() == 5'000);
  CHECK(attack("password: ", "hunter42!", passwords()).empty());
}

TEST_CASE("redaction attack: copies of texts of other lengths are of one size, to the byte") {
  // Same seed of chance, same times: whatever differs would come from the text.
  std::set<std::size_t> sizes;
  FileId id{};
  for (const auto* text :
       {"a", "four", "something that is much longer than the others", "PIN: 4711"}) {
    sizes.insert(redacted(text, id).data().size());
  }
  CHECK(sizes.size() == 1);
}

TEST_CASE("redaction attack: the attack itself works where the salt is known") {
  SampleSession s(31);
  s.output("x");
  s.output("PIN: 4711");
  must(s.writer->finish({}));
  const auto id = s.writer->header().file_id;
  auto loot = plunder(s.file, id);
  // In the unredacted file the seed is there, and so is the text.
  CHECK(holds(loot, as_bytes("4711")));
  std::set<std::array<std::byte, 32>> commitments;
  for (const auto& salt : loot.salts) {
    commitments.insert(event_commitment(salt, as_bytes("PIN: 4711")));
  }
  std::vector<Digest> salts;
  RecordScanner scanner(s.file, id, k_preamble_bytes);
  while (const auto record = scanner.next().value()) {
    if (record->frame.record_type() == RecordType::chunk) {
      derive_salts(decode_chunk_body(record->body).value().salt_nodes.at(0), 2, salts);
    }
  }
  CHECK(commitments.contains(event_commitment(salts.at(1), as_bytes("PIN: 4711"))));
}
