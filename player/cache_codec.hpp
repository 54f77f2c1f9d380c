// SPDX-License-Identifier: Apache-2.0
// Compression of the player's derived data (keyframes, text index): fast, bounded, never evidence.
// The only user of zstd in the player.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace sworn::player {

Result<Bytes> pack_bytes(ByteView raw);
// Refuses what says it is longer than `limit` or does not say.
Result<Bytes> unpack_bytes(ByteView packed, std::size_t limit);

}  // namespace sworn::player
