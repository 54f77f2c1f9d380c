// SPDX-License-Identifier: Apache-2.0
// Our two-lane SHA-256 against OpenSSL, for every length around every edge of a block, with the
// processor's instructions and without.
#include "format/digest.hpp"
#include "format/merkle.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace sworn;
using namespace sworn::format;

namespace {

Bytes noise(std::size_t n) {
  std::mt19937 random(static_cast<unsigned>(n));
  Bytes out(n);
  for (auto& byte : out) {
    byte = static_cast<std::byte>(random() & 0xFFU);
  }
  return out;
}

Digest joined(const TwoParts& message) {
  Bytes all(message.head.begin(), message.head.end());
  append(all, message.data);
  return sha256(all);
}

}  // namespace

TEST_CASE("sha256: two lanes give what OpenSSL gives, for all lengths of both") {
  const Bytes head = noise(64);
  const Bytes data = noise(5000);
  for (const auto* lanes : {&Sha256Lanes::best(), &Sha256Lanes::portable()}) {
    for (std::size_t head_bytes : {0U, 1U, 37U, 55U, 56U, 63U, 64U}) {
      for (std::size_t n = 0; n < 260; ++n) {
        // The second message is shorter, as long, or longer by whole blocks and odd bytes.
        for (const std::size_t m : {n / 3, n, n + 64, n + 131}) {
          const TwoParts a{ByteView(head).first(head_bytes), ByteView(data).first(n)};
          const TwoParts b{ByteView(head).first((head_bytes + 7) % 65),
                           ByteView(data).subspan(1, m)};
          Digest of_a;
          Digest of_b;
          sha256_two(a, b, of_a, of_b, *lanes);
          CAPTURE(head_bytes);
          CAPTURE(n);
          CAPTURE(m);
          REQUIRE(of_a == joined(a));
          REQUIRE(of_b == joined(b));
        }
      }
    }
    Digest of_a;
    Digest of_b;
    const TwoParts a{ByteView(head).first(37), ByteView(data).first(4096)};
    const TwoParts b{ByteView(head).first(37), ByteView(data).first(40)};
    sha256_two(a, b, of_a, of_b, *lanes);
    CHECK(of_a == joined(a));
    CHECK(of_b == joined(b));
  }
}

TEST_CASE("sha256: the test vectors of FIPS 180-4") {
  Digest empty;
  Digest abc;
  sha256_two({{}, {}}, {as_bytes("a"), as_bytes("bc")}, empty, abc);
  CHECK(to_hex(empty) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_hex(abc) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("merkle: level by level gives the root of leaf after leaf, for every size") {
  std::vector<Digest> leaves;
  MerkleTree tree;
  CHECK(merkle_root({}) == tree.root());
  for (std::size_t n = 1; n <= 300; ++n) {
    leaves.push_back(sha256(noise(n)));
    tree.add(leaves.back());
    CAPTURE(n);
    REQUIRE(merkle_root(leaves) == tree.root());
  }
}
