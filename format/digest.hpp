// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4). The low-level OpenSSL calls on purpose: hashing events is the main cost of
// 40-byte writes, and the EVP interface costs more than the one block that most of our messages
// are.
#pragma once

#include "base/bytes.hpp"
#include "format/session_header.hpp"

#include <span>

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

}  // namespace sworn::format
