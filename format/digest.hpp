// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4). The low-level OpenSSL calls on purpose: hashing events is the main cost of
// 40-byte writes, and the EVP interface costs more than the one block that most of our messages
// are.
#pragma once

#include "base/bytes.hpp"
#include "format/session_header.hpp"
#include "format/sha256_lanes.hpp"

#include <array>
#include <cstddef>

namespace sworn::format {

Digest sha256(ByteView data);

// Incremental; one use.
class Sha256 {
 public:
  Sha256();
  Sha256& update(ByteView data);
  Digest finish();

 private:
  alignas(8) std::array<std::byte, 128> state_{};  // an SHA256_CTX
};

// The same as sha256(), faster for messages of at most k_short_message bytes (one or two blocks).
inline constexpr std::size_t k_short_message = 119;
Digest sha256_short(ByteView data);

Digest hash_node(const Digest& left, const Digest& right);  // SHA256(0x01 | left | right)

// Two messages of one known length, hashed together (sha256_lanes.hpp), again and again: the caller
// fills in what differs, the padding stays.
template <std::size_t k_length>
class TwoMessages {
 public:
  TwoMessages() {
    for (auto* blocks : {&a_, &b_}) {
      (*blocks)[k_length] = std::byte{0x80};
      (*blocks)[blocks->size() - 2] = static_cast<std::byte>(k_length * 8 >> 8U & 0xFFU);
      (*blocks)[blocks->size() - 1] = static_cast<std::byte>(k_length * 8 & 0xFFU);
    }
  }
  std::byte* a() { return a_.data(); }
  std::byte* b() { return b_.data(); }
  void hash(Digest& of_a, Digest& of_b) const {
    const auto& lanes = Sha256Lanes::best();
    Sha256State state_a = lanes.start();
    Sha256State state_b = lanes.start();
    lanes.compress(state_a, a_.data(), state_b, b_.data(), a_.size() / 64);
    of_a = lanes.digest(state_a);
    of_b = lanes.digest(state_b);
  }

 private:
  static_assert(k_length < 8192, "the length is written with two bytes");
  std::array<std::byte, (k_length + 9 + 63) / 64 * 64> a_{};
  std::array<std::byte, (k_length + 9 + 63) / 64 * 64> b_{};
};

// Two messages of any lengths, each in two parts (the first of at most 64 bytes), hashed together
// as far as the shorter one goes.
struct TwoParts {
  ByteView head;
  ByteView data;
};
void sha256_two(const TwoParts& a, const TwoParts& b, Digest& of_a, Digest& of_b,
                const Sha256Lanes& lanes = Sha256Lanes::best());

}  // namespace sworn::format
