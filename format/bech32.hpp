// SPDX-License-Identifier: Apache-2.0
// Bech32 (BIP 173) without its length limit, as age keys use it. Decoding takes hostile text: one
// case only, checksum, zero padding bits.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>
#include <string_view>

namespace sworn::format {

struct Bech32 {
  std::string prefix;  // in lower case
  bool upper_case = false;
  Bytes data;
};

std::string bech32(std::string_view lower_case_prefix, ByteView data);
Result<Bech32> from_bech32(std::string_view text);

}  // namespace sworn::format
