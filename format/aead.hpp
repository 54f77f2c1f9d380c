// SPDX-License-Identifier: Apache-2.0
// Authenticated encryption (RFC 5116 interface): ChaCha20-Poly1305 (RFC 8439) for key boxes,
// AES-256-GCM for session payloads. The caller owns the rule that a (key, nonce) pair seals once.
// The tag stands behind the ciphertext.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace sworn::format {

enum class AeadCipher : std::uint8_t { chacha20_poly1305, aes_256_gcm };

inline constexpr std::size_t k_aead_tag_bytes = 16;
using AeadNonce = std::array<std::byte, 12>;

// Appends ciphertext and tag to `out`.
Result<void> aead_seal(AeadCipher cipher, std::span<const std::byte, 32> key,
                       const AeadNonce& nonce, ByteView associated, ByteView plaintext, Bytes& out);

// Ciphertext and tag into `out`, which has exactly plaintext.size() + k_aead_tag_bytes bytes and
// does not overlap the plaintext.
Result<void> aead_seal_into(AeadCipher cipher, std::span<const std::byte, 32> key,
                            const AeadNonce& nonce, ByteView associated, ByteView plaintext,
                            std::span<std::byte> out);

// Appends the plaintext to `out`; Errc::bad_seal where the tag does not hold, and then nothing is
// appended.
Result<void> aead_open(AeadCipher cipher, std::span<const std::byte, 32> key,
                       const AeadNonce& nonce, ByteView associated, ByteView sealed, Bytes& out);

}  // namespace sworn::format
