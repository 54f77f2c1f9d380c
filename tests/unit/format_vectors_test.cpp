// SPDX-License-Identifier: Apache-2.0
// The primitives against published vectors and against straightforward definitions.
#include "base/crc32c.hpp"
#include "format/digest.hpp"
#include "format/salt.hpp"
#include "format/sign.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string_view>

using namespace sworn;
using namespace sworn::format;

namespace {

template <std::size_t N>
std::array<std::byte, N> array_from_hex(std::string_view hex) {
  std::array<std::byte, N> out{};
  const Bytes bytes = from_hex(hex).value();
  REQUIRE(bytes.size() == N);
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

struct Ed25519Vector {
  std::string_view secret;
  std::string_view key;
  std::string_view message;
  std::string_view signature;
};

// RFC 8032, section 7.1: TEST 1, TEST 2, TEST 3, TEST SHA(abc).
constexpr std::array<Ed25519Vector, 4> k_rfc_8032{{
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b"
     "46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11"
     "d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc"
     "6594a7c15e9716ed28dc027beceea1ec40a"},
    {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
     "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fee"
     "bbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e"
     "0303dca179c138ac17ad9bef1177331a704"},
}};

// The order of the group, little-endian.
constexpr std::string_view k_group_order =
    "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

Digest reference_salt(const Digest& node, std::uint32_t depth, std::uint32_t j) {
  if (depth == 0) {
    return node;
  }
  const bool right = (j >> (depth - 1) & 1U) != 0;
  Bytes message{std::byte{right ? std::uint8_t{0x11} : std::uint8_t{0x10}}};
  append(message, node);
  return reference_salt(sha256(message), depth - 1, j);
}

}  // namespace

TEST_CASE("ed25519: the vectors of RFC 8032") {
  for (const auto& v : k_rfc_8032) {
    CAPTURE(v.message);
    const auto secret = array_from_hex<32>(v.secret);
    const auto signature = array_from_hex<64>(v.signature);
    const Bytes message = from_hex(v.message).value();
    const auto key = SigningKey::from_seed(secret).value();
    CHECK(to_hex(key.public_key()) == v.key);
    CHECK(to_hex(key.sign(message).value()) == v.signature);
    CHECK(verify_signature(key.public_key(), message, signature));
    for (std::size_t i = 0; i < signature.size(); ++i) {
      CAPTURE(i);
      auto changed = signature;
      changed[i] ^= std::byte{0x04};
      CHECK_FALSE(verify_signature(key.public_key(), message, changed));
    }
    Bytes longer = message;
    longer.push_back(std::byte{0});
    CHECK_FALSE(verify_signature(key.public_key(), longer, signature));
  }
}

TEST_CASE("ed25519: a second signature made by adding the group order is refused") {
  const auto& v = k_rfc_8032[1];
  auto signature = array_from_hex<64>(v.signature);
  const auto order = array_from_hex<32>(k_group_order);
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += std::to_integer<unsigned>(signature[32 + i]) + std::to_integer<unsigned>(order[i]);
    signature[32 + i] = static_cast<std::byte>(carry & 0xFFU);
    carry >>= 8U;
  }
  REQUIRE(carry == 0);
  CHECK_FALSE(verify_signature(array_from_hex<32>(v.key), from_hex(v.message).value(), signature));
}

TEST_CASE("sha256: vectors and every length around the block boundaries") {
  CHECK(to_hex(sha256(as_bytes("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  struct Case {
    std::size_t length;
    std::string_view digest;
  };
  // The letter a, that often.
  constexpr std::array<Case, 8> k_cases{{
      {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {54, "a3f01b6939256127582ac8ae9fb47a382a244680806a3f613a118851c1ca1d47"},
      {55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
      {56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
      {63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
      {64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
      {65, "635361c48bb9eab14198e76ea8ab7f1a41685d6ad62aa9146d301d4f17eb0ae0"},
      {128, "6836cf13bac400e9105071cd6af47084dfacad4e5e302c94bfed24e013afb73e"},
  }};
  for (const auto& c : k_cases) {
    CAPTURE(c.length);
    const Bytes data(c.length, std::byte{'a'});
    CHECK(to_hex(sha256(data)) == c.digest);
    CHECK(to_hex(sha256_short(data)) == c.digest);
    // In two parts, wherever the cut is.
    for (std::size_t cut = 0; cut <= c.length; ++cut) {
      const auto view = ByteView(data);
      REQUIRE(to_hex(Sha256().update(view.first(cut)).update(view.subspan(cut)).finish()) ==
              c.digest);
    }
  }
}

TEST_CASE("sha256: an inner node is the hash of prefix and both children") {
  const Digest left = sha256(as_bytes("left"));
  const Digest right = sha256(as_bytes("right"));
  Bytes message{std::byte{1}};
  append(message, left);
  append(message, right);
  CHECK(hash_node(left, right) == sha256(message));
}

TEST_CASE("salts: those of the recursive definition for every count") {
  const Seed seed = sha256(as_bytes("seed"));
  std::vector<Digest> salts;
  for (std::uint32_t n = 1; n <= 200; ++n) {
    CAPTURE(n);
    std::uint32_t depth = 0;
    while (1U << depth < n) {
      ++depth;
    }
    derive_salts(seed, n, salts);
    REQUIRE(salts.size() == n);
    for (std::uint32_t j = 0; j < n; ++j) {
      REQUIRE(salts[j] == reference_salt(seed, depth, j));
    }
  }
  derive_salts(seed, 70'000, salts);
  CHECK(salts.back() == reference_salt(seed, 17, 69'999));
}

TEST_CASE("crc32c: the vectors of RFC 3720 and the seed chains") {
  CHECK(crc32c(Bytes(32)) == 0x8A9136AA);
  CHECK(crc32c(Bytes(32, std::byte{0xFF})) == 0x62A8AB43);
  CHECK(crc32c(as_bytes("123456789")) == 0xE3069283);
  CHECK(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))) == 0xE3069283);
}
