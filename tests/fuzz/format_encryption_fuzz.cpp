// SPDX-License-Identifier: Apache-2.0
// Hostile key boxes, descriptors, encrypted chunks, carried tails and shares. The first byte
// chooses what the rest is taken for.
#include "format/chunk.hpp"
#include "format/key_ring.hpp"
#include "format/recovered.hpp"

#include <cstdlib>

using namespace sworn;
using namespace sworn::format;

namespace {

constexpr FileId k_id{std::byte{1}, std::byte{2}};

Key fixed_key() {
  Key key;
  for (auto& byte : key.span()) {
    byte = std::byte{7};
  }
  return key;
}

void as_key_box(ByteView input) {
  static const auto identity =
      AgeIdentity::parse(
          "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
          .value();
  const auto box = decode_key_box(input);
  if (!box) {
    return;
  }
  const auto again = encode(*box);
  if (!std::equal(again.begin(), again.end(), input.begin(), input.end())) {
    std::abort();
  }
  KeyRing ring;
  ring.add(AgeIdentity::parse(identity.text()).value());
  EncryptionDescriptor descriptor;
  descriptor.groups.assign(std::max<std::size_t>(box->boxes.size(), 1), {"age1"});
  [[maybe_unused]] const auto key = ring.open(k_id, *box, descriptor);
}

void as_chunk(ByteView input) {
  static auto opener = PayloadOpener::create(k_id, fixed_key()).value();
  auto chunk = decode_chunk_body(input);
  Bytes plain;
  // The number of a chunk decides how many keys are derived: small ones keep the fuzzer fast.
  if (chunk && chunk->core.chunk_no < 100'000 && open_chunk(k_id, &opener, *chunk, plain) &&
      chunk->encrypted) {
    std::abort();
  }
}

void as_carried_tail(ByteView input) {
  const auto entries = decode_carried_tail(input);
  if (!entries) {
    return;
  }
  auto key = TailKey::create(k_id, fixed_key()).value();
  for (const auto& entry : *entries) {
    if (entry.generation < 1000) {
      [[maybe_unused]] const auto event = open_tail_entry(key, entry);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const auto input = ByteView(reinterpret_cast<const std::byte*>(data), size).subspan(1);
  switch (data[0] % 6) {
    case 0:
      as_key_box(input);
      break;
    case 1:
      as_chunk(input);
      break;
    case 2:
      as_carried_tail(input);
      break;
    case 3: {
      const auto descriptor = decode_encryption_descriptor(input);
      if (descriptor &&
          decode_encryption_descriptor(encode(*descriptor))->groups != descriptor->groups) {
        std::abort();
      }
      break;
    }
    case 4: {
      [[maybe_unused]] const auto share = decode_key_share(input);
      break;
    }
    default: {
      [[maybe_unused]] const auto recovered = decode_recovered(k_id, input);
      [[maybe_unused]] const auto part = recovered_part(input);
      break;
    }
  }
  return 0;
}
