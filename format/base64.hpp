// SPDX-License-Identifier: Apache-2.0
// Base 64 (RFC 4648, section 4), strict: one text for each value. Foreign characters, wrong padding
// and non-zero spare bits are refused. Takes hostile text.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace sworn::format {

enum class Base64Padding : std::uint8_t { with, without };

std::string base64(ByteView data, Base64Padding padding = Base64Padding::with);
Result<Bytes> from_base64(std::string_view text, Base64Padding padding = Base64Padding::with);

}  // namespace sworn::format
