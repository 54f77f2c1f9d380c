// SPDX-License-Identifier: Apache-2.0
// Ed25519 (RFC 8032), pure mode, through OpenSSL. A SigningKey signs once by convention of the seal
// chain; its destructor erases the secret (OpenSSL keeps it in the secure heap where
// init_secure_heap() ran). One thread at a time.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "format/session_header.hpp"

#include <array>
#include <memory>
#include <span>

namespace sworn::format {

using Signature = std::array<std::byte, 64>;

class SigningKey {
 public:
  // `seed` is the RFC 8032 private key; the caller erases its copy (erase()).
  static Result<SigningKey> from_seed(std::span<const std::byte, 32> seed);
  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey();

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  [[nodiscard]] Result<Signature> sign(ByteView message) const;

 private:
  struct Impl;
  SigningKey();
  std::unique_ptr<Impl> impl_;
  PublicKey public_key_{};
};

bool verify_signature(const PublicKey& key, ByteView message, const Signature& signature);

// Overwrites secrets in a way that the compiler may not leave out.
void erase(std::span<std::byte> secret);

// Locked, non-dumpable memory for private keys; call once, early, before threads. Harmless if it
// fails (RLIMIT_MEMLOCK): false then, and the recorder says so in its header.
bool init_secure_heap();

}  // namespace sworn::format
