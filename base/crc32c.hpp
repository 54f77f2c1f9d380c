// SPDX-License-Identifier: Apache-2.0
// CRC-32C (Castagnoli; RFC 3720 appendix B.4): finds accidents and torn writes, never tampering.
// Uses the SSE 4.2 instruction where the processor has it, a table elsewhere.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>

namespace sworn {

// crc32c(b, crc32c(a)) == crc32c(a followed by b). The first call starts from 0.
std::uint32_t crc32c(ByteView data, std::uint32_t crc = 0);

}  // namespace sworn
