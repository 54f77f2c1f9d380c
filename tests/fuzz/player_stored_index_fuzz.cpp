// SPDX-License-Identifier: Apache-2.0
// What is read back from a side file: facts, rows of text, the table of contents. Whatever is taken
// is taken apart and put together again to the same bytes.
#include "player/facts_codec.hpp"
#include "player/index_cache.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn;
  using namespace sworn::player;
  if (size == 0) {
    return 0;
  }
  const ByteView bytes(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      if (const auto facts = decode_facts(bytes)) {
        const auto again = decode_facts(encode_facts(*facts));
        if (!again || encode_facts(*again) != encode_facts(*facts)) {
          std::abort();
        }
      }
      break;
    case 1: {
      // As long as the text fits, rows of any kind are refused or usable.
      const std::string text = "one\ntwo\n\nfour words are here\n";
      if (const auto segment = TextSegment::unpack(text, bytes)) {
        for (std::size_t i = 0; i < segment->size(); ++i) {
          static_cast<void>(segment->at(i).text.size());
        }
        static_cast<void>(segment->pack_rows());
      }
      break;
    }
    case 2:
      static_cast<void>(TextSegment::unpack_text(bytes));
      static_cast<void>(TextFilter::may_contain(bytes, "text"));
      break;
    default: {
      const auto store = std::make_shared<BlobStore>();
      IndexState state(store);
      CacheKey key;
      static_cast<void>(decode_contents(bytes, key, store, state));
      break;
    }
  }
  return 0;
}
