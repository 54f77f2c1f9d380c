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

// `block` holds the last `used` bytes of a message of `length` bytes and zeros behind them.
void pad(unsigned char* block, std::size_t used, std::size_t length, std::size_t block_bytes) {
  block[used] = 0x80;
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

// The blocks of a message in two parts: the first and the last ones are put together here, those
// between lie in the data as they are.
class Blocks {
 public:
  explicit Blocks(const TwoParts& message) : data_(message.data), head_bytes_(message.head.size()) {
    const std::size_t length = head_bytes_ + data_.size();
    count_ = (length + 9 + 63) / 64;
    const std::size_t begins = std::min(data_.size(), first_.size() - head_bytes_);
    put(first_.data(), message.head);
    put(first_.data() + head_bytes_, data_.first(begins));
    whole_ = length / 64;  // blocks without padding
    auto* end = last_.data();
    const std::size_t rest = length % 64;
    if (whole_ == 0) {
      put(end, ByteView(first_).first(length));
    } else {
      put(end, data_.last(rest));
    }
    std::memset(end + rest, 0, last_.size() - rest);
    pad(reinterpret_cast<unsigned char*>(end), rest, length, (count_ - whole_) * 64);
  }
  Blocks(const Blocks&) = delete;
  Blocks& operator=(const Blocks&) = delete;

  [[nodiscard]] std::size_t count() const { return count_; }
  struct Run {
    const std::byte* at = nullptr;
    std::size_t blocks = 0;
  };
  // Blocks from `i` on that lie together.
  [[nodiscard]] Run run(std::size_t i) const {
    if (i >= whole_) {
      return {last_.data() + 64 * (i - whole_), count_ - i};
    }
    if (i == 0) {
      return {first_.data(), 1};
    }
    return {data_.data() + 64 * i - head_bytes_, whole_ - i};
  }

 private:
  static void put(std::byte* place, ByteView bytes) {
    if (!bytes.empty()) {
      std::memcpy(place, bytes.data(), bytes.size());
    }
  }

  ByteView data_;
  std::size_t head_bytes_;
  std::size_t count_ = 0;
  std::size_t whole_ = 0;
  std::array<std::byte, 64> first_;
  std::array<std::byte, 128> last_;
};

// One or two blocks in one place: what most messages are, and four times cheaper than Blocks.
struct ShortMessage {
  explicit ShortMessage(const TwoParts& message) {
    const std::size_t length = message.head.size() + message.data.size();
    count = length <= 55 ? 1 : 2;
    if (!message.head.empty()) {
      std::memcpy(bytes.data(), message.head.data(), message.head.size());
    }
    if (!message.data.empty()) {
      std::memcpy(bytes.data() + message.head.size(), message.data.data(), message.data.size());
    }
    std::memset(bytes.data() + length, 0, 64 * count - length);
    pad(reinterpret_cast<unsigned char*>(bytes.data()), length, length, 64 * count);
  }
  std::size_t count;
  std::array<std::byte, 128> bytes;
};

bool is_short(const TwoParts& message) {
  return message.head.size() + message.data.size() <= k_short_message;
}

}  // namespace

void sha256_two(const TwoParts& a, const TwoParts& b, Digest& of_a, Digest& of_b,
                const Sha256Lanes& lanes) {
  if (is_short(a) && is_short(b)) {
    const ShortMessage short_a(a);
    const ShortMessage short_b(b);
    if (short_a.count == short_b.count) {
      Sha256State state_a = lanes.start();
      Sha256State state_b = lanes.start();
      lanes.compress(state_a, short_a.bytes.data(), state_b, short_b.bytes.data(), short_a.count);
      of_a = lanes.digest(state_a);
      of_b = lanes.digest(state_b);
      return;
    }
  }
  const Blocks blocks_a(a);
  const Blocks blocks_b(b);
  Sha256State state_a = lanes.start();
  Sha256State state_b = lanes.start();
  Sha256State unused = lanes.start();
  std::size_t done_a = 0;
  std::size_t done_b = 0;
  while (done_a < blocks_a.count() || done_b < blocks_b.count()) {
    const auto run_a = done_a < blocks_a.count() ? blocks_a.run(done_a) : Blocks::Run{};
    const auto run_b = done_b < blocks_b.count() ? blocks_b.run(done_b) : Blocks::Run{};
    if (run_a.blocks == 0) {
      lanes.compress(unused, run_b.at, state_b, run_b.at, run_b.blocks);
      done_b += run_b.blocks;
    } else if (run_b.blocks == 0) {
      lanes.compress(state_a, run_a.at, unused, run_a.at, run_a.blocks);
      done_a += run_a.blocks;
    } else {
      const std::size_t both = std::min(run_a.blocks, run_b.blocks);
      lanes.compress(state_a, run_a.at, state_b, run_b.at, both);
      done_a += both;
      done_b += both;
    }
  }
  of_a = lanes.digest(state_a);
  of_b = lanes.digest(state_b);
}

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
  pad(blocks.data(), length, length, padded);
  return digest_blocks(blocks.data(), padded / 64);
}

Digest hash_node(const Digest& left, const Digest& right) {
  std::array<unsigned char, 128> blocks{};
  blocks[0] = k_hash_node;
  std::memcpy(blocks.data() + 1, left.data(), 32);
  std::memcpy(blocks.data() + 33, right.data(), 32);
  pad(blocks.data(), 65, 65, blocks.size());
  return digest_blocks(blocks.data(), 2);
}

}  // namespace sworn::format
