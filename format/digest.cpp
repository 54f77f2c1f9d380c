// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED
#include "format/digest.hpp"

#include "format/constants.hpp"

#include <openssl/sha.h>

#include <algorithm>
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

// The transform reads and writes the chaining value only; setting up the rest of a context would
// cost as much as hashing half a block.
Digest digest_blocks(const unsigned char* blocks, std::size_t n) {
  SHA256_CTX ctx;
  constexpr std::array<SHA_LONG, 8> k_initial{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                              0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::copy(k_initial.begin(), k_initial.end(), ctx.h);
  for (std::size_t i = 0; i < n; ++i) {
    ::SHA256_Transform(&ctx, blocks + 64 * i);
  }
  return from_words(ctx);
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
  if (data.size() > k_short_message) {
    return sha256(data);
  }
  std::array<unsigned char, 128> blocks;
  const std::size_t length = data.size();
  const std::size_t padded = length <= 55 ? 64 : 128;
  if (length > 0) {
    std::memcpy(blocks.data(), data.data(), length);
  }
  std::memset(blocks.data() + length, 0, padded - length);
  pad(blocks.data(), length, padded);
  return digest_blocks(blocks.data(), padded / 64);
}

Digest hash_node(const Digest& left, const Digest& right) {
  std::array<unsigned char, 128> blocks{};
  blocks[0] = k_hash_node;
  std::memcpy(blocks.data() + 1, left.data(), 32);
  std::memcpy(blocks.data() + 33, right.data(), 32);
  pad(blocks.data(), 65, blocks.size());
  return digest_blocks(blocks.data(), 2);
}

}  // namespace sworn::format
