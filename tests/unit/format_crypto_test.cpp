// SPDX-License-Identifier: Apache-2.0
// The borrowed primitives against the vectors of their RFCs, and the text codings around them.
#include "format/aead.hpp"
#include "format/base64.hpp"
#include "format/bech32.hpp"
#include "format/key_derivation.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace sworn;
using namespace sworn::format;

namespace {

Bytes hex(std::string_view text) {
  return from_hex(text).value();
}
template <std::size_t N>
std::array<std::byte, N> fixed(std::string_view text) {
  const auto bytes = hex(text);
  REQUIRE(bytes.size() == N);
  std::array<std::byte, N> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace

TEST_CASE("hmac: RFC 4231 cases 1 2 and 6") {
  CHECK(to_hex(hmac_sha256(Bytes(20, std::byte{0x0b}), as_bytes("Hi There")).value()) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?")).value()) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(to_hex(hmac_sha256(Bytes(131, std::byte{0xaa}),
                           as_bytes("Test Using Larger Than Block-Size Key - Hash Key First"))
                   .value()) == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("hkdf: RFC 5869 cases 1 2 and 3") {
  Bytes out(42);
  const auto info = hex("f0f1f2f3f4f5f6f7f8f9");
  REQUIRE(hkdf_sha256(Bytes(22, std::byte{0x0b}), hex("000102030405060708090a0b0c"), as_text(info),
                      out));
  CHECK(to_hex(out) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  REQUIRE(hkdf_sha256(Bytes(22, std::byte{0x0b}), {}, "", out));
  CHECK(to_hex(out) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
  Bytes ikm(80);
  Bytes salt(80);
  Bytes long_info(80);
  for (std::size_t i = 0; i < 80; ++i) {
    ikm[i] = static_cast<std::byte>(i);
    salt[i] = static_cast<std::byte>(0x60 + i);
    long_info[i] = static_cast<std::byte>(0xb0 + i);
  }
  Bytes long_out(82);
  REQUIRE(hkdf_sha256(ikm, salt, as_text(long_info), long_out));
  CHECK(to_hex(long_out) ==
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
        "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87");
  Bytes too_long(255 * 32 + 1);
  CHECK_FALSE(hkdf_sha256(ikm, salt, "", too_long));
}

TEST_CASE("x25519: RFC 7748 sections 5.2 and 6.1 and a share of low order") {
  const auto agree = [](std::string_view scalar, std::string_view share) {
    return to_hex(x25519(fixed<32>(scalar), fixed<32>(share)).value().view());
  };
  CHECK(agree("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
              "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c") ==
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  CHECK(agree("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
              "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493") ==
        "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
  const auto bob = fixed<32>("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  CHECK(to_hex(x25519_public(bob).value()) ==
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto refused = x25519(bob, X25519Public{});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Errc::bad_seal);
}

TEST_CASE("aead: RFC 8439 section 2.8.2") {
  const auto key = fixed<32>("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
  const auto nonce = fixed<12>("070000004041424344454647");
  const auto aad = hex("50515253c0c1c2c3c4c5c6c7");
  const std::string text =
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
      "sunscreen would be it.";
  Bytes sealed;
  REQUIRE(aead_seal(AeadCipher::chacha20_poly1305, key, nonce, aad, as_bytes(text), sealed));
  CHECK(to_hex(sealed) ==
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da"
        "92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585"
        "808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691");
  Bytes opened;
  REQUIRE(aead_open(AeadCipher::chacha20_poly1305, key, nonce, aad, sealed, opened));
  CHECK(as_text(opened) == text);
}

TEST_CASE("aead: AES-256-GCM cases 14 and 16 of the GCM specification") {
  Bytes sealed;
  REQUIRE(aead_seal(AeadCipher::aes_256_gcm, std::array<std::byte, 32>{}, AeadNonce{}, {},
                    Bytes(16), sealed));
  CHECK(to_hex(sealed) == "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  sealed.clear();
  REQUIRE(aead_seal(
      AeadCipher::aes_256_gcm,
      fixed<32>("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"),
      fixed<12>("cafebabefacedbaddecaf888"), hex("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
      hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
          "49a6b525b16aedf5aa0de657ba637b39"),
      sealed));
  CHECK(to_hex(sealed) ==
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056"
        "828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
}

TEST_CASE("aead: every flipped bit is noticed and nothing is given out") {
  for (const auto cipher : {AeadCipher::chacha20_poly1305, AeadCipher::aes_256_gcm}) {
    const std::array<std::byte, 32> key{std::byte{7}};
    Bytes sealed;
    REQUIRE(aead_seal(cipher, key, AeadNonce{}, as_bytes("a"), as_bytes("secret"), sealed));
    for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
      Bytes changed = sealed;
      changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      Bytes opened = to_bytes("before");
      const auto result = aead_open(cipher, key, AeadNonce{}, as_bytes("a"), changed, opened);
      REQUIRE_FALSE(result);
      CHECK(result.error().code == Errc::bad_seal);
      CHECK(as_text(opened) == "before");
    }
    Bytes opened;
    CHECK_FALSE(aead_open(cipher, key, AeadNonce{}, as_bytes("b"), sealed, opened));
    CHECK_FALSE(
        aead_open(cipher, key, AeadNonce{}, as_bytes("a"), ByteView(sealed).first(15), opened));
    Bytes empty;
    REQUIRE(aead_seal(cipher, key, AeadNonce{}, {}, {}, empty));
    CHECK(empty.size() == k_aead_tag_bytes);
    CHECK(aead_open(cipher, key, AeadNonce{}, {}, empty, opened));
    CHECK(opened.empty());
  }
}

TEST_CASE("base64: RFC 4648 section 10 and one text for each value") {
  const std::pair<std::string, std::string> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    CAPTURE(plain);
    CHECK(base64(as_bytes(plain)) == coded);
    CHECK(as_text(from_base64(coded).value()) == plain);
    const auto bare = coded.substr(0, coded.find('='));
    CHECK(base64(as_bytes(plain), Base64Padding::without) == bare);
    CHECK(as_text(from_base64(bare, Base64Padding::without).value()) == plain);
    if (bare != coded) {
      CHECK_FALSE(from_base64(bare));
      CHECK_FALSE(from_base64(coded, Base64Padding::without));
    }
  }
  for (const auto* bad : {"Zh==", "Zm9=", "Z", "Z===", "====", "Zg=a", "Zm 9", "Zm9v\n", "Zm-_",
                          "AAAA====", "AAAA=", "=AAA"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_base64(bad));
  }
}

TEST_CASE("bech32: BIP 173 examples and damage") {
  for (const auto* good :
       {"A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w", "?1ezyfcl"}) {
    CAPTURE(good);
    // Valid checksum; their data need not be whole bytes, which keys always are.
    const auto decoded = from_bech32(good);
    if (!decoded) {
      CHECK(decoded.error().context.find("padding") != std::string::npos);
    }
  }
  const auto whole = from_bech32("A12UEL5L").value();
  CHECK(whole.prefix == "a");
  CHECK(whole.upper_case);
  CHECK(whole.data.empty());
  for (const auto* bad :
       {"x1b4n0q5v", "li1dgmt3", "A1G7SGD8", "10a06t8", "1qzzfhee", "A12uEL5L", "", "1", "age1",
        "\x7f"
        "1axkwrx",
        "pzry9x0s0muk"}) {
    CAPTURE(bad);
    CHECK_FALSE(from_bech32(bad));
  }
  const std::string key = bech32("age", Bytes(32, std::byte{0xA5}));
  CHECK(from_bech32(key).value().data == Bytes(32, std::byte{0xA5}));
  for (std::size_t i = 0; i < key.size(); ++i) {
    for (const char c : {'q', 'p', '2', 'b'}) {
      std::string changed = key;
      changed[i] = c;
      if (changed != key) {
        CAPTURE(changed);
        CHECK_FALSE(from_bech32(changed));
      }
    }
  }
}
