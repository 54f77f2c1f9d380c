// SPDX-License-Identifier: Apache-2.0
#include "player/cache_codec.hpp"

#include <zstd.h>

namespace sworn::player {

Result<Bytes> pack_bytes(ByteView raw) {
  Bytes packed(ZSTD_compressBound(raw.size()));
  const auto size = ZSTD_compress(packed.data(), packed.size(), raw.data(), raw.size(), 1);
  if (ZSTD_isError(size) != 0) {
    return fail(Errc::exhausted, "derived data could not be compressed");
  }
  packed.resize(size);
  packed.shrink_to_fit();
  return packed;
}

Result<Bytes> unpack_bytes(ByteView packed, std::size_t limit) {
  const auto size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > limit) {
    return fail(Errc::corrupt, "derived data states no sensible size");
  }
  Bytes raw(static_cast<std::size_t>(size));
  const auto got = ZSTD_decompress(raw.data(), raw.size(), packed.data(), packed.size());
  if (ZSTD_isError(got) != 0 || got != raw.size()) {
    return fail(Errc::corrupt, "derived data does not decompress");
  }
  return raw;
}

}  // namespace sworn::player
