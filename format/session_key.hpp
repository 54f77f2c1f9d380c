// SPDX-License-Identifier: Apache-2.0
// The keys of an encrypted session, all derived from one session key by HKDF-SHA-256 with the file
// id as salt. Chunks: AES-256-GCM, one key for 64 chunks, then a one-way step, so that who takes
// the recorder's memory cannot read what was recorded before. Tail: the same, one key for each
// generation of a half. The writers' sides go forward only and refuse a (key, nonce) pair that was
// used. docs/format.md, "Encryption".
#pragma once

#include "format/aead.hpp"
#include "format/constants.hpp"
#include "format/key_derivation.hpp"
#include "format/session_header.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace sworn::format {

// Public; tells a right key from a wrong one, and nothing else about it.
Result<Digest> commitment_of(const FileId& id, const Key& session_key);

struct PayloadKey {
  Key key;
  AeadNonce base{};
};

// Seals the chunks of one file in the order of their numbers.
class PayloadSealer {
 public:
  static Result<PayloadSealer> create(const FileId& id, Key session_key);
  // Appends ciphertext and tag. Errc::bad_usage for a number that is not above the last one.
  Result<void> seal(std::uint32_t chunk_no, ByteView associated, ByteView plaintext, Bytes& out);

 private:
  PayloadSealer(const FileId& id, Key key) : id_(id), segment_key_(std::move(key)) {}

  FileId id_;
  Key segment_key_;  // earlier ones are erased
  PayloadKey current_;
  std::uint32_t segment_ = 0;
  std::uint64_t next_chunk_ = 0;
};

// Opens them in any order.
class PayloadOpener {
 public:
  static Result<PayloadOpener> create(const FileId& id, Key session_key);
  // Appends the plaintext; Errc::bad_seal where it does not open.
  Result<void> open(std::uint32_t chunk_no, ByteView associated, ByteView sealed, Bytes& out);

 private:
  explicit PayloadOpener(const FileId& id) : id_(id) {}
  Result<void> select(std::uint32_t segment);

  FileId id_;
  std::vector<Key> milestones_;  // keys of segments 0, 64, 128, ...
  std::optional<std::uint32_t> segment_;
  PayloadKey current_;
};

// --- tail
inline constexpr std::size_t k_tail_sealed_head_bytes = 17;  // t, at, kind, before the data
inline constexpr std::size_t k_tail_sealed_extra_bytes =
    k_tail_sealed_head_bytes + k_aead_tag_bytes;
// What a reader derives before it calls the number a lie (3 us each).
inline constexpr std::uint64_t k_max_tail_generations = 1U << 20U;

class TailKey {
 public:
  static Result<TailKey> create(const FileId& id, const Key& session_key);
  // Forward only; Errc::bad_usage for an earlier generation (its key is erased), corrupt beyond the
  // limit.
  Result<void> advance(std::uint64_t generation);
  [[nodiscard]] std::uint64_t generation() const { return generation_; }

  // `out`: plaintext.size() + k_aead_tag_bytes. Numbers must go up within a generation.
  Result<void> seal(std::uint64_t number, ByteView plaintext, std::span<std::byte> out);
  Result<void> open(std::uint64_t number, ByteView sealed, Bytes& out) const;
  [[nodiscard]] TailKey copy() const;

 private:
  TailKey(const FileId& id, Key key) : id_(id), key_(std::move(key)) {}

  FileId id_;
  Key key_;
  std::uint64_t generation_ = 1;
  std::uint64_t next_number_ = 0;
};

}  // namespace sworn::format
