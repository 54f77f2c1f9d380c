// SPDX-License-Identifier: Apache-2.0
#define OPENSSL_SUPPRESS_DEPRECATED
#include "format/sha256_lanes.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sworn::format {
namespace {

constexpr std::array<std::uint32_t, 8> k_initial{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

Digest big_endian(const std::array<std::uint32_t, 8>& words) {
  Digest out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::uint32_t word = __builtin_bswap32(words[i]);
    std::memcpy(out.data() + 4 * i, &word, 4);
  }
  return out;
}

// --- OpenSSL: the words of the state in their order

void transform(Sha256State& state, const std::byte* data, std::size_t blocks) {
  SHA256_CTX context;
  std::copy(state.words.begin(), state.words.end(), context.h);
  for (std::size_t i = 0; i < blocks; ++i) {
    ::SHA256_Transform(&context, reinterpret_cast<const unsigned char*>(data) + 64 * i);
  }
  std::copy(context.h, context.h + 8, state.words.begin());
}

void compress_by_library(Sha256State& a, const std::byte* of_a, Sha256State& b,
                         const std::byte* of_b, std::size_t blocks) {
  transform(a, of_a, blocks);
  transform(b, of_b, blocks);
}

Digest digest_in_order(const Sha256State& state) {
  return big_endian(state.words);
}

#if defined(__x86_64__)

// --- The SHA extensions: words F E B A, then H G D C, from the lowest up, as SHA256RNDS2 has them

#define SWORN_SHA __attribute__((target("sha,sse4.1,ssse3")))

alignas(16) constexpr std::array<std::uint32_t, 64> k_round{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

struct Lane {
  __m128i abef;
  __m128i cdgh;
  __m128i w[4];  // the last sixteen words of the message schedule
};

SWORN_SHA inline void load_block(Lane& lane, const std::byte* block) {
  const __m128i to_big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  for (int i = 0; i < 4; ++i) {
    lane.w[i] = _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block) + i),
                                 to_big_endian);
  }
}

// Four rounds with w[at], which is then replaced by the words sixteen further.
SWORN_SHA inline void four_rounds(Lane& lane, std::size_t group) {
  const std::size_t at = group % 4;
  const __m128i constants =
      _mm_load_si128(reinterpret_cast<const __m128i*>(k_round.data() + 4 * group));
  const __m128i with_constants = _mm_add_epi32(lane.w[at], constants);
  lane.cdgh = _mm_sha256rnds2_epu32(lane.cdgh, lane.abef, with_constants);
  lane.abef = _mm_sha256rnds2_epu32(lane.abef, lane.cdgh, _mm_shuffle_epi32(with_constants, 0x0E));
  if (group < 12) {
    const __m128i last = lane.w[(at + 3) % 4];
    __m128i next = _mm_sha256msg1_epu32(lane.w[at], lane.w[(at + 1) % 4]);
    next = _mm_add_epi32(next, _mm_alignr_epi8(last, lane.w[(at + 2) % 4], 4));
    lane.w[at] = _mm_sha256msg2_epu32(next, last);
  }
}

SWORN_SHA void compress_by_instruction(Sha256State& state_a, const std::byte* of_a,
                                       Sha256State& state_b, const std::byte* of_b,
                                       std::size_t blocks) {
  auto* const kept_a = reinterpret_cast<__m128i*>(state_a.words.data());
  auto* const kept_b = reinterpret_cast<__m128i*>(state_b.words.data());
  Lane a{_mm_load_si128(kept_a), _mm_load_si128(kept_a + 1), {}};
  Lane b{_mm_load_si128(kept_b), _mm_load_si128(kept_b + 1), {}};
  for (std::size_t i = 0; i < blocks; ++i) {
    const Lane before_a = a;
    const Lane before_b = b;
    load_block(a, of_a + 64 * i);
    load_block(b, of_b + 64 * i);
#pragma GCC unroll 16
    for (std::size_t group = 0; group < 16; ++group) {
      four_rounds(a, group);
      four_rounds(b, group);
    }
    a.abef = _mm_add_epi32(a.abef, before_a.abef);
    a.cdgh = _mm_add_epi32(a.cdgh, before_a.cdgh);
    b.abef = _mm_add_epi32(b.abef, before_b.abef);
    b.cdgh = _mm_add_epi32(b.cdgh, before_b.cdgh);
  }
  _mm_store_si128(kept_a, a.abef);
  _mm_store_si128(kept_a + 1, a.cdgh);
  _mm_store_si128(kept_b, b.abef);
  _mm_store_si128(kept_b + 1, b.cdgh);
}

Sha256State febahgdc(const std::array<std::uint32_t, 8>& w) {
  return {{w[5], w[4], w[1], w[0], w[7], w[6], w[3], w[2]}};
}

Digest digest_of_febahgdc(const Sha256State& state) {
  const auto& s = state.words;
  return big_endian({s[3], s[2], s[7], s[6], s[1], s[0], s[5], s[4]});
}

bool has_instructions() {
  return __builtin_cpu_supports("sse4.1") != 0 && __builtin_cpu_supports("ssse3") != 0 && [] {
    // GCC 12 has no name for this one: CPUID leaf 7, EBX bit 29.
    unsigned a = 7;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (b & (1U << 29U)) != 0;
  }();
}

#endif

}  // namespace

const Sha256Lanes& Sha256Lanes::portable() {
  static const Sha256Lanes k_lanes(Sha256State{k_initial}, compress_by_library, digest_in_order);
  return k_lanes;
}

const Sha256Lanes& Sha256Lanes::best() {
#if defined(__x86_64__)
  static const Sha256Lanes k_lanes =
      has_instructions()
          ? Sha256Lanes(febahgdc(k_initial), compress_by_instruction, digest_of_febahgdc)
          : portable();
  return k_lanes;
#else
  return portable();
#endif
}

}  // namespace sworn::format
