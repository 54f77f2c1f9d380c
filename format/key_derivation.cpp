// SPDX-License-Identifier: Apache-2.0
#include "format/key_derivation.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <limits>
#include <memory>

namespace sworn::format {
namespace {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_PKEY_CTX* ctx) const { ::EVP_PKEY_CTX_free(ctx); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, FreeKey>;
using ContextPtr = std::unique_ptr<EVP_PKEY_CTX, FreeContext>;

constexpr std::size_t k_hash_bytes = 32;

const unsigned char* raw(ByteView data) {
  // HMAC() takes a null key for "the one from before": an empty view must not be null.
  static const unsigned char nothing = 0;
  return data.empty() ? &nothing : reinterpret_cast<const unsigned char*>(data.data());
}
unsigned char* raw_out(std::span<std::byte> data) {
  return reinterpret_cast<unsigned char*>(data.data());
}

}  // namespace

Result<std::array<std::byte, 32>> hmac_sha256(ByteView key, ByteView message) {
  std::array<std::byte, k_hash_bytes> out{};
  unsigned length = 0;
  if (key.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      ::HMAC(::EVP_sha256(), raw(key), static_cast<int>(key.size()), raw(message), message.size(),
             raw_out(out), &length) == nullptr ||
      length != out.size()) {
    return fail(Errc::io, "OpenSSL cannot compute an HMAC");
  }
  return out;
}

Result<void> hkdf_sha256(ByteView input_key, ByteView salt, std::string_view info,
                         std::span<std::byte> out) {
  if (out.size() > 255 * k_hash_bytes) {
    return fail(Errc::bad_usage, "more key material than HKDF can give");
  }
  TRY_ASSIGN(auto extracted, hmac_sha256(salt, input_key));
  std::array<std::byte, k_hash_bytes> block{};
  Bytes message;
  std::size_t done = 0;
  for (unsigned counter = 1; done < out.size(); ++counter) {
    message.clear();
    if (counter > 1) {
      append(message, block);
    }
    append(message, as_bytes(info));
    message.push_back(static_cast<std::byte>(counter));
    auto next = hmac_sha256(extracted, message);
    erase(message);
    if (!next) {
      erase(extracted);
      return tl::make_unexpected(next.error());
    }
    block = *next;
    erase(*next);
    const std::size_t n = std::min(block.size(), out.size() - done);
    std::copy_n(block.begin(), n, out.begin() + static_cast<std::ptrdiff_t>(done));
    done += n;
  }
  erase(extracted);
  erase(block);
  return {};
}

Result<Key> hkdf_sha256(ByteView input_key, ByteView salt, std::string_view info) {
  Key out;
  TRY(hkdf_sha256(input_key, salt, info, out.span()));
  return out;
}

Result<X25519Public> x25519_public(std::span<const std::byte, 32> secret) {
  X25519Public out{};
  std::size_t length = out.size();
  const KeyPtr key(
      ::EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, raw(secret), secret.size()));
  if (!key || ::EVP_PKEY_get_raw_public_key(key.get(), raw_out(out), &length) != 1 ||
      length != out.size()) {
    return fail(Errc::io, "OpenSSL cannot make an X25519 key");
  }
  return out;
}

Result<Key> x25519(std::span<const std::byte, 32> secret, const X25519Public& their_public) {
  const KeyPtr mine(
      ::EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, raw(secret), secret.size()));
  const KeyPtr theirs(::EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, raw(their_public),
                                                    their_public.size()));
  const ContextPtr ctx(mine ? ::EVP_PKEY_CTX_new(mine.get(), nullptr) : nullptr);
  if (!theirs || !ctx || ::EVP_PKEY_derive_init(ctx.get()) != 1 ||
      ::EVP_PKEY_derive_set_peer(ctx.get(), theirs.get()) != 1) {
    return fail(Errc::io, "OpenSSL cannot agree on an X25519 secret");
  }
  Key out;
  std::size_t length = out.view().size();
  const X25519Public zero{};
  // OpenSSL refuses the all-zero result itself; the comparison does not rely on that.
  if (::EVP_PKEY_derive(ctx.get(), raw_out(out.span()), &length) != 1 || length != zero.size() ||
      equal_in_constant_time(out.view(), zero)) {
    return fail(Errc::bad_seal, "an X25519 share of low order");
  }
  return out;
}

bool equal_in_constant_time(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace sworn::format
