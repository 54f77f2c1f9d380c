// SPDX-License-Identifier: Apache-2.0
#include "format/digest.hpp"
#include "format/merkle.hpp"
#include "format/merkle_proof.hpp"
#include "tests/support/corpus.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <optional>

using namespace sworn;
using namespace sworn::format;
using nlohmann::json;

namespace {

// Of anything but a digest in base64: nullopt. No such thing can be handed to the functions at all.
std::optional<Digest> digest_of(const std::string& base64) {
  static const std::string k_alphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  Bytes out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : base64) {
    const auto value = k_alphabet.find(c);
    if (value == std::string::npos) {
      break;
    }
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out.push_back(static_cast<std::byte>(bits >> static_cast<unsigned>(have) & 0xFFU));
    }
  }
  if (out.size() != 32) {
    return std::nullopt;
  }
  Digest digest{};
  std::copy(out.begin(), out.end(), digest.begin());
  return digest;
}

std::optional<MerkleProof> proof_of(const json& list) {
  MerkleProof proof;
  for (const auto& item : list.is_null() ? json::array() : list) {
    const auto digest = digest_of(item.get<std::string>());
    if (!digest) {
      return std::nullopt;
    }
    proof.push_back(*digest);
  }
  return proof;
}

bool inclusion_holds(const json& c) {
  const auto leaf = digest_of(c.at("leafHash"));
  const auto root = digest_of(c.at("root"));
  const auto proof = proof_of(c.at("proof"));
  return leaf && root && proof &&
         verify_inclusion(c.at("leafIdx"), c.at("treeSize"), *leaf, *proof, *root);
}

bool consistency_holds(const json& c) {
  const auto old_root = digest_of(c.at("root1"));
  const auto new_root = digest_of(c.at("root2"));
  const auto proof = proof_of(c.at("proof"));
  return old_root && new_root && proof &&
         verify_consistency(c.at("size1"), c.at("size2"), *old_root, *new_root, *proof);
}

void run_cases(const std::string& kind, bool (*holds)(const json&)) {
  const auto dir = test::corpus_dir("merkle");
  if (dir.empty()) {
    MESSAGE("SKIPPED: no merkle corpus ($SWORN_CORPUS)");
    return;
  }
  int n = 0;
  int good = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir + "/" + kind)) {
    if (!entry.is_regular_file()) {
      continue;
    }
    CAPTURE(entry.path().string());
    std::ifstream in(entry.path());
    const json c = json::parse(in);
    const bool want = !c.at("wantErr").get<bool>();
    if (want && c.contains("root1") && !digest_of(c.at("root1"))) {
      continue;  // roots that are no digests: cannot be said with our types
    }
    CHECK(holds(c) == want);
    ++n;
    good += want ? 1 : 0;
  }
  CHECK(n > 90);
  CHECK(good >= 5);
}

std::vector<Digest> leaves_of(std::size_t n) {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < n; ++i) {
    leaves.push_back(sha256(as_bytes("leaf " + std::to_string(i))));
  }
  return leaves;
}

// Section 2.1.1, word for word.
Digest reference_root(std::span<const Digest> leaves) {
  if (leaves.empty()) {
    return sha256({});
  }
  if (leaves.size() == 1) {
    return leaves.front();
  }
  std::size_t k = 1;
  while (k * 2 < leaves.size()) {
    k *= 2;
  }
  Bytes node{std::byte{1}};
  append(node, reference_root(leaves.first(k)));
  append(node, reference_root(leaves.subspan(k)));
  return sha256(node);
}

}  // namespace

TEST_CASE("merkle: the published inclusion proof cases") {
  run_cases("inclusion", inclusion_holds);
}

TEST_CASE("merkle: the published consistency proof cases") {
  run_cases("consistency", consistency_holds);
}

TEST_CASE("merkle: roots are those of the recursive definition") {
  MerkleTree tree;
  const auto leaves = leaves_of(130);
  CHECK(to_hex(tree.root()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (std::size_t n = 0; n < leaves.size(); ++n) {
    CAPTURE(n);
    CHECK(tree.root() == reference_root(std::span(leaves).first(n)));
    CHECK(tree.size() == n);
    CHECK(merkle_root(std::span(leaves).first(n)) == tree.root());
    tree.add(leaves[n]);
  }
}

TEST_CASE(
    "merkle: every inclusion proof of small trees holds and no other place or tree takes it") {
  const auto leaves = leaves_of(40);
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    const auto tree = std::span(leaves).first(n);
    const Digest root = merkle_root(tree);
    for (std::size_t i = 0; i < n; ++i) {
      CAPTURE(n);
      CAPTURE(i);
      const auto proof = inclusion_proof(tree, i).value();
      CHECK(verify_inclusion(i, n, leaves[i], proof, root));
      for (std::size_t other = 0; other <= n; ++other) {
        CHECK((other == i) == verify_inclusion(other, n, leaves[i], proof, root));
      }
      auto longer = proof;
      longer.push_back(root);
      CHECK_FALSE(verify_inclusion(i, n, leaves[i], longer, root));
      for (std::size_t k = 0; k < proof.size(); ++k) {
        auto changed = proof;
        changed[k][7] ^= std::byte{1};
        CHECK_FALSE(verify_inclusion(i, n, leaves[i], changed, root));
        changed = proof;
        changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(k));
        CHECK_FALSE(verify_inclusion(i, n, leaves[i], changed, root));
      }
    }
    CHECK(inclusion_proof(tree, n).error().code == Errc::bad_usage);
  }
}

TEST_CASE("merkle: every consistency proof of small trees holds and no other size takes it") {
  const auto leaves = leaves_of(40);
  for (std::size_t n = 1; n <= leaves.size(); ++n) {
    const auto tree = std::span(leaves).first(n);
    const Digest root = merkle_root(tree);
    CHECK(consistency_proof(tree, 0).error().code == Errc::bad_usage);
    CHECK(consistency_proof(tree, n + 1).error().code == Errc::bad_usage);
    for (std::size_t m = 1; m <= n; ++m) {
      CAPTURE(n);
      CAPTURE(m);
      const Digest old_root = merkle_root(tree.first(m));
      const auto proof = consistency_proof(tree, m).value();
      CHECK(verify_consistency(m, n, old_root, root, proof));
      CHECK_FALSE(verify_consistency(0, n, sha256({}), root, proof));
      if (m < n) {
        CHECK_FALSE(verify_consistency(m, n, root, old_root, proof));
        CHECK_FALSE(verify_consistency(n, m, root, old_root, proof));
      }
      for (std::size_t k = 0; k < proof.size(); ++k) {
        auto changed = proof;
        changed[k][31] ^= std::byte{0x80};
        CHECK_FALSE(verify_consistency(m, n, old_root, root, changed));
      }
    }
  }
}

TEST_CASE("merkle: sizes near the end of 64 bits neither hang nor pass") {
  const Digest any = sha256(as_bytes("x"));
  const MerkleProof proof(64, any);
  CHECK_FALSE(verify_inclusion(UINT64_MAX - 1, UINT64_MAX, any, proof, any));
  CHECK_FALSE(verify_inclusion(0, UINT64_MAX, any, {}, any));
  CHECK_FALSE(verify_consistency(1, UINT64_MAX, any, any, proof));
  CHECK_FALSE(verify_consistency(UINT64_MAX - 1, UINT64_MAX, any, any, proof));
  CHECK(root_from_inclusion(5, 5, any, {}).error().code == Errc::bad_seal);
}
