// SPDX-License-Identifier: Apache-2.0
// The trust store: what is written is read, and nothing is skipped.
#include "base/file.hpp"
#include "format/digest.hpp"
#include "format/trust.hpp"
#include "tests/support/temp_dir.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace sworn;
using namespace sworn::format;

namespace {

TrustedLedger sample() {
  TrustedLedger l;
  l.id.fill(std::byte{0x11});
  l.name = "db-07";
  l.host_id = "00112233";
  l.genesis = sha256(as_bytes("genesis"));
  l.checkpoint_key =
      NoteKey::parse("ledger.example/db-07+2a369925+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c")
          .value();
  l.pinned_by = PinnedBy::administrator;
  l.pinned_at.us = 1'795'224'237'000'001;
  l.sealed_since = WallTime{1'795'000'000'000'000};
  l.seen = SeenTree{48'380, sha256(as_bytes("root")), {1'795'224'300'000'000}};
  l.redactors = {{"privacy officer", {std::byte{9}}}};
  l.witnesses = {
      NoteKey::parse("witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU")
          .value()};
  l.quorum = 1;
  return l;
}

}  // namespace

TEST_CASE("trust: what is written reads back word for word") {
  TrustStore store;
  REQUIRE(store.put(sample()));
  auto second = sample();
  second.id.fill(std::byte{0x22});
  second.pinned_by = PinnedBy::first_use;
  second.sealed_since.reset();
  second.seen.reset();
  second.witnesses.clear();
  second.redactors.clear();
  second.quorum = 0;
  REQUIRE(store.put(second));
  const auto again = TrustStore::parse(store.text()).value();
  CHECK(again.text() == store.text());
  REQUIRE(again.ledgers().size() == 2);
  const auto* found = again.find(sample().id);
  REQUIRE(found != nullptr);
  CHECK(found->genesis == sample().genesis);
  CHECK(found->seen->size == 48'380);
  CHECK(found->seen->root == sample().seen->root);
  CHECK(found->sealed_since->us == sample().sealed_since->us);
  CHECK(found->redactors[0].name == "privacy officer");
  CHECK(found->witnesses == sample().witnesses);
  CHECK(found->pinned_by == PinnedBy::administrator);
  CHECK(again.find(second.id)->pinned_by == PinnedBy::first_use);
  CHECK(again.find_host("00112233") != nullptr);
  CHECK(again.find_host("") == nullptr);
  CHECK(store.remove(second.id));
  CHECK_FALSE(store.remove(second.id));
}

TEST_CASE("trust: every damaged line is named and none is skipped") {
  TrustStore store;
  REQUIRE(store.put(sample()));
  const std::string good = store.text();
  const std::string id(32, '1');
  const std::string base = "sworn-trust 1\nledger " + id + "\nname a\n";
  for (const std::string& bad :
       {std::string(), std::string("sworn-trust 2\n"), std::string("sworn-trust 1\nname a\n"), base,
        base + "genesis 00\n", good + "sealed-sinse 2026-01-01T00:00:00Z\n",
        good + "sealed-since yesterday\n", good + "sealed-since 2026-01-01T00:00:00Z\n",
        good + "quorum 2\n", good + "name b\n", good + "ledger " + id + "\n",
        good + "witness abc\n", good + "redactor 00 x\n", good + "pinned by-me 2026\n",
        good + "seen 1\n", good + "seen x y z\n", "\n" + good}) {
    CAPTURE(bad);
    const auto parsed = TrustStore::parse(bad);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Errc::corrupt);
  }
  CHECK(TrustStore::parse("sworn-trust 1\n"));
  CHECK(TrustStore::parse(good + "\n# a remark\n"));
  CHECK(TrustStore::parse(std::string(2U << 20U, '#')).error().code == Errc::exhausted);
  for (std::size_t cut = 0; cut < good.size(); ++cut) {
    if (const auto parsed = TrustStore::parse(std::string_view(good).substr(0, cut)); parsed) {
      // Cut between lines: less is said, and nothing wrong.
      CHECK(parsed->ledgers().size() <= 1);
    }
  }
  auto wrong = sample();
  wrong.name = "a\nname b";
  CHECK_FALSE(store.put(wrong));
  wrong = sample();
  wrong.quorum = 2;
  CHECK_FALSE(store.put(wrong));
}

TEST_CASE("trust: saved in one step and private") {
  const test::TempDir dir;
  const std::string path = dir / "trust";
  CHECK(TrustStore::load(path).value().ledgers().empty());
  TrustStore store;
  REQUIRE(store.put(sample()));
  REQUIRE(store.save(path));
  REQUIRE(store.save(path));
  CHECK(TrustStore::load(path).value().text() == store.text());
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777U) == 0600);
  CHECK_FALSE(store.save(dir / "absent/trust"));
}
