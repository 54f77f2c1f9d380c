// SPDX-License-Identifier: Apache-2.0
// Datagrams of a shell hook, by several senders: each input is a row of (sender, length, bytes).
// Nothing may be kept beyond the limits, and every event that comes out can be read again.
#include "audit/hook_decoder.hpp"
#include "base/byte_reader.hpp"
#include "format/event_payload.hpp"

#include <cstdlib>

namespace {

class StillClock final : public sworn::Clock {
 public:
  sworn::MonoTime mono() override { return {5'000'000}; }
  sworn::WallTime wall() override { return {1'795'231'322'000'000}; }
  sworn::ClockQuality quality() override { return {}; }
};

void require(bool holds) {
  if (!holds) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn;
  using audit::Kin;
  StillClock clock;
  audit::HookDecoder decoder("k", clock, [](pid_t pid) {
    return pid == 1 ? Kin::child : pid == 2 ? Kin::gone : Kin::stranger;
  });
  decoder.set_shell(0, "bash");
  std::vector<audit::AuditFact> facts;
  ByteReader in({reinterpret_cast<const std::byte*>(data), size});
  while (!in.done()) {
    const auto sender = in.u8();
    const auto length = in.u8();
    if (!sender || !length) {
      break;
    }
    const auto datagram = in.take(std::min<std::size_t>(*length, in.left()));
    decoder.feed(*sender % 4, *datagram, facts);
  }
  decoder.finish(facts);
  for (const auto& fact : facts) {
    require(fact.data.size() <= format::k_max_event_bytes);
    require(fact.at <= clock.mono());
    if (fact.kind == format::EventKind::command_begin) {
      require(format::decode_command_begin(fact.data).has_value());
    } else if (fact.kind == format::EventKind::command_end) {
      require(format::decode_command_end(fact.data).has_value());
    } else if (fact.kind == format::EventKind::gap) {
      require(format::decode_gap(fact.data).has_value());
    }
  }
  return 0;
}
