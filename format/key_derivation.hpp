// SPDX-License-Identifier: Apache-2.0
// The key agreement and key derivation that key boxes and encrypted sessions stand on: HMAC-SHA-256
// (RFC 2104), HKDF-SHA-256 (RFC 5869), X25519 (RFC 7748), through OpenSSL. Pure functions; the only
// failures are OpenSSL's own and the refused all-zero secret.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "format/secret.hpp"

#include <array>
#include <span>
#include <string_view>

namespace sworn::format {

using Key = Secret<32>;
using X25519Public = std::array<std::byte, 32>;

Result<std::array<std::byte, 32>> hmac_sha256(ByteView key, ByteView message);

// Extract, then expand to 32 bytes.
Result<Key> hkdf_sha256(ByteView input_key, ByteView salt, std::string_view info);
// Any length up to 255 * 32 bytes.
Result<void> hkdf_sha256(ByteView input_key, ByteView salt, std::string_view info,
                         std::span<std::byte> out);

Result<X25519Public> x25519_public(std::span<const std::byte, 32> secret);
// Errc::bad_seal where the result would be all zero (a low-order share).
Result<Key> x25519(std::span<const std::byte, 32> secret, const X25519Public& their_public);

// In a time that does not depend on where they differ.
bool equal_in_constant_time(ByteView a, ByteView b);

}  // namespace sworn::format
