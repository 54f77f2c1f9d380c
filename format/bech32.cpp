// SPDX-License-Identifier: Apache-2.0
#include "format/bech32.hpp"

#include "base/scope_exit.hpp"
#include "format/sign.hpp"

#include <array>
#include <cstdint>
#include <span>

namespace sworn::format {
namespace {

constexpr std::string_view k_alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
constexpr std::size_t k_checksum_chars = 6;
constexpr std::size_t k_max_chars = 4096;

using Fives = std::vector<std::uint8_t>;

std::uint32_t polymod(std::string_view prefix, std::span<const std::uint8_t> values) {
  constexpr std::array<std::uint32_t, 5> k_generator{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                                     0x2a1462b3};
  std::uint32_t sum = 1;
  const auto step = [&](std::uint32_t value) {
    const std::uint32_t top = sum >> 25U;
    sum = (sum & 0x1FFFFFFU) << 5U ^ value;
    for (std::size_t i = 0; i < k_generator.size(); ++i) {
      sum ^= (top >> i & 1U) != 0 ? k_generator[i] : 0U;
    }
  };
  for (const char c : prefix) {
    step(static_cast<unsigned char>(c) >> 5U);
  }
  step(0);
  for (const char c : prefix) {
    step(static_cast<unsigned char>(c) & 0x1FU);
  }
  for (const auto value : values) {
    step(value);
  }
  return sum;
}

Result<Bytes> to_eights(std::span<const std::uint8_t> values) {
  Bytes out;
  out.reserve(values.size());
  std::uint32_t bits = 0;
  unsigned n_bits = 0;
  for (const auto value : values) {
    bits = (bits << 5U | value) & 0xFFFU;
    n_bits += 5;
    if (n_bits >= 8) {
      n_bits -= 8;
      out.push_back(static_cast<std::byte>(bits >> n_bits & 0xFFU));
    }
  }
  if (n_bits >= 5 || (bits & ((1U << n_bits) - 1)) != 0) {
    return fail(Errc::corrupt, "a key text with wrong padding");
  }
  return out;
}

Fives to_fives(ByteView data) {
  Fives out;
  std::uint32_t bits = 0;
  unsigned n_bits = 0;
  for (const auto byte : data) {
    bits = (bits << 8U | std::to_integer<std::uint32_t>(byte)) & 0xFFFU;
    n_bits += 8;
    while (n_bits >= 5) {
      n_bits -= 5;
      out.push_back(static_cast<std::uint8_t>(bits >> n_bits & 0x1FU));
    }
  }
  if (n_bits > 0) {
    out.push_back(static_cast<std::uint8_t>(bits << (5 - n_bits) & 0x1FU));
  }
  return out;
}

}  // namespace

std::string bech32(std::string_view lower_case_prefix, ByteView data) {
  Fives values = to_fives(data);
  Fives padded = values;
  padded.resize(values.size() + k_checksum_chars);
  const std::uint32_t sum = polymod(lower_case_prefix, padded) ^ 1U;
  std::string out(lower_case_prefix);
  out += '1';
  for (const auto value : values) {
    out += k_alphabet[value];
  }
  for (std::size_t i = 0; i < k_checksum_chars; ++i) {
    out += k_alphabet[sum >> (5 * (5 - i)) & 0x1FU];
  }
  return out;
}

Result<Bech32> from_bech32(std::string_view text) {
  if (text.size() > k_max_chars) {
    return fail(Errc::corrupt, "a key text that is too long");
  }
  Bech32 out;
  bool lower = false;
  // It may be a secret key: no copy is left behind, neither here nor by a growing buffer.
  std::string folded;
  folded.reserve(text.size());
  Fives values;
  values.reserve(text.size());
  const ScopeExit cleanse([&] {
    erase(std::as_writable_bytes(std::span(folded)));
    erase(std::as_writable_bytes(std::span(values)));
  });
  for (const char c : text) {
    if (c < 33 || c > 126) {
      return fail(Errc::corrupt, "a key text with a foreign character");
    }
    const bool is_upper = c >= 'A' && c <= 'Z';
    out.upper_case |= is_upper;
    lower |= c >= 'a' && c <= 'z';
    folded += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
  }
  if (lower && out.upper_case) {
    return fail(Errc::corrupt, "a key text in mixed case");
  }
  const auto split = folded.rfind('1');
  if (split == std::string::npos || split == 0 || folded.size() - split - 1 < k_checksum_chars) {
    return fail(Errc::corrupt, "not a key text");
  }
  out.prefix = folded.substr(0, split);
  for (const char c : std::string_view(folded).substr(split + 1)) {
    const auto value = k_alphabet.find(c);
    if (value == std::string_view::npos) {
      return fail(Errc::corrupt, "a key text with a foreign character");
    }
    values.push_back(static_cast<std::uint8_t>(value));
  }
  if (polymod(out.prefix, values) != 1) {
    return fail(Errc::corrupt, "a key text whose checksum does not hold");
  }
  TRY_ASSIGN(out.data, to_eights(std::span(values).first(values.size() - k_checksum_chars)));
  return out;
}

}  // namespace sworn::format
