// SPDX-License-Identifier: Apache-2.0
#include "format/session_key.hpp"

#include "base/byte_writer.hpp"
#include "format/sign.hpp"

namespace sworn::format {
namespace {

constexpr std::uint32_t k_milestone_segments = 64;
// 67 million chunks; deriving that many keys takes seconds, and hostile bytes may claim any number.
constexpr std::uint32_t k_max_segments = 1U << 20U;

Result<Key> derive(const FileId& id, const Key& from, std::string_view info) {
  return hkdf_sha256(from.view(), id, info);
}

Result<PayloadKey> payload_key(const FileId& id, const Key& segment_key) {
  Secret<32 + sizeof(AeadNonce)> both;
  TRY(hkdf_sha256(segment_key.view(), id, k_info_chunk, both.span()));
  PayloadKey out;
  out.key = Key::copy_of(ByteView(both.view()).first(32));
  const auto base = ByteView(both.view()).subspan(32);
  std::copy(base.begin(), base.end(), out.base.begin());
  return out;
}

AeadNonce chunk_nonce(const AeadNonce& base, std::uint32_t chunk_no) {
  AeadNonce nonce = base;
  for (std::size_t i = 0; i < 4; ++i) {
    nonce[8 + i] ^= static_cast<std::byte>(chunk_no >> (8 * i));
  }
  return nonce;
}

AeadNonce tail_nonce(std::uint64_t number) {
  AeadNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) {
    nonce[4 + i] = static_cast<std::byte>(number >> (8 * i));
  }
  return nonce;
}

std::array<std::byte, 32> tail_associated(const FileId& id, std::uint64_t generation,
                                          std::uint64_t number) {
  Bytes bytes;
  ByteWriter(bytes).bytes(id).u64(generation).u64(number);
  std::array<std::byte, 32> out{};
  std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

}  // namespace

Result<Digest> commitment_of(const FileId& id, const Key& session_key) {
  TRY_ASSIGN(const auto key, derive(id, session_key, k_info_commitment));
  Digest out{};
  std::copy(key.view().begin(), key.view().end(), out.begin());
  return out;
}

Result<PayloadSealer> PayloadSealer::create(const FileId& id, Key session_key) {
  PayloadSealer out(id, std::move(session_key));
  TRY_ASSIGN(out.current_, payload_key(id, out.segment_key_));
  return out;
}

Result<void> PayloadSealer::seal(std::uint32_t chunk_no, ByteView associated, ByteView plaintext,
                                 Bytes& out) {
  if (chunk_no < next_chunk_) {
    return fail(Errc::bad_usage, "a chunk number that was sealed before");
  }
  if (chunk_no / k_segment_chunks != segment_) {
    for (; segment_ < chunk_no / k_segment_chunks; ++segment_) {
      TRY_ASSIGN(segment_key_, derive(id_, segment_key_, k_info_ratchet));
    }
    TRY_ASSIGN(current_, payload_key(id_, segment_key_));
  }
  next_chunk_ = std::uint64_t{chunk_no} + 1;
  return aead_seal(AeadCipher::aes_256_gcm, current_.key.view(),
                   chunk_nonce(current_.base, chunk_no), associated, plaintext, out);
}

Result<PayloadOpener> PayloadOpener::create(const FileId& id, Key session_key) {
  PayloadOpener out(id);
  out.milestones_.push_back(std::move(session_key));
  return out;
}

Result<void> PayloadOpener::select(std::uint32_t segment) {
  if (segment_ == segment) {
    return {};
  }
  if (segment >= k_max_segments) {
    return fail(Errc::corrupt, "an impossible chunk number");
  }
  segment_.reset();
  const std::size_t wanted = segment / k_milestone_segments;
  while (milestones_.size() <= wanted) {
    TRY_ASSIGN(auto key, derive(id_, milestones_.back(), k_info_ratchet));
    for (std::uint32_t i = 1; i < k_milestone_segments; ++i) {
      TRY_ASSIGN(key, derive(id_, key, k_info_ratchet));
    }
    milestones_.push_back(std::move(key));
  }
  Key key = Key::copy_of(milestones_[wanted].view());
  for (std::uint32_t i = 0; i < segment % k_milestone_segments; ++i) {
    TRY_ASSIGN(key, derive(id_, key, k_info_ratchet));
  }
  TRY_ASSIGN(current_, payload_key(id_, key));
  segment_ = segment;
  return {};
}

Result<void> PayloadOpener::open(std::uint32_t chunk_no, ByteView associated, ByteView sealed,
                                 Bytes& out) {
  TRY(select(chunk_no / k_segment_chunks));
  return aead_open(AeadCipher::aes_256_gcm, current_.key.view(),
                   chunk_nonce(current_.base, chunk_no), associated, sealed, out);
}

Result<TailKey> TailKey::create(const FileId& id, const Key& session_key) {
  TRY_ASSIGN(auto key, derive(id, session_key, k_info_tail));
  return TailKey(id, std::move(key));
}

TailKey TailKey::copy() const {
  TailKey out(id_, Key::copy_of(key_.view()));
  out.generation_ = generation_;
  out.next_number_ = next_number_;
  return out;
}

Result<void> TailKey::advance(std::uint64_t generation) {
  if (generation < generation_) {
    return fail(Errc::bad_usage, "a generation of the tail whose key is gone");
  }
  if (generation - generation_ > k_max_tail_generations) {
    return fail(Errc::corrupt, "an impossible generation of the tail");
  }
  for (; generation_ < generation; ++generation_) {
    TRY_ASSIGN(key_, derive(id_, key_, k_info_tail_ratchet));
  }
  return {};
}

Result<void> TailKey::seal(std::uint64_t number, ByteView plaintext, std::span<std::byte> out) {
  if (number < next_number_) {
    return fail(Errc::bad_usage, "an event number that was sealed before");
  }
  next_number_ = number + 1;
  return aead_seal_into(AeadCipher::aes_256_gcm, key_.view(), tail_nonce(number),
                        tail_associated(id_, generation_, number), plaintext, out);
}

Result<void> TailKey::open(std::uint64_t number, ByteView sealed, Bytes& out) const {
  return aead_open(AeadCipher::aes_256_gcm, key_.view(), tail_nonce(number),
                   tail_associated(id_, generation_, number), sealed, out);
}

}  // namespace sworn::format
