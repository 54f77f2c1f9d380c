// SPDX-License-Identifier: Apache-2.0
#include "format/sign.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace sworn::format {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* ctx) const { ::EVP_MD_CTX_free(ctx); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;
using ContextPtr = std::unique_ptr<EVP_MD_CTX, FreeContext>;

const unsigned char* raw(ByteView data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}

}  // namespace

struct SigningKey::Impl {
  KeyPtr key;
  ContextPtr ready;  // for the first signature, set up in advance: a good part of its cost
};

namespace {

ContextPtr signing_context(EVP_PKEY* key) {
  ContextPtr out(::EVP_MD_CTX_new());
  return out && ::EVP_DigestSignInit(out.get(), nullptr, nullptr, nullptr, key) == 1
             ? std::move(out)
             : nullptr;
}

}  // namespace

SigningKey::SigningKey() : impl_(std::make_unique<Impl>()) {}
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;
SigningKey::~SigningKey() = default;

Result<SigningKey> SigningKey::from_seed(std::span<const std::byte, 32> seed) {
  SigningKey out;
  out.impl_->key.reset(
      ::EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size()));
  std::size_t length = out.public_key_.size();
  if (!out.impl_->key ||
      ::EVP_PKEY_get_raw_public_key(out.impl_->key.get(),
                                    reinterpret_cast<unsigned char*>(out.public_key_.data()),
                                    &length) != 1) {
    return fail(Errc::io, "OpenSSL cannot make an Ed25519 key");
  }
  out.impl_->ready = signing_context(out.impl_->key.get());
  return out;
}

Result<Signature> SigningKey::sign(ByteView message) const {
  Signature signature{};
  std::size_t length = signature.size();
  ContextPtr ctx = std::move(impl_->ready);
  if (!ctx) {
    ctx = signing_context(impl_->key.get());
  }
  if (!ctx ||
      ::EVP_DigestSign(ctx.get(), reinterpret_cast<unsigned char*>(signature.data()), &length,
                       raw(message), message.size()) != 1 ||
      length != signature.size()) {
    return fail(Errc::io, "OpenSSL cannot sign");
  }
  return signature;
}

bool verify_signature(const PublicKey& key, ByteView message, const Signature& signature) {
  const KeyPtr pkey(::EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(key), key.size()));
  const ContextPtr ctx(::EVP_MD_CTX_new());
  return pkey && ctx &&
         ::EVP_DigestVerifyInit(ctx.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         ::EVP_DigestVerify(ctx.get(), raw(signature), signature.size(), raw(message),
                            message.size()) == 1;
}

void erase(std::span<std::byte> secret) {
  ::OPENSSL_cleanse(secret.data(), secret.size());
}

bool init_secure_heap() {
  return ::CRYPTO_secure_malloc_initialized() == 1 || ::CRYPTO_secure_malloc_init(32'768, 32) == 1;
}

}  // namespace sworn::format
