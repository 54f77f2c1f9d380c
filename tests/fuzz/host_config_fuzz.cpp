// SPDX-License-Identifier: Apache-2.0
// The policy file and what swornd leaves behind for clients. Whatever the text: findings or a
// policy, and the decisions hold for it.
#include "recorder/client/fallback.hpp"
#include "recorder/host/config.hpp"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sworn;
  using namespace sworn::recorder;
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto got = host::parse_config(text, "fuzz");
  if (got.ok()) {
    const host::Person person{"alice", 1000, {"users"}};
    static_cast<void>(host::is_recorded(got.config, person, "db-1"));
    if (host::effective_policy(got.config, host::rules_for(got.config, person)).empty()) {
      std::abort();
    }
  }
  if (const auto fallback = client::parse_fallback(text)) {
    if (!client::parse_fallback(client::fallback_text(*fallback))) {
      std::abort();
    }
  }
  return 0;
}
