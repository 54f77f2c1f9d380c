// SPDX-License-Identifier: Apache-2.0
// Packets of sworn-bpf: each input is a row of (length, bytes). Every fact that comes out can be
// read again and fits into an event.
#include "audit/kernel_decoder.hpp"
#include "base/byte_reader.hpp"
#include "format/event_payload.hpp"

#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn;
  audit::KernelDecoder decoder;
  std::vector<audit::AuditFact> facts;
  ByteReader in({reinterpret_cast<const std::byte*>(data), size});
  while (!in.done()) {
    const auto low = in.u8();
    const auto high = in.u8();
    if (!low || !high) {
      break;
    }
    const std::size_t length = *low + std::size_t{*high} * 256;
    decoder.feed(*in.take(std::min(length, in.left())), facts);
  }
  for (const auto& fact : facts) {
    require(fact.data.size() <= format::k_max_event_bytes);
    switch (fact.kind) {
      case format::EventKind::exec:
        require(audit::decode_exec(fact.data).has_value());
        break;
      case format::EventKind::exec_exit:
        require(audit::decode_exec_exit(fact.data).has_value());
        break;
      case format::EventKind::file:
        require(audit::decode_file(fact.data).has_value());
        break;
      case format::EventKind::connect:
        require(audit::decode_connect(fact.data).has_value());
        break;
      default:
        require(fact.kind == format::EventKind::gap && format::decode_gap(fact.data).has_value());
    }
  }
  return 0;
}
