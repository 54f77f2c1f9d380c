// SPDX-License-Identifier: Apache-2.0
#include "format/aead.hpp"

#include "format/sign.hpp"

#include <openssl/evp.h>

#include <limits>
#include <memory>

namespace sworn::format {
namespace {

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* ctx) const { ::EVP_CIPHER_CTX_free(ctx); }
};
using ContextPtr = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

constexpr std::size_t k_max_bytes = static_cast<std::size_t>(std::numeric_limits<int>::max()) - 64;

const EVP_CIPHER* algorithm(AeadCipher cipher) {
  return cipher == AeadCipher::aes_256_gcm ? ::EVP_aes_256_gcm() : ::EVP_chacha20_poly1305();
}
const unsigned char* raw(ByteView data) {
  return reinterpret_cast<const unsigned char*>(data.data());
}
unsigned char* raw(std::byte* data) {
  return reinterpret_cast<unsigned char*>(data);
}
int length_of(ByteView data) {
  return static_cast<int>(data.size());
}

}  // namespace

Result<void> aead_seal_into(AeadCipher cipher, std::span<const std::byte, 32> key,
                            const AeadNonce& nonce, ByteView associated, ByteView plaintext,
                            std::span<std::byte> out) {
  if (plaintext.size() > k_max_bytes || associated.size() > k_max_bytes ||
      out.size() != plaintext.size() + k_aead_tag_bytes) {
    return fail(Errc::bad_usage, "too much data for one sealing");
  }
  const ContextPtr ctx(::EVP_CIPHER_CTX_new());
  int n = 0;
  const bool sealed =
      ctx &&
      ::EVP_EncryptInit_ex(ctx.get(), algorithm(cipher), nullptr, raw(key), raw(nonce)) == 1 &&
      (associated.empty() ||
       ::EVP_EncryptUpdate(ctx.get(), nullptr, &n, raw(associated), length_of(associated)) == 1) &&
      (plaintext.empty() || ::EVP_EncryptUpdate(ctx.get(), raw(out.data()), &n, raw(plaintext),
                                                length_of(plaintext)) == 1) &&
      ::EVP_EncryptFinal_ex(ctx.get(), raw(out.data() + plaintext.size()), &n) == 1 &&
      ::EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_GET_TAG, k_aead_tag_bytes,
                            out.data() + plaintext.size()) == 1;
  if (!sealed) {
    return fail(Errc::io, "OpenSSL cannot encrypt");
  }
  return {};
}

Result<void> aead_seal(AeadCipher cipher, std::span<const std::byte, 32> key,
                       const AeadNonce& nonce, ByteView associated, ByteView plaintext,
                       Bytes& out) {
  const std::size_t start = out.size();
  out.resize(start + plaintext.size() + k_aead_tag_bytes);
  auto sealed =
      aead_seal_into(cipher, key, nonce, associated, plaintext, std::span(out).subspan(start));
  if (!sealed) {
    out.resize(start);
  }
  return sealed;
}

Result<void> aead_open(AeadCipher cipher, std::span<const std::byte, 32> key,
                       const AeadNonce& nonce, ByteView associated, ByteView sealed, Bytes& out) {
  if (sealed.size() < k_aead_tag_bytes) {
    return fail(Errc::bad_seal, "encrypted data without a whole tag");
  }
  if (sealed.size() > k_max_bytes || associated.size() > k_max_bytes) {
    return fail(Errc::bad_usage, "too much data for one opening");
  }
  const ByteView body = sealed.first(sealed.size() - k_aead_tag_bytes);
  std::array<std::byte, k_aead_tag_bytes> tag{};
  std::copy(sealed.end() - k_aead_tag_bytes, sealed.end(), tag.begin());
  const std::size_t start = out.size();
  // One byte more, so that there is an address for Final even where nothing is encrypted.
  out.resize(start + body.size() + 1);
  const ContextPtr ctx(::EVP_CIPHER_CTX_new());
  int n = 0;
  const bool opened =
      ctx &&
      ::EVP_DecryptInit_ex(ctx.get(), algorithm(cipher), nullptr, raw(key), raw(nonce)) == 1 &&
      (associated.empty() ||
       ::EVP_DecryptUpdate(ctx.get(), nullptr, &n, raw(associated), length_of(associated)) == 1) &&
      (body.empty() || ::EVP_DecryptUpdate(ctx.get(), raw(out.data() + start), &n, raw(body),
                                           length_of(body)) == 1) &&
      ::EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_AEAD_SET_TAG, k_aead_tag_bytes, tag.data()) == 1 &&
      ::EVP_DecryptFinal_ex(ctx.get(), raw(out.data() + start + body.size()), &n) == 1;
  if (!opened) {
    erase(std::span(out).subspan(start));  // what did not authenticate is not shown to anybody
    out.resize(start);
    return fail(Errc::bad_seal, "encrypted data that its tag does not cover");
  }
  out.resize(start + body.size());
  return {};
}

}  // namespace sworn::format
