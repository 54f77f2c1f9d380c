// SPDX-License-Identifier: Apache-2.0
#include "format/base64.hpp"

#include <algorithm>
#include <array>

namespace sworn::format {
namespace {

constexpr std::string_view k_alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t k_foreign = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> out{};
  for (auto& value : out) {
    value = k_foreign;
  }
  for (std::size_t i = 0; i < k_alphabet.size(); ++i) {
    out[static_cast<unsigned char>(k_alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return out;
}
constexpr auto k_values = make_values();

}  // namespace

std::string base64(ByteView data, Base64Padding padding) {
  std::string out;
  out.reserve((data.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < data.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, data.size() - i);
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8U | (j < n ? std::to_integer<std::uint32_t>(data[i + j]) : 0U);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      if (j <= n) {
        out += k_alphabet[bits >> (18 - 6 * j) & 0x3FU];
      } else if (padding == Base64Padding::with) {
        out += '=';
      }
    }
  }
  return out;
}

Result<Bytes> from_base64(std::string_view text, Base64Padding padding) {
  if (padding == Base64Padding::with) {
    if (text.size() % 4 != 0) {
      return fail(Errc::corrupt, "base64 text of a wrong length");
    }
    for (int i = 0; i < 2 && text.ends_with('='); ++i) {
      text.remove_suffix(1);  // a third one is a foreign character
    }
  }
  if (text.size() % 4 == 1) {
    return fail(Errc::corrupt, "base64 text of a wrong length");
  }
  Bytes out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned n_bits = 0;
  for (const char c : text) {
    const auto value = k_values[static_cast<unsigned char>(c)];
    if (value == k_foreign) {
      return fail(Errc::corrupt, "base64 text with a foreign character");
    }
    bits = bits << 6U | value;
    n_bits += 6;
    if (n_bits >= 8) {
      n_bits -= 8;
      out.push_back(static_cast<std::byte>(bits >> n_bits & 0xFFU));
      bits &= (1U << n_bits) - 1;
    }
  }
  if (bits != 0) {
    return fail(Errc::corrupt, "base64 text that is not canonical");
  }
  return out;
}

}  // namespace sworn::format
