// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED
#include "format/digest.hpp"

#include "format/constants.hpp"

#include <openssl/sha.h>

#include <cstring>

namespace sworn::format {
namespace {

static_assert(sizeof(SHA256_CTX) <= 128);

SHA256_CTX* context(std::array<std::byte, 128>& state) {
  return reinterpret_cast<SHA256_CTX*>(state.data());
}

Digest from_words(const SHA256_CTX& ctx) {
  Digest out;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint32_t big_endian = __builtin_bswap32(static_cast<std::uint32_t>(ctx.h[i]));
    std::memcpy(out.data() + 4 * i, &big_endian, 4);
  }
  return out;
}

// `block` holds the message in its first `length` bytes and zeros behind it.
void pad(unsigned char* block, std::size_t length, std::size_t block_bytes) {
  block[length] = 0x80;
  const std::uint64_t bits = __builtin_bswap64(static_cast<std::uint64_t>(length) * 8);
  std::memcpy(block + block_bytes - 8, &bits, 8);
}

}  // namespace

Digest sha256(ByteView data) {
  Digest out;
  ::SHA256(reinterpret_cast<const unsigned char*>(data.data()), data.size(),
           reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

Sha256::Sha256() {
  ::SHA256_Init(context(state_));
}

Sha256& Sha256::update(ByteView data) {
  ::SHA256_Update(context(state_), data.data(), data.size());
  return *this;
}

Digest Sha256::finish() {
  Digest out;
  ::SHA256_Final(reinterpret_cast<unsigned char*>(out.data()), context(state_));
  return out;
}

Digest sha256_short(ByteView data) {
  if (data.size() > 55) {
    return sha256(data);
  }
  std::array<unsigned char, 64> block{};
  if (!data.empty()) {
    std::memcpy(block.data(), data.data(), data.size());
  }
  pad(block.data(), data.size(), block.size());
  SHA256_CTX ctx;
  ::SHA256_Init(&ctx);
  ::SHA256_Transform(&ctx, block.data());
  return from_words(ctx);
}

Digest hash_node(const Digest& left, const Digest& right) {
  std::array<unsigned char, 128> blocks{};
  blocks[0] = k_hash_node;
  std::memcpy(blocks.data() + 1, left.data(), 32);
  std::memcpy(blocks.data() + 33, right.data(), 32);
  pad(blocks.data(), 65, blocks.size());
  SHA256_CTX ctx;
  ::SHA256_Init(&ctx);
  ::SHA256_Transform(&ctx, blocks.data());
  ::SHA256_Transform(&ctx, blocks.data() + 64);
  return from_words(ctx);
}

}  // namespace sworn::format
