// SPDX-License-Identifier: Apache-2.0
#include "format/seal.hpp"

#include "base/byte_reader.hpp"
#include "base/byte_writer.hpp"

#include <algorithm>

namespace sworn::format {

void append_seal(Bytes& out, const Seal& seal) {
  ByteWriter w(out);
  w.u32(seal.seal_no).u16(seal.flags).u16(static_cast<std::uint16_t>(seal.leaves.size()));
  w.u64(static_cast<std::uint64_t>(seal.t.us)).u64(static_cast<std::uint64_t>(seal.wall.us));
  w.bytes(seal.next_key).bytes(seal.signature);
  for (const auto& leaf : seal.leaves) {
    w.bytes(leaf);
  }
}

Result<Seal> decode_seal(ByteView body) {
  ByteReader r(body);
  Seal seal;
  TRY_ASSIGN(seal.seal_no, r.u32());
  TRY_ASSIGN(seal.flags, r.u16());
  TRY_ASSIGN(const auto n_leaves, r.u16());
  TRY_ASSIGN(const auto t, r.u64());
  TRY_ASSIGN(const auto wall, r.u64());
  seal.t.us = static_cast<std::int64_t>(t);
  seal.wall.us = static_cast<std::int64_t>(wall);
  TRY_ASSIGN(const auto key, r.take(seal.next_key.size()));
  std::copy(key.begin(), key.end(), seal.next_key.begin());
  TRY_ASSIGN(const auto signature, r.take(seal.signature.size()));
  std::copy(signature.begin(), signature.end(), seal.signature.begin());
  if ((seal.flags & ~k_seal_known_flags) != 0) {
    return fail(Errc::corrupt, "a seal with flags that this version does not have");
  }
  if (r.left() != static_cast<std::size_t>(n_leaves) * sizeof(Digest)) {
    return fail(Errc::corrupt, "a seal of the wrong size");
  }
  seal.leaves.resize(n_leaves);
  for (auto& leaf : seal.leaves) {
    const auto bytes = r.take(leaf.size()).value();
    std::copy(bytes.begin(), bytes.end(), leaf.begin());
  }
  return seal;
}

Bytes seal_message(const FileId& id, const Seal& seal, std::uint64_t tree_size,
                   const Digest& root) {
  Bytes out;
  ByteWriter(out)
      .bytes(as_bytes(k_domain_seal))
      .bytes(id)
      .u32(seal.seal_no)
      .u16(seal.flags)
      .u16(static_cast<std::uint16_t>(seal.leaves.size()))
      .u64(tree_size)
      .bytes(root)
      .u64(static_cast<std::uint64_t>(seal.t.us))
      .u64(static_cast<std::uint64_t>(seal.wall.us))
      .bytes(seal.next_key);
  return out;
}

}  // namespace sworn::format
