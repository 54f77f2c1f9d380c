// SPDX-License-Identifier: Apache-2.0
// Packets of the host's protocol: what decodes must encode to the same bytes.
#include "recorder/host/host_store.hpp"
#include "recorder/host/wire.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn;
  const ByteView bytes{reinterpret_cast<const std::byte*>(data), size};
  if (const auto message = recorder::host::decode(bytes)) {
    const Bytes again = recorder::host::encode(*message);
    if (!std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) {
      std::abort();
    }
  }
  if (const auto note = recorder::host::decode_note(bytes)) {
    if (!recorder::host::decode_note(recorder::host::encode_note(*note))) {
      std::abort();
    }
  }
  return 0;
}
