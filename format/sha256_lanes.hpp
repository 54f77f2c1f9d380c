// SPDX-License-Identifier: Apache-2.0
// The compression function of SHA-256 (FIPS 180-4, section 6.2), two independent messages at a
// time. Why: the processor's SHA-256 instructions wait for each other inside of one message; the
// waits of one message hold the work of another. Measured on 40-byte events: 1.7 times the hashes
// of one at a time. Chosen at run time; elsewhere the same functions call OpenSSL.
#pragma once

#include "format/session_header.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sworn::format {

// A chaining value in whatever form the chosen implementation likes.
struct alignas(16) Sha256State {
  std::array<std::uint32_t, 8> words{};
};

class Sha256Lanes {
 public:
  // `blocks` times 64 bytes of each message, already padded where it is the end.
  using Compress = void (*)(Sha256State& a, const std::byte* of_a, Sha256State& b,
                            const std::byte* of_b, std::size_t blocks);

  // The fastest that this processor has.
  static const Sha256Lanes& best();
  // OpenSSL, one after the other: what best() is where there are no such instructions.
  static const Sha256Lanes& portable();

  [[nodiscard]] Sha256State start() const { return start_; }
  void compress(Sha256State& a, const std::byte* of_a, Sha256State& b, const std::byte* of_b,
                std::size_t blocks) const {
    compress_(a, of_a, b, of_b, blocks);
  }
  [[nodiscard]] Digest digest(const Sha256State& state) const { return digest_(state); }

 private:
  Sha256Lanes(Sha256State first, Compress step, Digest (*result)(const Sha256State&))
      : start_(first), compress_(step), digest_(result) {}

  Sha256State start_;
  Compress compress_;
  Digest (*digest_)(const Sha256State&);
};

}  // namespace sworn::format
