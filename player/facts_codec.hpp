// SPDX-License-Identifier: Apache-2.0
// Facts as bytes, for the index cache. Derived data; the decoder is bounded and takes hostile
// bytes. Pure.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "player/facts.hpp"

namespace sworn::player {

Bytes encode_facts(const Facts& facts);
Result<Facts> decode_facts(ByteView data);

}  // namespace sworn::player
